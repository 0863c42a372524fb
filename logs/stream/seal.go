package stream

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of a message: what the protocol adds to its data, and the least data
// that a lowered limit leaves.
const (
	messageFraming = 32
	minDataBytes   = 1 << 10
)

// parkAgain is the wait before another try to write to the quarantine.
const parkAgain = 10 * time.Second

var errNewLimits = errors.New("the profile or what the receiving side takes has changed")

// use starts codec without state.
func (c *core) use(codec Codec, limits Limits) error {
	enc, ledger, err := codec.NewState(limits)
	if err != nil {
		return fmt.Errorf("stream: make the encoder: %w", err)
	}
	c.codec, c.limits, c.enc, c.ledger = codec, limits, enc, ledger
	c.queue.unseal()
	return nil
}

// adopt makes the state fit the stream that begins: its profile, the limits of
// its endpoint, and whether state outlives a stream.
func (c *core) adopt(e *endpoint) error {
	c.nextID = 1
	switch codec := c.ladder[c.cur.rung]; {
	case codec.Profile() != c.codec.Profile() || e.limits != c.limits:
		if c.ledger != nil && c.ledger.Bytes() > 0 {
			c.stats.StateResets++
			c.emit(effect{kind: effReset, err: errNewLimits})
		}
		return c.use(codec, e.limits)
	case c.ledger == nil:
		c.enc.Reset()
	}
	return nil
}

// seal makes the payload of a batch that has none. What does not fit into one
// message is halved; a single record that does not is put aside, so that it
// cannot block the lines behind. Both report false.
func (c *core) seal(b *batch) (Payload, bool) {
	if b.sealed {
		return b.payload, true
	}
	p, err := c.enc.Encode(b.recs)
	if err != nil {
		c.shift()
		switch len(b.recs) {
		case 0:
			c.queue.hollow(b)
			c.releaseHollow()
		case 1:
			c.park(b, ReasonSize, err)
		default:
			c.stats.BatchesSplit++
			c.queue.split(c.queue.sent)
		}
		return Payload{}, false
	}
	if !b.counted {
		b.counted = true
		c.stats.RawBytes += uint64(p.RawBytes)
		c.stats.EncodedBytes += uint64(p.EncodedBytes)
		c.stats.CompressedBytes += uint64(len(p.Data))
	}
	if c.ledger != nil {
		c.queue.seal(b, p)
	}
	return p, true
}

// snapshot is the data of batch 0, nil without state. A state that does not fit
// into one message is given up, and the queue is encoded again without it.
func (c *core) snapshot() []byte {
	if c.ledger == nil {
		return nil
	}
	data, err := c.ledger.Snapshot()
	if err == nil && len(data) > c.limits.DataBytes {
		err = fmt.Errorf("the snapshot takes %d bytes and a message %d at most", len(data), c.limits.DataBytes)
	}
	if err != nil {
		c.restate(err)
		return nil
	}
	return data
}

// restate starts over without state; the queue will be encoded again. It must not
// be called while the queue is partly sent on a stream that goes on.
func (c *core) restate(cause error) {
	if c.ledger == nil {
		return // each stream starts without
	}
	c.stats.StateResets++
	c.emit(effect{kind: effReset, err: cause})
	if err := c.use(c.codec, c.limits); err != nil {
		c.enc.Reset() // it was made with the same limits before
	}
}

// park asks for a place for a batch of one record that cannot be delivered. Nothing
// is sent until it has one.
func (c *core) park(b *batch, reason Reason, err error) {
	c.shift()
	c.parking, c.parkedReason, c.parkedErr = b, reason, err
	c.quarantine()
}

func (c *core) quarantine() {
	if b := c.parking; b != nil {
		c.emit(effect{kind: effQuarantine, seq: b.of, recs: b.recs, reason: c.parkedReason, err: c.parkedErr})
	}
}

// parked says whether the record has its place. dropped means that there is none
// by configuration.
func (c *core) parked(now time.Time, dropped bool, err error) {
	b := c.parking
	if b == nil {
		return
	}
	if err != nil {
		c.stats.LastError = fmt.Sprintf("a line that cannot be delivered cannot be put into quarantine either, everything waits for it: %v", err)
		c.stats.LastErrorAt = now
		c.arm(timerPark, now.Add(c.jitter(parkAgain)))
		return
	}
	c.parking = nil
	if dropped {
		c.stats.LinesDropped.add(c.parkedReason)
	} else {
		c.stats.LinesQuarantined.add(c.parkedReason)
	}
	c.queue.hollow(b)
	c.releaseHollow()
	if c.stopping && c.queue.len() == 0 {
		c.finish(c.state == StateActive || c.state == StateDraining)
		return
	}
	c.sendQueued(now)
}
