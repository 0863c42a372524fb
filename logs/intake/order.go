package intake

import (
	"fmt"

	"github.com/vigil-agent/vigil/logs/codec/rows"
)

// maxBatchID is the last id of a stream: beyond it ids could come back to 0, which is
// a snapshot (logs specification, section 1.8, Q7).
const maxBatchID = 1 << 31

// order checks that the batch ids of a stream start at 0 (a snapshot) or 1 and
// then count up by one.
type order struct {
	started bool
	next    uint32
}

// check takes the next id. A wrong one is a *rows.ProtocolError.
func (o *order) check(id uint32) error {
	switch {
	case id > maxBatchID:
		return &rows.ProtocolError{BatchID: id, Datum: -1, What: fmt.Sprintf("ids end with %d: open another stream before", uint32(maxBatchID))}
	case !o.started && id > 1:
		return &rows.ProtocolError{BatchID: id, Datum: -1, What: "a stream starts with batch 0 (a snapshot) or 1"}
	case o.started && id != o.next:
		return &rows.ProtocolError{BatchID: id, Datum: -1, What: fmt.Sprintf("batch %d was expected: ids count up by one", o.next)}
	}
	o.started = true
	o.next = id + 1
	return nil
}
