package lifecycle

import (
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
)

// Exit is how the machine left a phase.
type Exit uint8

// The exits.
const (
	ExitNone      Exit = iota
	ExitRun            // the run hook
	ExitResume         // the resume hook
	ExitSuspend        // the suspend hook
	ExitTerminate      // the terminate hook
	ExitValidate       // the validate hook, which shows that the machine tests an image
	ExitRefused        // a suspend that was not answered with 200
	ExitIgnored        // a suspend that nothing followed
)

// String is the exit's name in tags and status.
func (e Exit) String() string {
	return [...]string{"none", "run", "resume", "suspend", "terminate", "validate", "suspend_refused", "suspend_ignored"}[e]
}

// exits are those that the hooks cause.
var exits = [NumHooks]Exit{Validate: ExitValidate, Run: ExitRun, Resume: ExitResume, Suspend: ExitSuspend, Terminate: ExitTerminate}

// Span is a phase that is over.
type Span struct {
	Phase Phase
	// Lasted is its length: of a running phase what the machine executed, of a
	// suspended one what it did not.
	Lasted time.Duration
	Exit   Exit
}

// History is how the machine's life went so far. The zero History is that of a
// machine that waits.
type History struct {
	// Suspends counts those that took effect. Running and Suspended are the
	// lengths of those phases that are over.
	Suspends           uint64
	Running, Suspended time.Duration
	// LastExit is how the machine last left Running, or came back to it without
	// having been away.
	LastExit Exit

	phase Phase
	since clock.Reading // when phase began
	ran   clock.Reading // when the latest running phase began
}

// move notes that the machine is in phase to from now on, and returns the phase
// that is over; its Exit is ExitNone when none is.
func (h *History) move(to Phase, why Exit, now clock.Reading) Span {
	if to == h.phase {
		return Span{}
	}
	over := Span{Phase: h.phase, Exit: why, Lasted: max(0, now.Mono-h.since.Mono)}
	back := why == ExitRefused || why == ExitIgnored
	switch {
	case h.phase == Suspended && back:
		// It was running all the time.
		h.Suspends--
		if to == Running {
			h.Running -= max(0, h.since.Mono-h.ran.Mono)
			h.LastExit = why
		}
		h.phase, h.since = to, h.ran
		return Span{}
	case h.phase == Suspended:
		over.Lasted = stoodStill(h.since, now)
		h.Suspended += over.Lasted
	case h.phase == Running:
		h.Running += over.Lasted
		h.LastExit = why
	}
	if to == Suspended {
		h.Suspends++
		h.ran = h.since
	}
	h.phase, h.since = to, now
	return over
}

// stoodStill is how long a suspended machine did not execute. A monotonic clock
// that stands still in a freeze tells it by how much less it went than the wall
// clock; one that goes on tells it by itself (specification section 3.6).
func stoodStill(from, to clock.Reading) time.Duration {
	mono := max(0, to.Mono-from.Mono)
	if gap := to.Wall.Sub(from.Wall) - mono; gap > clock.Tolerance {
		return gap
	}
	return mono
}
