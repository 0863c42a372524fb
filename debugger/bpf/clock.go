package bpf

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ClockZero is the wall-clock time at which CLOCK_MONOTONIC was zero, which is
// what event.Event.Time takes. It moves when the wall clock is stepped or
// slewed and when the machine sleeps, so refresh it every now and then.
func ClockZero() (time.Time, error) {
	// The monotonic clock is read between two readings of the wall clock; the
	// closest pair of a few is off by less than a scheduling delay.
	var zero time.Time
	best := time.Duration(1<<63 - 1)
	for range 5 {
		var mono unix.Timespec
		before := time.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono); err != nil {
			return time.Time{}, fmt.Errorf("read the monotonic clock: %w", err)
		}
		if d := time.Since(before); d < best {
			best = d
			zero = before.Add(d / 2).Add(-time.Duration(mono.Nano())).Round(0)
		}
	}
	return zero, nil
}
