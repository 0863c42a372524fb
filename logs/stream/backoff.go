package stream

import (
	"math/rand/v2"
	"time"
)

// plannedDelay is the mean wait before a stream that was closed on purpose is
// opened again: enough to spread the clients of a server that restarts.
const plannedDelay = 100 * time.Millisecond

// jitter spreads d over ±20 % (logs specification, section 6, D12).
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// backoffDelay is the mean wait after n failures in a row: lo, doubled for each
// failure after the first, at most hi.
func backoffDelay(n int, lo, hi time.Duration) time.Duration {
	d := lo
	for range n - 1 {
		if d >= hi/2 {
			return hi
		}
		d *= 2
	}
	return min(d, hi)
}
