package lifecycle

import (
	"context"
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

// outcome is what a hook's transition left for the rest of its work.
type outcome struct {
	event bool
	id    string
	epoch uint64
	drain heartbeat.Drain
	over  Span // the phase that the hook ended
}

// transition lets the machine decide about the hook and orders heartbeat and
// watchdog accordingly, as one step: of two hooks that overlap, the one decided
// last also commands last.
func (s *Server) transition(ctx context.Context, c *call) outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := order{Decision: s.judge(c), hook: c.hook, exit: exits[c.hook]}
	d.restored = d.Event && (c.hook == Run || c.hook == Resume)
	// Whatever hook follows a ready: the machine came out of the snapshot.
	d.woken = d.restored || s.prepared && c.hook != Ready
	if d.woken {
		s.prepared = false
	}
	drain, over := s.apply(ctx, c.shares.stop, d)
	return outcome{event: d.Event, id: s.machine.ID(), epoch: s.machine.Epoch(), drain: drain, over: over}
}

func (s *Server) judge(c *call) Decision {
	now := time.Now()
	switch c.hook {
	case Ready:
		return s.machine.Ready()
	case Validate:
		return s.machine.Validate()
	case Run:
		id, changed := ParseRun(c.body)
		if changed {
			s.log.Warn("the instance id was not safe for a tag and was altered", "microvm_id", id)
		}
		return s.machine.Run(id, now)
	case Resume:
		return s.machine.Resume(now, s.deps.Beat.Stats().Last)
	case Suspend:
		return s.machine.Suspend(now)
	case Terminate:
		return s.machine.Terminate()
	default:
		return Decision{}
	}
}

// order is a decision with what the machine need not know.
type order struct {
	Decision
	hook     Hook
	exit     Exit // how the phase ends, if it does
	restored bool // the machine came to life
	woken    bool // connections are dead, and a snapshot is behind
}

// settle tells the machine how the hook of epoch was answered.
func (s *Server) settle(ctx context.Context, c *call, epoch uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c.hook {
	case Suspend:
		s.apply(ctx, c.shares.stop, order{Decision: s.machine.SuspendAnswered(epoch, ok), exit: ExitRefused})
	case Terminate:
		s.apply(ctx, c.shares.stop, order{Decision: s.machine.TerminateAnswered(epoch)})
	default:
	}
}

// watchdogFired is called that late after the watchdog was due.
func (s *Server) watchdogFired(epoch uint64, late time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if late > clock.Tolerance && epoch == s.machine.Epoch() {
		// The monotonic clock went on while the machine stood still. What it has
		// executed since is not known, so the time begins again.
		s.watch()
		return
	}
	s.apply(context.Background(), 0, order{Decision: s.machine.WatchdogFired(epoch), exit: ExitIgnored})
}

// watch arms the watchdog for the hook that took effect last.
func (s *Server) watch() {
	if !s.stopped {
		epoch := s.machine.Epoch()
		s.dog.arm(func(late time.Duration) { s.watchdogFired(epoch, late) })
	}
}

// FreezeNoticed tells the server that the clocks show a freeze. A hook under way
// may hold it up for a tenth of that hook's budget.
func (s *Server) FreezeNoticed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply(context.Background(), 0, order{Decision: s.machine.FreezeNoticed()})
}

// apply carries a decision out. The id goes to heartbeat, logs and traces before
// the heartbeat starts, so that the first sample is tagged.
func (s *Server) apply(ctx context.Context, patience time.Duration, d order) (drain heartbeat.Drain, over Span) {
	over = s.history.move(s.machine.Phase(), d.exit, s.deps.Clock())
	s.view.Store(&view{phase: s.machine.Phase(), id: s.machine.ID(), history: s.history})
	if d.Odd != OddNone {
		s.odd[d.Odd].Add(1)
		s.events.odd(d.Odd, s.machine.ID())
	}
	if d.Warn != "" {
		s.log.Warn(d.Warn, "phase", s.machine.Phase().String(), "microvm_id", s.machine.ID())
	}
	if d.Identity != "" || d.woken {
		s.announce(ctx, patience, d)
	}
	if d.Identity != "" {
		s.deps.Beat.SetID(d.Identity)
	}
	switch d.Watch {
	case WatchKeep:
	case WatchDisarm:
		s.dog.disarm()
	case WatchArm:
		s.watch()
	}
	switch d.Beat {
	case BeatKeep:
	case BeatStart:
		s.deps.Beat.Start()
	case BeatNow:
		s.deps.Beat.Now()
	case BeatHalt:
		drain = s.deps.Beat.Halt()
	}
	return drain, over
}

// announce tells every part of the agent that the machine came to life and who
// it is, all at once and with one patience.
func (s *Server) announce(ctx context.Context, patience time.Duration, d order) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id := s.machine.ID()
	told := s.identity.begin(ctx, func(context.Context) error {
		if d.restored && s.deps.OnRestore != nil {
			s.deps.OnRestore(Restore{Hook: d.hook, ID: id})
		}
		if d.Identity != "" && s.deps.OnIdentity != nil {
			s.deps.OnIdentity(d.Identity)
		}
		return nil
	})
	if d.woken {
		if err := s.hygiene.each(ctx, func(h Hygiene, _ context.Context) { h.AfterRestore() }); err != nil {
			s.log.Warn("a part of the agent has not prepared for its new life", "hook", d.hook.String(), "err", err)
		}
	}
	if err := told(ctx); err != nil {
		s.log.Warn("the instance id did not reach every part of the agent", "microvm_id", id, "err", err)
	}
}
