package usage

// Names of the metrics (specification section 5.1). Note the namespace, which is
// not that of the events and of the heartbeat.
const (
	// MetricInstance is a gauge of value 1 for a machine that is there.
	MetricInstance = "aws.lambda.microvm.enhanced.instance"
	// MetricCPUUsage and MetricCPULimit are distributions in nanocores.
	MetricCPUUsage = "aws.lambda.microvm.enhanced.cpu.usage"
	MetricCPULimit = "aws.lambda.microvm.enhanced.cpu.limit"

	tagInstance = "instance"
)

// Gauger is the part of a DogStatsD client that takes the usage metric.
type Gauger interface {
	Gauge(name string, value float64, tags []string, rate float64) error
}

// Distributor is the part of a DogStatsD client that takes the enhanced metrics.
type Distributor interface {
	Distribution(name string, value float64, tags []string, rate float64) error
}
