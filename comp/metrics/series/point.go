package series

import "time"

// Interval is the width of a bucket: what the Datadog agent uses for the
// metrics it aggregates.
const Interval = 10 * time.Second

// Kind is what a metric's values mean.
type Kind uint8

// Kinds.
const (
	Gauge        Kind = iota + 1 // the last value of a bucket counts
	Count                        // the values of a bucket are added
	Distribution                 // the values of a bucket are listed
)

// Scope says what is added to a metric's own tags.
type Scope uint8

// Scopes.
const (
	// Tagged metrics carry the global tags and the host.
	Tagged Scope = iota
	// Bare metrics carry their own tags alone: metering series, which a user's
	// tags must not split or hide.
	Bare
)

// Point is one context in one bucket.
type Point struct {
	Metric string
	Kind   Kind
	// Time is the start of the bucket in Unix seconds.
	Time int64
	// Value is the gauge's last value or the sum of the counts.
	Value float64
	// Values are those of a distribution, in the order they came.
	Values []float64
	// Tags are sorted, without repetition.
	Tags []string
	// Host is empty for a bare metric.
	Host string
	// Samples is how many emitted values the point stands for; at least 1.
	Samples int
}
