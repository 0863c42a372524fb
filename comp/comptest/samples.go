// Package comptest helps the tests of components.
package comptest

import (
	"fmt"
	"slices"

	"github.com/vigil-agent/vigil/comp/telemetry"
)

// Samples reads every row of a table once and returns a line for each value:
// its name, the values of its labels, and the value. Lines are sorted within a
// row, whose order may be that of a map.
func Samples(table telemetry.Table) []string {
	var samples []string
	for _, metric := range table.Metrics {
		begin := len(samples)
		metric.Collect(func(value float64, labels ...string) {
			samples = append(samples, fmt.Sprintf("%s%v %g", metric.Name, labels, value))
		})
		slices.Sort(samples[begin:])
	}
	return samples
}
