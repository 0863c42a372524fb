// Package telemetry is the agent's own metrics: what it did and what it cost,
// as Prometheus text. Each component contributes one Table, which is read when
// somebody scrapes, so that nothing is counted twice and idle costs nothing.
package telemetry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Kind is the type of a metric.
type Kind uint8

// Kinds.
const (
	Counter Kind = iota + 1
	Gauge
)

// String is the name in the Prometheus text format.
func (k Kind) String() string {
	if k == Counter {
		return "counter"
	}
	return "gauge"
}

// Metric is one row of a Table.
type Metric struct {
	// Name is vigil_<engine>_<what>_<unit>; a counter ends in _total.
	Name string
	Kind Kind
	// Help is one sentence for the person who reads a graph.
	Help string
	// Labels names the labels, in the order Collect gives their values.
	Labels []string
	// Collect reports the current values; it runs on every scrape.
	Collect func(report func(value float64, labels ...string))
}

// Table is what one component contributes.
type Table struct {
	// Name is the component: "logs".
	Name    string
	Metrics []Metric
}

// Registry serves the tables.
type Registry struct {
	prometheus *prometheus.Registry
}

// New returns a registry of the tables, the Go runtime and the process.
func New(tables []Table) (*Registry, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	tables = slices.Clone(tables)
	slices.SortFunc(tables, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	for _, table := range tables {
		for _, metric := range table.Metrics {
			if err := registry.Register(newCollector(metric)); err != nil {
				return nil, fmt.Errorf("register %s of %s: %w", metric.Name, table.Name, err)
			}
		}
	}
	return &Registry{prometheus: registry}, nil
}

// Handler serves the Prometheus text format.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prometheus, promhttp.HandlerOpts{})
}

// collector reads one metric when it is scraped.
type collector struct {
	metric Metric
	desc   *prometheus.Desc
	kind   prometheus.ValueType
}

func newCollector(m Metric) collector {
	kind := prometheus.GaugeValue
	if m.Kind == Counter {
		kind = prometheus.CounterValue
	}
	return collector{metric: m, kind: kind, desc: prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)}
}

func (c collector) Describe(descs chan<- *prometheus.Desc) { descs <- c.desc }

func (c collector) Collect(metrics chan<- prometheus.Metric) {
	c.metric.Collect(func(value float64, labels ...string) {
		metric, err := prometheus.NewConstMetric(c.desc, c.kind, value, labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(c.desc, err)
		}
		metrics <- metric
	})
}
