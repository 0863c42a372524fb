package simulate

import (
	"math"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// Names of what an agent sends (specification section 9).
const (
	heartbeatMetric = "aws.lambda.enhanced.microvm.active_instances"
	eventPrefix     = "aws.lambda.enhanced.microvm."
	tagID           = "microvm_id"
	tagEventID      = "lambda_microvm_id"
)

// forever is later than any time of a trace.
const forever = time.Duration(math.MaxInt64)

// situation is what a call meant, given those before it: the rows of
// specification section 2.5.
type situation uint8

const (
	ordinary situation = iota
	duplicateRun
	newID
	withoutID
	resumeBeforeRun
	resumeWhileRunning
	duplicateSuspend
	duplicateTerminate
	afterTerminate // run or resume
	overlapping
	foreign // not a hook as the platform sends it
)

// placed is a call with its situation.
type placed struct {
	*Call
	situation situation
	// thawed marks the first call after a freeze.
	thawed bool
}

// view is a trace prepared for the rules.
type view struct {
	*Trace
	policy policy
	calls  []placed
	// beats are the heartbeats among the samples.
	beats []*Sample
}

// policy is what the rules need to know beside the trace.
type policy struct {
	// window is how long a sample may take from its emission to its arrival.
	window time.Duration
	// grace is how much later than an answer a datagram that was sent before it
	// may be read.
	grace time.Duration
	// stop is how long the entrypoint may take to end after SIGTERM.
	stop time.Duration
	// metered says that the image is expected to send heartbeats.
	metered bool
	// events says that it sends a metric for each hook, too.
	events bool
	// loopback accepts an entrypoint that other hosts cannot reach.
	loopback bool
}

func newView(t *Trace, p policy) *view {
	v := &view{Trace: t, policy: p}
	states := map[int]*lifeline{}
	for i := range t.Calls {
		c := &t.Calls[i]
		state := states[c.Machine]
		if state == nil {
			state = &lifeline{}
			states[c.Machine] = state
		}
		v.calls = append(v.calls, placed{Call: c, situation: state.place(c), thawed: state.thaw(t, c)})
	}
	for i := range t.Samples {
		if t.Samples[i].Name == heartbeatMetric {
			v.beats = append(v.beats, &t.Samples[i])
		}
	}
	return v
}

// lifeline follows one machine through its hooks.
type lifeline struct {
	phase  lifecycle.Phase
	id     string
	latest time.Duration // end of the latest call
}

// place classifies a call and moves the machine on.
func (l *lifeline) place(c *Call) situation {
	if c.Kind > Malformed {
		return foreign
	}
	if c.Together {
		l.follow(c)
		return overlapping
	}
	before, id := l.phase, l.id
	l.follow(c)
	switch {
	case c.Hook <= lifecycle.Validate:
		return ordinary
	case before == lifecycle.Terminated && c.Hook == lifecycle.Terminate:
		return duplicateTerminate
	case before == lifecycle.Terminated && c.Hook != lifecycle.Suspend:
		return afterTerminate
	case c.Hook == lifecycle.Run && c.ID == "":
		return withoutID
	case c.Hook == lifecycle.Run && id == c.ID:
		return duplicateRun
	case c.Hook == lifecycle.Run && id != "":
		return newID
	case c.Hook == lifecycle.Resume && before == lifecycle.Waiting:
		return resumeBeforeRun
	case c.Hook == lifecycle.Resume && before == lifecycle.Running:
		return resumeWhileRunning
	case c.Hook == lifecycle.Suspend && before == lifecycle.Suspended:
		return duplicateSuspend
	default:
		return ordinary
	}
}

func (l *lifeline) follow(c *Call) {
	if l.phase == lifecycle.Terminated {
		return
	}
	switch c.Hook {
	case lifecycle.Run:
		l.phase = lifecycle.Running
		if c.ID != "" {
			l.id = c.ID
		}
	case lifecycle.Resume:
		if l.phase != lifecycle.Waiting {
			l.phase = lifecycle.Running
		}
	case lifecycle.Suspend:
		if l.phase == lifecycle.Running && c.OK() {
			l.phase = lifecycle.Suspended
		}
	case lifecycle.Terminate:
		l.phase = lifecycle.Terminated
	default:
	}
}

// thaw reports that the machine was frozen between the latest call and c.
func (l *lifeline) thaw(t *Trace, c *Call) bool {
	since := l.latest
	l.latest = c.Answered()
	for _, f := range t.Freezes {
		if f.Machine == c.Machine && f.From >= since && f.To <= c.Sent {
			return true
		}
	}
	return false
}

// beatsIn are the heartbeats of a machine that arrived in [from, to).
func (v *view) beatsIn(machine int, from, to time.Duration) []*Sample {
	var found []*Sample
	for _, beat := range v.beats {
		if beat.Machine == machine && beat.At >= from && beat.At < to {
			found = append(found, beat)
		}
	}
	return found
}

// frozen is how long the machine stood still within [from, to).
func (v *view) frozen(machine int, from, to time.Duration) time.Duration {
	var sum time.Duration
	for _, f := range v.Freezes {
		if f.Machine == machine {
			sum += max(0, min(f.To, to)-max(f.From, from))
		}
	}
	return sum
}

// next is when the first call after i that has one of the hooks was sent to the
// same machine, or the machine's end.
func (v *view) next(i int, hooks ...lifecycle.Hook) time.Duration {
	for _, c := range v.calls[i+1:] {
		for _, h := range hooks {
			if c.Machine == v.calls[i].Machine && c.Kind <= Malformed && c.Hook == h {
				return c.Sent
			}
		}
	}
	return v.gone(v.calls[i].Machine)
}

// gone is when the machine ended.
func (v *view) gone(machine int) time.Duration {
	for _, e := range v.Exits {
		if e.Machine == machine {
			return e.At
		}
	}
	return v.End
}

// events is the sum of a hook's event metric on a machine in [from, to), over
// all ids when id is empty.
func (v *view) events(machine int, h lifecycle.Hook, id string, from, to time.Duration) float64 {
	var sum float64
	for i := range v.Samples {
		s := &v.Samples[i]
		if s.Machine == machine && s.Name == eventPrefix+h.String() && s.At >= from && s.At < to && (id == "" || s.Tag(tagEventID) == id) {
			sum += s.Value
		}
	}
	return sum
}
