package usage

import (
	"math"
	"time"
)

// baseline is the observation that the next one is compared with.
type baseline struct {
	used time.Duration // CPU time
	at   time.Duration // monotonic
	set  bool
}

// advance makes the new observation the baseline and returns the usage since the
// old one in nanocores: NaN without an old one, when no time has passed, and
// when the counter did not grow, as after a restore.
func (b *baseline) advance(used, at time.Duration) float64 {
	old := *b
	*b = baseline{used: used, at: at, set: true}
	elapsed := at - old.at
	if !old.set || elapsed <= 0 || used <= old.used {
		return math.NaN()
	}
	return float64(used-old.used) / float64(elapsed) * NanocoresPerCore
}
