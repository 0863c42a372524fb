package stream

import (
	"errors"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream/fault"
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

// maxWindow is the number of batches on their way at a time when nothing is
// wrong: bytes are the bound that matters.
const maxWindow = 1 << 20

// core is the protocol without I/O. One goroutine feeds it events, each with
// the time it happened, and carries out the effects it collects. Streams are
// told apart by generation: what an older stream still says is ignored. Timers
// are deadlines that are cleared, so none can fire late.
type core struct {
	cfg    Config
	ladder []Codec
	jitter func(time.Duration) time.Duration
	newID  func() string

	state     State
	stopping  bool
	endpoints []endpoint
	gen       uint64 // of the stream opened last
	// cur is the stream in use, or being opened when there is none. next is the
	// one that will follow it.
	cur, next leg

	queue  queue
	seq    uint64 // of the last Append
	codec  Codec  // of the state below
	limits Limits // likewise
	enc    Encoder
	ledger Ledger // nil where the codec has none

	nextID, lastID uint32 // of cur; lastID is maxBatchID but in tests
	// frozen says that cur must not send any more.
	frozen bool
	// window is the number of batches that may be outstanding. It does not grow
	// before suspects have been answered: batches of which one cannot be read.
	window, suspects int
	// parking is the batch of one record that waits for its quarantine.
	parking      *batch
	parkedReason Reason
	parkedErr    error
	// rejected counts quarantined records since a batch was last accepted.
	rejected int

	deadlines [numTimers]time.Time
	cause     Cause // of the rotation that timerLifetime stands for
	// keepalive is how long a connection may be silent before it is probed.
	keepalive time.Duration

	effects []effect
	stats   Stats
}

// leg is one stream and the connection under it.
type leg struct {
	gen      uint64 // 0: there is none
	endpoint int
	rung     int
	open     bool // its connection is up, since openedAt
	begun    bool // its stream has begun
	openedAt time.Time
	leave    bool // the receiving side wants it to end
	// What happened on it: a snapshot and a payload were sent, a payload was
	// acknowledged.
	snapshot, sent, acked bool
}

// timer names one deadline of the core.
type timer int

const (
	timerOpen timer = iota
	timerNext
	timerLifetime
	timerProbe
	timerDrain
	timerAck
	timerRetry
	timerPark
	numTimers
)

// Faults that the core itself finds.
var (
	errOpenTimeout  = errors.New("the receiving side did not accept the stream in time: check address, port and TLS")
	errAckTimeout   = fault.New(fault.Stall, errors.New("no acknowledgement in time though batches wait for one: the receiving side stalls"))
	errNotAnnounced = fault.New(fault.Capability, errors.New("the receiving side does not announce the configured profile: set profile to auto"))
)

// newCore expects a Config with its defaults filled in and a ladder that is not
// empty.
func newCore(cfg Config, ladder []Codec, jitter func(time.Duration) time.Duration) (*core, error) {
	c := &core{
		cfg: cfg, ladder: ladder, jitter: jitter, newID: newSessionID, state: StateNew,
		lastID: maxBatchID, window: maxWindow, keepalive: cfg.KeepaliveTime, queue: queue{bound: cfg.MaxInflightBytes},
	}
	for _, e := range cfg.Endpoints {
		c.endpoints = append(c.endpoints, endpoint{address: e.Address, limits: Limits{DataBytes: cfg.MaxDataBytes}})
	}
	for _, codec := range slices.Backward(ladder) { // the first rung comes last and stays
		if err := c.use(codec, Limits{DataBytes: cfg.MaxDataBytes}); err != nil {
			return nil, err
		}
	}
	return c, nil
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
		c.reopen(now)
	}
}

// hasRoom says whether append may be called: one batch is always admitted, and
// the bound is exceeded by at most one. What waits for too long closes the
// door as well.
func (c *core) hasRoom(now time.Time) bool {
	if c.stopping || c.state == StateStopped {
		return false
	}
	return c.queue.len() == 0 || (c.queue.bytes < c.cfg.MaxInflightBytes && now.Sub(c.queue.items[0].at) < c.cfg.MaxInflightAge)
}

// append takes recs as one batch of number seq, or of the next one for 0.
func (c *core) append(now time.Time, seq uint64, recs []record.Record) {
	if seq == 0 {
		seq = c.seq + 1
	}
	if seq != c.seq+1 {
		c.shift()
	}
	c.seq = seq
	b := c.queue.blank()
	b.keep(recs)
	b.whole, b.of, b.seq, b.at = true, seq, seq, now
	c.queue.push(b)
	c.sendQueued(now)
}

// opened says that a connection is up and a stream can begin on it, and what the
// receiving side announced when it was asked.
func (c *core) opened(now time.Time, gen uint64, asked bool, announced []string) {
	switch {
	case gen == c.cur.gen && c.state == StateConnecting:
		c.disarm(timerOpen)
		e := &c.endpoints[c.cur.endpoint]
		if asked {
			e.know(announced, now)
		}
		switch ok, err := c.settle(now, &c.cur); {
		case err != nil:
			c.fail(now, err)
		case !ok:
			c.closeAll(false)
			c.open(now, c.cur.endpoint)
		default:
			c.activate(now)
		}
	case gen == c.next.gen && gen != 0 && !c.next.open:
		c.nextOpened(now, asked, announced)
	}
}

// settle decides which rung l is of, now that its connection is up and everything
// about its endpoint is known. It reports false when that rung needs a connection
// of another kind.
func (c *core) settle(now time.Time, l *leg) (bool, error) {
	l.open, l.openedAt = true, now
	r := c.rung(&c.endpoints[l.endpoint])
	if r < 0 {
		return false, errNotAnnounced
	}
	fallback := c.ladder[l.rung].Profile() == ProfileHTTP
	l.rung = r
	return fallback == (c.ladder[r].Profile() == ProfileHTTP), nil
}

// begin starts the stream of l.
func (c *core) begin(l *leg) {
	l.begun = true
	c.stats.StreamsOpened++
	s, first := Session{}, uint64(0)
	if c.ladder[l.rung].Profile() != ProfileHTTP {
		s, first = c.beginSession(*l)
	}
	c.emit(effect{kind: effBegin, gen: l.gen, endpoint: l.endpoint, codec: c.ladder[l.rung], session: s, firstSeq: first})
}

// activate puts the current stream to use: batch 0 restores the state that the
// queued payloads were encoded against, then they follow.
func (c *core) activate(now time.Time) {
	if !c.cur.begun {
		c.begin(&c.cur)
	}
	e := &c.endpoints[c.cur.endpoint]
	c.state = StateActive
	c.frozen = false
	c.cause = CauseLifetime
	lifetime := c.jitter(c.cfg.Lifetime)
	if c.cur.leave {
		c.cause, lifetime = CauseGoAway, c.jitter(plannedDelay)
	}
	c.arm(timerLifetime, now.Add(lifetime))
	if e.floor > 0 {
		c.arm(timerProbe, e.probeAt)
	}
	e.relax(now)
	if err := c.adopt(e); err != nil {
		c.fail(now, err)
		return
	}
	if snapshot := c.snapshot(); snapshot != nil {
		c.cur.snapshot = true
		c.stats.SnapshotsSent++
		c.stats.SnapshotBytes += uint64(len(snapshot))
		c.emit(effect{kind: effSend, gen: c.cur.gen, id: 0, data: snapshot})
	}
	if c.stopping && c.queue.len() == 0 {
		c.finish(true)
		return
	}
	c.sendQueued(now)
}

// sendQueued hands out what the current stream has not seen yet, as far as the
// window and the bound of memory allow.
func (c *core) sendQueued(now time.Time) {
	for c.state == StateActive && !c.frozen && c.parking == nil && c.queue.sent < c.queue.len() {
		b := c.queue.items[c.queue.sent]
		if b.hollow {
			c.queue.sent++
			continue
		}
		if c.queue.outstanding >= c.window || (c.queue.outstanding > 0 && c.queue.bytes >= c.cfg.sendBound()) {
			break
		}
		p, ok := c.seal(b)
		if !ok {
			continue
		}
		c.queue.sent++
		c.queue.outstanding++
		c.cur.sent = true
		b.id, b.sentAt = c.nextID, now
		c.nextID++
		if b.sends++; b.sends > 1 {
			c.stats.BatchesReplayed++
			c.stats.LinesReplayed += uint64(len(b.recs))
			c.stats.BytesReplayed += uint64(len(p.Data))
		}
		c.stats.BatchesSent++
		c.stats.LinesSent += uint64(len(b.recs))
		out := effect{kind: effSend, gen: c.cur.gen, id: b.id, data: p.Data}
		if c.codec.Profile() == ProfileHTTP {
			out.recs = b.recs
		}
		c.emit(out)
		if c.deadlines[timerAck].IsZero() {
			c.arm(timerAck, now.Add(c.cfg.AckTimeout))
		}
		if b.id == c.lastID {
			c.cause, c.frozen = CauseIDs, true
		}
	}
	if c.state == StateActive && c.frozen {
		if c.cause != CauseIDs {
			c.cause = CauseNumbers
		}
		c.rotate(now)
	}
}

// ack takes one acknowledgement. Only that of the oldest outstanding batch
// counts; any other ends the stream and keeps the data.
func (c *core) ack(now time.Time, gen uint64, id uint32, ok bool) {
	if gen != c.cur.gen || (c.state != StateActive && c.state != StateDraining) || id == 0 {
		return
	}
	if c.queue.outstanding == 0 {
		c.fail(now, protocolError(id, 0, "no batch is outstanding"))
		return
	}
	head := c.queue.items[0]
	if id != head.id {
		c.fail(now, protocolError(id, head.id, "out of order"))
		return
	}
	if !ok {
		c.fail(now, protocolError(id, head.id, "its status is not OK, so the batch was rejected"))
		return
	}
	if c.ledger != nil {
		c.ledger.Apply(head.payload.Changes)
	}
	c.stats.BatchesAcked++
	c.stats.LinesAcked += uint64(len(head.recs))
	c.stats.LastAck = now
	c.stats.AckLatency.observe(now.Sub(head.sentAt))
	c.count(c.cur)
	c.cur.acked = true
	c.rejected = 0
	if c.suspects > 0 {
		c.suspects--
	} else {
		c.window = min(2*c.window, maxWindow)
	}
	c.release(c.queue.pop())
	c.releaseHollow()
	c.endpoints[c.cur.endpoint].progress(now.Sub(c.cur.openedAt))
	c.disarm(timerAck)
	if c.queue.outstanding > 0 {
		c.arm(timerAck, now.Add(c.cfg.AckTimeout))
	}
	switch {
	case c.stopping && c.queue.len() == 0:
		c.finish(true)
	case c.state == StateDraining && c.queue.outstanding == 0:
		c.moveOn(now)
	default:
		c.sendQueued(now)
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

// tick runs the deadlines that have passed.
func (c *core) tick(now time.Time) {
	if c.due(timerOpen, now) {
		c.fail(now, errOpenTimeout)
	}
	if c.due(timerNext, now) {
		c.nextFailed(now, errOpenTimeout)
	}
	if c.due(timerAck, now) {
		c.fail(now, errAckTimeout)
	}
	if c.due(timerProbe, now) {
		c.probe(now)
	}
	if c.due(timerLifetime, now) {
		c.rotate(now)
	}
	if c.due(timerDrain, now) {
		c.moveOn(now)
	}
	if c.due(timerRetry, now) {
		first, _ := c.choose(now)
		c.open(now, first)
	}
	if c.due(timerPark, now) {
		c.quarantine()
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
	case c.next.gen != 0 && !c.frozen:
		c.dropNext()
		c.state = StateActive
		c.disarm(timerDrain)
		c.sendQueued(now)
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
	c.closeAll(graceful)
	c.parking = nil
	c.deadlines = [numTimers]time.Time{}
	c.state = StateStopped
}
