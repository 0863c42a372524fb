package heartbeat

// Metrics is the part of a DogStatsD client that the heartbeat uses, with the
// signatures of datadog-go. A call may block; the heartbeat copes.
type Metrics interface {
	Gauge(name string, value float64, tags []string, rate float64) error
	Distribution(name string, value float64, tags []string, rate float64) error
}

// Counter takes the active seconds; datadog-go's client fits.
type Counter interface {
	Count(name string, value int64, tags []string, rate float64) error
}

// Name is the metric (specification section 3.1). Its value is always 1.
const Name = "aws.lambda.enhanced.microvm.active_instances"

// SecondsName is a count: the whole seconds of the monotonic clock that the
// machine was active since the sample before (specification section 8). The sum
// over an instance is its running time, however many samples were lost.
const SecondsName = "aws.lambda.enhanced.microvm.active_seconds"

// Kind is the metric type of the sample.
type Kind uint8

const (
	// Gauge reports a state: a second sample in one bucket changes nothing.
	Gauge Kind = iota
	// Distribution is for organisations whose metric already has that type; a
	// name has one type per organisation.
	Distribution
)

// send is the one place that knows the kinds apart.
func (k Kind) send(m Metrics, tags []string) error {
	if k == Distribution {
		return m.Distribution(Name, 1, tags, 1)
	}
	return m.Gauge(Name, 1, tags, 1)
}
