// Package metrics is the one way out for product metrics. Engines declare the
// one or two methods they need as their own interface, with the signatures of
// datadog-go, so that the component satisfies it without an adapter.
//
// There are two outputs behind the same interface. Statsd hands everything to a
// DogStatsD server nearby. Datadog aggregates and sends straight to the API over
// HTTPS, for places where no such server is: inside a MicroVM.
package metrics

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/status"
)

// Emitter is what may be sent. Values are sent as they are; a rate of 1 means
// every call counts. A component that is off accepts everything and sends
// nothing.
type Emitter interface {
	Gauge(name string, value float64, tags []string, rate float64) error
	Count(name string, value int64, tags []string, rate float64) error
	Distribution(name string, value float64, tags []string, rate float64) error
}

// Component is the product-metrics output shared by the engines.
type Component interface {
	// Emitter adds the user's global tags to every metric.
	Emitter
	// Usage is the same output without the user's tags: metering series, which
	// a user's tags must not split or hide.
	Usage() Emitter
	// Flush puts what was emitted so far on the wire, the still-open
	// aggregation interval included, before it returns. It returns when ctx
	// ends at the latest; what was not delivered by then stays, within the
	// output's bounds, for the next time.
	Flush(ctx context.Context) error
	// Stats are the totals since the start.
	Stats() Stats
}

// Output is a Component with the ways the assembly deals with it.
type Output interface {
	Component
	status.Provider
	health.Reporter
	hooks.Hygiene
	hooks.Retagger
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// name is the component's name and its section of the configuration.
const name = "metrics"

// New returns the output that the configuration names; it does nothing until it
// is started.
func New(c Config, log *slog.Logger) (Output, error) {
	switch c.Output {
	case outputStatsd, "":
		return NewStatsd(c, log), nil
	case outputDatadog:
		d, err := NewDatadog(c, log)
		if err != nil {
			return nil, err
		}
		return d, nil
	default:
		return nil, fmt.Errorf("metrics.output %q is not known: choose statsd or datadog", c.Output)
	}
}
