package stream

import "time"

// latencyBounds are the upper bounds of the buckets of Histogram; a last bucket
// takes what is above.
var latencyBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// Histogram counts durations. It is a value: a copy does not change any more.
type Histogram struct {
	counts [len(latencyBounds) + 1]uint64
	sum    time.Duration
	count  uint64
}

func (h *Histogram) observe(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	h.counts[i]++
	h.sum += d
	h.count++
}

// Count is the number of observations.
func (h Histogram) Count() uint64 { return h.count }

// Sum is the sum of all observations.
func (h Histogram) Sum() time.Duration { return h.sum }

// Buckets calls yield with each upper bound and the number of observations at or
// below it, in increasing order; those above the last bound are in Count only.
func (h Histogram) Buckets(yield func(bound time.Duration, atMost uint64) bool) {
	n := uint64(0)
	for i, bound := range latencyBounds {
		n += h.counts[i]
		if !yield(bound, n) {
			return
		}
	}
}
