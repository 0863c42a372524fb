package intake

import "time"

// How long tests wait for another goroutine, and how often they look.
const (
	waitFor = time.Minute
	tick    = time.Millisecond
)
