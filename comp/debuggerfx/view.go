package debuggerfx

import (
	"fmt"
	"strings"

	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/debugger"
)

// text is what a person reads of the engine.
func text(s debugger.Status) []string {
	var lines []string
	if s.Kernel != "" {
		lines = append(lines, "attached by "+s.Kernel)
	}
	for _, p := range s.Probes {
		lines = append(lines, fmt.Sprintf("probe %s (%s): %s; %d hits, %d snapshots, %d over the rate, %d dropped",
			p.ID, p.Function, p.State, p.Hits, p.Snapshots, p.Throttled, p.Dropped))
		if p.Message != "" {
			lines = append(lines, "  "+p.Message)
		}
		if p.Next != "" {
			lines = append(lines, "  next: "+p.Next)
		}
		for _, t := range p.Targets {
			var line strings.Builder
			fmt.Fprintf(&line, "  pid %d %s: %s", t.PID, t.Exe, t.State)
			for _, site := range t.Sites {
				fmt.Fprintf(&line, ", at %s (%s)", site.PC, site.Anchor)
			}
			lines = append(lines, line.String())
			if t.Message != "" {
				lines = append(lines, "    "+t.Message)
			}
			for _, note := range t.Notes {
				lines = append(lines, "    note: "+note)
			}
		}
	}
	if s.Output.Error != "" {
		lines = append(lines, "the output fails: "+s.Output.Error)
	}
	return lines
}

// table is the telemetry of the engine.
func table(read func() (debugger.Status, bool)) telemetry.Table {
	perProbe := func(name, help string, value func(debugger.Counters) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: telemetry.Counter, Help: help, Labels: []string{"probe"}, Collect: func(report func(float64, ...string)) {
			s, _ := read()
			for _, p := range s.Probes {
				report(float64(value(p.Counters)), p.ID)
			}
		}}
	}
	output := func(name, help string, value func(debugger.OutputStatus) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: telemetry.Counter, Help: help, Collect: func(report func(float64, ...string)) {
			if s, ok := read(); ok {
				report(float64(value(s.Output)))
			}
		}}
	}
	return telemetry.Table{Name: name, Metrics: []telemetry.Metric{
		perProbe("vigil_debugger_hits_total", "Calls of a probed function.", func(c debugger.Counters) uint64 { return c.Hits }),
		perProbe("vigil_debugger_snapshots_total", "Snapshots handed to the output.", func(c debugger.Counters) uint64 { return c.Snapshots }),
		perProbe("vigil_debugger_throttled_total", "Calls over the probe's rate: counted, not captured.", func(c debugger.Counters) uint64 { return c.Throttled }),
		perProbe("vigil_debugger_dropped_total", "Captured calls that were lost because a buffer was full.", func(c debugger.Counters) uint64 { return c.Dropped }),
		perProbe("vigil_debugger_incomplete_total", "Snapshots sent before everything was captured.", func(c debugger.Counters) uint64 { return c.Incomplete }),
		output("vigil_debugger_output_bytes_total", "Bytes of snapshots written.", func(s debugger.OutputStatus) uint64 { return s.Bytes }),
		output("vigil_debugger_output_lost_total", "Snapshots in a write that failed.", func(s debugger.OutputStatus) uint64 { return s.Lost }),
	}}
}
