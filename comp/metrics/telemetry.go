package metrics

import "github.com/vigil-agent/vigil/comp/telemetry"

// Telemetry is the table of an output; nil gives the table without values, for
// the documentation.
func Telemetry(c Component) telemetry.Table {
	row := func(name, help string, kind telemetry.Kind, value func(Stats) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: kind, Help: help, Collect: func(report func(float64, ...string)) {
			report(float64(value(c.Stats())))
		}}
	}
	return telemetry.Table{Name: name, Metrics: []telemetry.Metric{
		row("vigil_metrics_sent_total", "Product metrics handed to the DogStatsD client, or acknowledged by the Datadog API.", telemetry.Counter,
			func(s Stats) uint64 { return s.Sent }),
		row("vigil_metrics_errors_total", "Datagrams that the kernel refused, usually because nobody listens, or requests to the Datadog API that failed.", telemetry.Counter,
			func(s Stats) uint64 { return s.Errors }),
		row("vigil_metrics_held_values", "Values that wait for delivery to the Datadog API: aggregated, queued or on their way.", telemetry.Gauge,
			func(s Stats) uint64 { return s.Held }),
		{
			Name: "vigil_metrics_dropped_total", Kind: telemetry.Counter, Labels: []string{"reason"},
			Help: "Values that will never be sent: full, invalid, oversize, refused, key, queue, expired, snapshot or stopped; with DogStatsD snapshot alone.",
			Collect: func(report func(float64, ...string)) {
				s := c.Stats()
				for why, name := range reasonNames {
					if s.Output == outputDatadog || reason(why) == dropSnapshot {
						report(float64(s.Dropped[name]), name)
					}
				}
			},
		},
	}}
}
