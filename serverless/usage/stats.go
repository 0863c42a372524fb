package usage

import (
	"math"
	"sync/atomic"
)

// Stats is what became of the measurements.
type Stats struct {
	// Ticks is the number of measurements, the one of the start included and
	// those held back before a snapshot not.
	Ticks uint64
	// CPUErrors is the number of failed readings of CPU time or limit.
	CPUErrors uint64
	// Failed is the number of samples the metrics client refused or panicked on.
	Failed uint64
	// Freezes is the number of freezes and clock steps noticed.
	Freezes uint64
	// Usage and Limit are the latest values in nanocores; NaN while unknown.
	Usage, Limit float64
}

type counters struct {
	ticks, cpuErrors, failed, freezes atomic.Uint64
	usage, limit                      atomic.Uint64 // bits of a float64
}

func (c *counters) init() {
	storeFloat(&c.usage, math.NaN())
	storeFloat(&c.limit, math.NaN())
}

func storeFloat(to *atomic.Uint64, value float64) { to.Store(math.Float64bits(value)) }

func (c *counters) snapshot() Stats {
	return Stats{
		Ticks:     c.ticks.Load(),
		CPUErrors: c.cpuErrors.Load(),
		Failed:    c.failed.Load(),
		Freezes:   c.freezes.Load(),
		Usage:     math.Float64frombits(c.usage.Load()),
		Limit:     math.Float64frombits(c.limit.Load()),
	}
}
