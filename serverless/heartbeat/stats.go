package heartbeat

import (
	"sync/atomic"
	"time"
)

// Stats counts what became of every sample that was due.
type Stats struct {
	// Sent is the number of samples the metrics client took.
	Sent uint64
	// Suppressed is the number of samples withheld because the id was unknown.
	Suppressed uint64
	// Failed is the number of samples the metrics client refused with an error.
	Failed uint64
	// Panics is the number of samples during which the metrics client panicked.
	Panics uint64
	// Freezes is the number of times the clocks, or a tick that came late, showed
	// that the machine had stood still or its wall clock was stepped.
	Freezes uint64
	// Resyncs is the number of samples that waited for a wall clock that was not
	// to be trusted.
	Resyncs uint64
	// ActiveSeconds is what the metrics client took of them.
	ActiveSeconds uint64
	// Last is the wall-clock time at which the latest emission began, without a
	// monotonic reading; zero when there was none.
	Last time.Time
}

type counters struct {
	sent, suppressed, failed, panics atomic.Uint64
	freezes, resyncs, activeSeconds  atomic.Uint64
	last                             atomic.Int64 // Unix nanoseconds, 0 for never
}

func (c *counters) snapshot() Stats {
	s := Stats{
		Sent:       c.sent.Load(),
		Suppressed: c.suppressed.Load(),
		Failed:     c.failed.Load(),
		Panics:     c.panics.Load(),

		Freezes:       c.freezes.Load(),
		Resyncs:       c.resyncs.Load(),
		ActiveSeconds: c.activeSeconds.Load(),
	}
	if ns := c.last.Load(); ns != 0 {
		s.Last = time.Unix(0, ns)
	}
	return s
}
