package rows

// Payload is one sealed batch.
type Payload struct {
	// Data is the compressed DatumSequence, what goes in StatefulBatch.data. The
	// caller owns it.
	Data []byte
	// Lines is the number of records in it.
	Lines int
	// RawBytes is the size of the records' messages.
	RawBytes int
	// EncodedBytes is the size of the DatumSequence before compression.
	EncodedBytes int
	// Changes is what Data does to the receiver's state.
	Changes Changes
}

// Changes is the state changes of one payload, in order. The zero value changes
// nothing. It is immutable.
type Changes struct {
	ops []change
}

// Len is the number of defines and deletes.
func (c Changes) Len() int { return len(c.ops) }

// change is one define or delete.
type change struct {
	kind  changeKind
	id    uint64
	datum []byte // the encoded field of the DatumSequence; nil for deletes
	state int    // state bytes of the defined entry
}

type changeKind uint8

const (
	patternDefine changeKind = iota
	patternDelete
	dictDefine
	dictDelete
)
