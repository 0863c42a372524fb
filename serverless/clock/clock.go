// Package clock notices what a freeze does to a machine's two clocks. A snapshot
// stops both; after the restore the wall clock is set right and the monotonic
// one, depending on the hypervisor, is not (specification section 3.6). The
// package is pure but for Now.
package clock

import "time"

// Tolerance is how far the clocks may drift apart between two readings, and how
// late a timer may fire, before that counts as a freeze (specification section
// 3.6).
const Tolerance = 2 * time.Second

// Reading is one look at both clocks.
type Reading struct {
	// Wall is the time of day, without a monotonic part.
	Wall time.Time
	// Mono is the time since an arbitrary moment of this process, never set back.
	Mono time.Duration
}

var origin = time.Now()

// Now reads both clocks.
func Now() Reading {
	now := time.Now()
	return Reading{Wall: now.Round(0), Mono: now.Sub(origin)}
}

// Watch compares each reading with the one before. The zero Watch is ready; it
// is not safe for concurrent use.
type Watch struct {
	// NotBefore is a date no correct wall clock shows any more, such as that of
	// the build; zero for none.
	NotBefore time.Time

	last Reading
	seen bool
}

// Change is what happened between two readings.
type Change struct {
	// Gap is how much further the wall clock went than the monotonic one; it is
	// negative when the wall clock was set back.
	Gap time.Duration
	// Frozen says that Gap is beyond Tolerance: a freeze, or a step of the wall
	// clock, which cannot be told apart.
	Frozen bool
	// Unsafe says that the wall clock shows a time that has already been or that
	// lies before the build: it is not to be trusted yet.
	Unsafe bool
}

// Peek compares r with the latest observation and forgets r.
func (w *Watch) Peek(r Reading) Change {
	c := Change{Unsafe: r.Wall.Before(w.NotBefore)}
	if w.seen {
		c.Gap = r.Wall.Sub(w.last.Wall) - (r.Mono - w.last.Mono)
		c.Frozen = c.Gap > Tolerance || c.Gap < -Tolerance
		c.Unsafe = c.Unsafe || r.Wall.Before(w.last.Wall)
	}
	return c
}

// Observe is Peek, and makes r the latest observation.
func (w *Watch) Observe(r Reading) Change {
	c := w.Peek(r)
	w.last, w.seen = r, true
	return c
}
