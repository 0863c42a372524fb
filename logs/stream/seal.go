package stream

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// seal encodes recs at the end of the queue. What does not fit into one message
// is halved; a single record that does not fit is dropped with a report, and
// its origin is released in its turn, so that it cannot block the lines behind.
func (c *core) seal(at time.Time, recs []record.Record) {
	p, err := c.enc.Encode(recs)
	switch {
	case err == nil:
		b := c.queue.blank()
		b.payload = p
		b.at = at
		b.keep(recs)
		c.queue.push(b)
		c.stats.RawBytes += uint64(p.RawBytes)
		c.stats.EncodedBytes += uint64(p.EncodedBytes)
		c.stats.CompressedBytes += uint64(len(p.Data))
	case len(recs) > 1:
		c.stats.BatchesSplit++
		half := len(recs) / 2
		c.seal(at, recs[:half])
		c.seal(at, recs[half:])
	default:
		b := c.queue.blank()
		b.hollow = true
		b.at = at
		b.origins = lastOrigins(recs)
		c.queue.push(b)
		c.stats.LinesDropped++
		c.emit(effect{kind: effDrop, origins: b.origins, size: len(recs[0].Message), err: err})
	}
}

// snapshot is the data of batch 0, nil without state. A state that does not fit
// into one message is given up, and the queue is encoded again without it.
func (c *core) snapshot() []byte {
	data, err := c.ledger.Snapshot()
	if err == nil && len(data) > c.cfg.MaxDataBytes {
		err = fmt.Errorf("the snapshot takes %d bytes and a message %d at most", len(data), c.cfg.MaxDataBytes)
	}
	if err != nil {
		c.restate(err, false)
		return nil
	}
	return data
}

// restate starts over without state: encoder and ledger forget all, and the queue
// is encoded again. With split, batches that were sent are halved first. It must
// not be called while the queue is partly sent on a stream that goes on.
func (c *core) restate(cause error, split bool) {
	c.enc.Reset()
	c.ledger = c.codec.NewLedger()
	c.stats.StateResets++
	c.emit(effect{kind: effReset, err: cause})
	kept := c.stats
	old := c.queue.items
	c.queue.items = nil
	c.queue.bytes, c.queue.batches, c.queue.lines, c.queue.sent = 0, 0, 0, 0
	for _, b := range old {
		from := len(c.queue.items)
		if b.hollow {
			c.queue.push(b)
			continue
		}
		half := 0
		if split && b.sends > 0 {
			half = len(b.recs) / 2
		}
		if half > 0 {
			c.stats.BatchesSplit++
			c.seal(b.at, b.recs[:half])
		}
		c.seal(b.at, b.recs[half:])
		for _, again := range c.queue.items[from:] {
			again.sends = b.sends
		}
		c.queue.items[len(c.queue.items)-1].seq = b.seq
		c.queue.recycle(b)
	}
	c.stats.RawBytes, c.stats.EncodedBytes, c.stats.CompressedBytes = kept.RawBytes, kept.EncodedBytes, kept.CompressedBytes
	c.releaseHollow()
}
