package stream

import (
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// State is where the worker stands.
type State string

// The states of a worker. STREAM.md has the table of their transitions.
const (
	StateNew        State = "new"
	StateConnecting State = "connecting"
	StateActive     State = "active"
	StateDraining   State = "draining"
	StateBackoff    State = "backoff"
	StateStopped    State = "stopped"
)

// maxBatchID is the last id used on one stream (logs specification, section
// 1.8, Q7); the stream is rotated long before the counter would wrap.
const maxBatchID = 1 << 31

// maxKeepalive ends the doubling of the probing interval; gRPC servers allow a
// probe every 5 min by default.
const maxKeepalive = time.Hour

// core is the protocol without I/O. One goroutine feeds it events, each with
// the time it happened, and carries out the effects it collects. Streams are
// told apart by generation: what an older stream still says is ignored. Timers
// are deadlines that are cleared, so none can fire late.
type core struct {
	cfg    Config
	codec  Codec
	jitter func(time.Duration) time.Duration

	state    State
	stopping bool
	gen      uint64
	queue    queue
	enc      Encoder
	ledger   Ledger
	seq      uint64 // Append calls accepted
	nextID   uint32
	lastID   uint32 // of this stream; maxBatchID but in tests

	deadlines [numTimers]time.Time
	openedAt  time.Time
	failures  int           // in a row, without sustained progress between them
	wait      time.Duration // the last backoff
	// reopen is the mean wait before the stream that follows a drain.
	reopen time.Duration
	// keepalive is how long a connection may be silent before it is probed.
	keepalive time.Duration

	effects []effect
	stats   Stats
}

// timer names one deadline of the core.
type timer int

const (
	timerOpen timer = iota
	timerLifetime
	timerDrain
	timerAck
	timerRetry
	numTimers
)

// effectKind is what the driver is asked to do.
type effectKind uint8

const (
	// effOpen asks for a stream of generation gen: opened or ended follows.
	effOpen effectKind = iota + 1
	// effSend queues batch id with data on the stream.
	effSend
	// effClose ends the stream: by half-closing after all sends when graceful,
	// by cancelling otherwise.
	effClose
	// effRelease says that origins are durable and all of Append seq with them.
	effRelease
	// effDrop says that a record cannot be sent at all.
	effDrop
	// effReset says that the stream's state was given up, err says why.
	effReset
)

type effect struct {
	kind effectKind
	gen  uint64
	// keepalive is that of the connection to open.
	keepalive time.Duration
	id        uint32
	data      []byte
	graceful  bool
	seq       uint64
	origins   []record.Origin
	size      int
	err       error
}

// newCore expects a Config with its defaults filled in.
func newCore(cfg Config, codec Codec, jitter func(time.Duration) time.Duration) (*core, error) {
	enc, err := codec.NewEncoder()
	if err != nil {
		return nil, err
	}
	return &core{cfg: cfg, codec: codec, jitter: jitter, enc: enc, ledger: codec.NewLedger(), state: StateNew, lastID: maxBatchID, keepalive: cfg.KeepaliveTime}, nil
}

func (c *core) emit(e effect) { c.effects = append(c.effects, e) }

// take hands out the effects collected since the last call; they are valid
// until the next event.
func (c *core) take() []effect {
	out := c.effects
	c.effects = c.effects[:0]
	return out
}

func (c *core) arm(t timer, at time.Time) { c.deadlines[t] = at }
func (c *core) disarm(t timer)            { c.deadlines[t] = time.Time{} }

// deadline is when tick has work to do, zero for never.
func (c *core) deadline() time.Time {
	var first time.Time
	for _, d := range c.deadlines {
		if !d.IsZero() && (first.IsZero() || d.Before(first)) {
			first = d
		}
	}
	return first
}

func (c *core) due(t timer, now time.Time) bool {
	d := c.deadlines[t]
	if d.IsZero() || now.Before(d) {
		return false
	}
	c.disarm(t)
	return true
}

// start opens the first stream.
func (c *core) start(now time.Time) {
	if c.state == StateNew {
		c.open(now)
	}
}

// hasRoom says whether append may be called: one batch is always admitted, and
// the bound is exceeded by at most one.
func (c *core) hasRoom() bool {
	return !c.stopping && c.state != StateStopped && (c.queue.len() == 0 || c.queue.bytes < c.cfg.MaxInflightBytes)
}

// append seals recs as one batch, or as several when one would be too large.
func (c *core) append(now time.Time, recs []record.Record) {
	if len(recs) == 0 {
		return
	}
	c.seq++
	c.seal(now, recs)
	c.queue.items[c.queue.len()-1].seq = c.seq
	c.releaseHollow()
	c.sendQueued(now)
}

func (c *core) open(now time.Time) {
	c.gen++
	c.queue.unsend()
	c.nextID = 1
	c.deadlines = [numTimers]time.Time{}
	c.arm(timerOpen, now.Add(c.cfg.OpenTimeout))
	c.state = StateConnecting
	c.emit(effect{kind: effOpen, gen: c.gen, keepalive: c.keepalive})
}

// opened starts a stream: batch 0 restores the state that the queued payloads
// were encoded against, then they follow.
func (c *core) opened(now time.Time, gen uint64) {
	if gen != c.gen || c.state != StateConnecting {
		return
	}
	c.disarm(timerOpen)
	c.arm(timerLifetime, now.Add(c.jitter(c.cfg.Lifetime)))
	c.state = StateActive
	c.openedAt = now
	c.stats.StreamsOpened++
	snapshot := c.snapshot()
	if c.stopping && c.queue.len() == 0 {
		c.finish(true)
		return
	}
	if snapshot != nil {
		c.stats.SnapshotsSent++
		c.stats.SnapshotBytes += uint64(len(snapshot))
		c.emit(effect{kind: effSend, gen: c.gen, id: 0, data: snapshot})
	}
	c.sendQueued(now)
}

// sendQueued hands out what the current stream has not seen yet.
func (c *core) sendQueued(now time.Time) {
	for c.state == StateActive && c.queue.sent < c.queue.len() {
		b := c.queue.items[c.queue.sent]
		c.queue.sent++
		if b.hollow {
			continue
		}
		b.id = c.nextID
		c.nextID++
		if b.sends++; b.sends > 1 {
			c.stats.BatchesReplayed++
			c.stats.LinesReplayed += uint64(len(b.recs))
		}
		c.stats.BatchesSent++
		c.stats.LinesSent += uint64(len(b.recs))
		c.emit(effect{kind: effSend, gen: c.gen, id: b.id, data: b.payload.Data})
		if c.deadlines[timerAck].IsZero() {
			c.arm(timerAck, now.Add(c.cfg.AckTimeout))
		}
		if b.id == c.lastID {
			c.rotate(now, 0)
		}
	}
}

// ack takes one acknowledgement. Only that of the oldest outstanding batch
// counts; any other ends the stream and keeps the data.
func (c *core) ack(now time.Time, gen uint64, id uint32, ok bool) {
	if gen != c.gen || (c.state != StateActive && c.state != StateDraining) || id == 0 {
		return
	}
	if c.queue.sent == 0 {
		c.fail(now, &ackError{id: id, why: "no batch is outstanding"})
		return
	}
	head := c.queue.items[0]
	if id != head.id {
		c.fail(now, &ackError{id: id, want: head.id, why: "out of order"})
		return
	}
	if !ok {
		c.fail(now, &ackError{id: id, want: head.id, why: "its status is not OK, so the batch was rejected"})
		return
	}
	c.ledger.Apply(head.payload.Changes)
	c.stats.BatchesAcked++
	c.stats.LinesAcked += uint64(len(head.recs))
	c.stats.LastAck = now
	c.release(c.queue.pop())
	c.releaseHollow()
	// Progress counts as sustained once the stream outlived the last wait: a
	// receiving side that acknowledges one batch and dies is still backed off from.
	if now.Sub(c.openedAt) >= c.wait {
		c.failures, c.wait = 0, 0
	}
	c.disarm(timerAck)
	if c.queue.sent > 0 {
		c.arm(timerAck, now.Add(c.cfg.AckTimeout))
	}
	switch {
	case c.stopping && c.queue.len() == 0:
		c.finish(true)
	case c.state == StateDraining && c.queue.sent == 0:
		c.reopenAfterDrain(now)
	}
}

func (c *core) release(b *batch) {
	c.emit(effect{kind: effRelease, seq: b.seq, origins: b.origins})
	c.queue.recycle(b)
}

// releaseHollow keeps hollow batches from being the head.
func (c *core) releaseHollow() {
	for c.queue.len() > 0 && c.queue.items[0].hollow {
		c.release(c.queue.pop())
	}
}

// goAway is the receiving side's wish to see the stream end soon.
func (c *core) goAway(now time.Time, gen uint64) {
	if gen == c.gen && c.state == StateActive {
		c.rotate(now, plannedDelay)
	}
}

// rotate stops sending and moves on to a new stream once everything sent is
// acknowledged; wait is the mean pause before it.
func (c *core) rotate(now time.Time, wait time.Duration) {
	c.stats.Rotations++
	c.disarm(timerLifetime)
	c.reopen = wait
	c.state = StateDraining
	if c.queue.sent == 0 {
		c.reopenAfterDrain(now)
		return
	}
	c.arm(timerDrain, now.Add(c.cfg.DrainTimeout))
}

func (c *core) reopenAfterDrain(now time.Time) {
	c.close(c.queue.sent == 0)
	if c.reopen > 0 {
		c.pause(now, c.jitter(c.reopen))
		return
	}
	c.open(now)
}

// ended is the end of a stream. One that the core closed before is only asked
// whether it was probed too often: then the reason comes a second after the
// wish to end it.
func (c *core) ended(now time.Time, gen uint64, err error) {
	if tooManyPings(err) {
		c.keepalive = min(2*c.keepalive, maxKeepalive)
	}
	if gen != c.gen || (c.state != StateConnecting && c.state != StateActive && c.state != StateDraining) {
		return
	}
	c.fail(now, err)
}

// fail gives the current stream up and decides what follows.
func (c *core) fail(now time.Time, err error) {
	class := classify(err)
	lived := c.state != StateConnecting && now.Sub(c.openedAt) >= c.cfg.BackoffMin
	c.close(false)
	if c.stopping && c.queue.len() == 0 {
		c.finish(false)
		return
	}
	if class == ClassPlanned {
		c.stats.PlannedCloses++
		if lived {
			c.pause(now, c.jitter(plannedDelay))
			return
		}
	} else {
		c.stats.StreamErrors++
		c.stats.LastError = describe(class, err)
		c.stats.LastErrorClass = class
		c.stats.LastErrorAt = now
	}
	switch class {
	case ClassPoison, ClassThrottle:
		c.restate(err, false)
	case ClassSize:
		c.restate(err, true)
	}
	if c.stopping && c.queue.len() == 0 {
		c.finish(false)
		return
	}
	c.failures++
	wait := backoffDelay(c.failures, c.cfg.BackoffMin, c.cfg.BackoffMax)
	if class == ClassCredentials || class == ClassCapability {
		wait = c.cfg.RefusedRetry
	}
	c.wait = max(c.jitter(wait), retryAfter(err))
	c.pause(now, c.wait)
}

// close ends the current stream; from here on it is an old generation.
func (c *core) close(graceful bool) {
	c.emit(effect{kind: effClose, gen: c.gen, graceful: graceful})
	c.gen++
	c.deadlines = [numTimers]time.Time{}
}

func (c *core) pause(now time.Time, wait time.Duration) {
	c.state = StateBackoff
	c.arm(timerRetry, now.Add(wait))
}

// tick runs the deadlines that have passed.
func (c *core) tick(now time.Time) {
	if c.due(timerOpen, now) {
		c.fail(now, errOpenTimeout)
	}
	if c.due(timerAck, now) {
		c.fail(now, errAckTimeout)
	}
	if c.due(timerLifetime, now) {
		c.rotate(now, 0)
	}
	if c.due(timerDrain, now) {
		c.reopenAfterDrain(now)
	}
	if c.due(timerRetry, now) {
		c.open(now)
	}
}

// stop lets the queue drain and then ends; nothing more is admitted. A wait for
// the next try is cut short, because there may be no other.
func (c *core) stop(now time.Time) {
	if c.stopping || c.state == StateStopped {
		return
	}
	c.stopping = true
	switch {
	case c.queue.len() == 0 || c.state == StateNew:
		c.finish(c.state == StateActive || c.state == StateDraining)
	case c.state == StateBackoff:
		c.arm(timerRetry, now)
	}
}

// abandon ends at once; what is queued stays unacknowledged.
func (c *core) abandon() {
	c.stopping = true
	if c.state != StateStopped {
		c.finish(false)
	}
}

func (c *core) finish(graceful bool) {
	c.close(graceful)
	c.state = StateStopped
}
