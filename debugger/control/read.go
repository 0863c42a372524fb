package control

import (
	"errors"
	"time"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/event/pair"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// Deliver passes a snapshot on, with the probe that was hit; the snapshot is
// valid during the call only. It reports how many bytes were passed on, or less
// than 0 when they were not.
type Deliver func(*Installed, *snapshot.Snapshot) int

// reading is what belongs to the goroutine that reads.
type reading struct {
	decoder *snapshot.Decoder
	deliver Deliver
	zero    time.Time // wall time at which the monotonic clock was 0
	zeroAt  uint64    // monotonic time at which zero was found out
	entry   event.Event
	orphan  event.Event
	record  []byte
}

// Calls in progress.
const (
	// callBytes bounds the entries of one process that wait for their return.
	callBytes = 4 << 20
	// overdueAfter is how long an entry waits: a snapshot that is never seen is
	// worth less than one without its return.
	overdueAfter = time.Minute
	// settleAfter is how long the last events of a process that ended can be on
	// their way: the ring is read within milliseconds.
	settleAfter = time.Second
)

// clockEvery is how often the wall clock is compared with the monotonic one.
const clockEvery = time.Second

// wall is the wall-clock time of an event.
func (p *Program) wall(ktime uint64) time.Time {
	r := &p.reading
	// Events of several processors are not quite in order.
	if age := time.Duration(ktime - r.zeroAt); r.zero.IsZero() || age.Abs() > clockEvery {
		// This clock is always there; without it the last comparison would do.
		if zero, err := bpf.ClockZero(); err == nil {
			r.zero, r.zeroAt = zero, ktime
		}
	}
	return r.zero.Add(time.Duration(ktime))
}

// Read decodes the hits until the deadline or Interrupt and delivers them. A call
// of a probe with returns is one snapshot, once it returned. An error matches
// os.ErrClosed after Close, or event.ErrMalformed for a single event.
func (p *Program) Read(deadline time.Time, deliver Deliver) error {
	p.reading.deliver = deliver
	err := p.session.Read(deadline, p.handle)
	if p.returns {
		p.settle()
	}
	return err
}

// Interrupt makes the Read that waits now, or else the next one, return.
func (p *Program) Interrupt() { p.session.Interrupt() }

// Drain reads what is left after the probes were removed from every process, and
// delivers the calls that did not return; events that cannot be read are
// skipped.
func (p *Program) Drain(deliver Deliver) error {
	for {
		err := p.Read(time.Now(), deliver)
		if errors.Is(err, event.ErrMalformed) {
			continue
		}
		for _, here := range p.processes() {
			if here.calls != nil {
				here.calls.Close()
			}
		}
		return err
	}
}

func (p *Program) handle(e *event.Event) {
	if int(e.Probe) >= len(p.parts) {
		return
	}
	part, here := &p.parts[e.Probe], p.lookup(e.Target)
	switch {
	case !part.returns || here == nil:
		p.pass(part, here, p.reading.decoder.Decode(part.layout, e))
	case part.ends(e.Site):
		p.returned(part, here, e)
	case e.Depth == 0 || e.GoID == 0:
		part.tally.ended.Add(1)
		p.pass(part, here, p.reading.decoder.DecodeUnfinished(part.layout, e, unknownCall))
	default:
		p.reading.record = event.Append(p.reading.record[:0], e)
		here.calls.Entry(callOf(e), e.Ktime, p.reading.record)
	}
}

// unknownCall is why a call cannot be joined with its return.
const unknownCall = "return not received: the goroutine and its stack cannot be told here"

func callOf(e *event.Event) pair.Call {
	return pair.Call{Target: e.Target, GoID: e.GoID, Depth: e.Depth, Probe: e.Probe}
}

// returned handles the end of a call.
func (p *Program) returned(part *part, here *placed, e *event.Event) {
	r := &p.reading
	record := here.calls.Return(callOf(e), e.EntryKtime)
	if record == nil || event.Parse(record, &r.entry) != nil {
		part.tally.alone.Add(1)
		p.pass(part, here, r.decoder.Decode(part.layout, e))
		return
	}
	part.tally.paired.Add(1)
	p.pass(part, here, r.decoder.DecodeCall(part.layout, &r.entry, e))
}

// orphan delivers an entry that gets no return.
func (p *Program) orphan(record []byte, why pair.End) {
	e := &p.reading.orphan
	if event.Parse(record, e) != nil || int(e.Probe) >= len(p.parts) {
		return // it was one of ours
	}
	part := &p.parts[e.Probe]
	switch why {
	case pair.Unwound:
		part.tally.unwound.Add(1)
	case pair.Evicted:
		part.tally.evicted.Add(1)
	case pair.Overdue:
		part.tally.overdue.Add(1)
	case pair.Ended:
		part.tally.ended.Add(1)
	}
	p.pass(part, p.lookup(e.Target), p.reading.decoder.DecodeUnfinished(part.layout, e, why.String()))
}

// pass delivers a snapshot and counts it.
func (p *Program) pass(part *part, here *placed, s *snapshot.Snapshot) {
	if unknown := s.UnknownTypes(); len(unknown) > 0 && part.types.report(unknown) && p.options.Wanted != nil {
		p.options.Wanted()
	}
	n := p.reading.deliver(part.Installed, s)
	if n < 0 {
		part.tally.refused.Add(1)
		return
	}
	part.tally.snapshots.Add(1)
	part.tally.bytes.Add(uint64(n))
	if here != nil {
		here.snapshots[part.index].Add(1)
	}
}

// settle gives back the calls that are overdue, and those of processes that
// ended.
func (p *Program) settle() {
	now := time.Now()
	var before uint64
	if zero, err := bpf.ClockZero(); err == nil {
		before = uint64(max(now.Sub(zero)-overdueAfter, 0))
	}
	for _, here := range p.processes() {
		here.calls.Expire(before)
		p.mu.Lock()
		over := !here.endedAt.IsZero() && !here.settled && now.Sub(here.endedAt) > settleAfter
		here.settled = here.settled || over
		p.mu.Unlock()
		if over {
			here.calls.Close()
		}
	}
}

// processes are those that are known.
func (p *Program) processes() []*placed {
	p.mu.RLock()
	defer p.mu.RUnlock()
	all := make([]*placed, 0, len(p.placed))
	for _, here := range p.placed {
		all = append(all, here)
	}
	return all
}
