package debuggerfx

import (
	"fmt"
	"strings"
	"time"

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
		if p.Returns > 0 {
			lines = append(lines, fmt.Sprintf("  %d returns: %d with their call, %d alone, %d of calls not captured; calls without a return: %d unwound, %d evicted, %d overdue, %d ended",
				p.Returns, p.Paired, p.Alone, p.Unmatched, p.Unwound, p.Evicted, p.Overdue, p.Ended))
		}
		if p.Replans > 0 || p.TypesPending > 0 {
			lines = append(lines, fmt.Sprintf("  placed again %d times with types that snapshots met; types pending: %d", p.Replans, p.TypesPending))
		}
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
				fmt.Fprintf(&line, ", %s at %s (%s)", site.Kind, site.PC, site.Cost())
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
	seconds := func(name, help string, nanoseconds func(debugger.Counters) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: telemetry.Counter, Help: help, Labels: []string{"probe"}, Collect: func(report func(float64, ...string)) {
			s, _ := read()
			for _, p := range s.Probes {
				report(float64(nanoseconds(p.Counters))/float64(time.Second), p.ID)
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
		perProbe("vigil_debugger_faults_total", "Reads of a process's memory that failed.", func(c debugger.Counters) uint64 { return c.Faults }),
		seconds("vigil_debugger_busy_seconds_total", "Time spent capturing, without the traps.", func(c debugger.Counters) uint64 { return c.BusyNS }),
		perProbe("vigil_debugger_returns_total", "Returns of a probed function.", func(c debugger.Counters) uint64 { return c.Returns }),
		perProbe("vigil_debugger_returns_unmatched_total", "Returns of calls that were throttled, or in progress when the probe was placed.", func(c debugger.Counters) uint64 { return c.Unmatched }),
		perProbe("vigil_debugger_returns_alone_total", "Snapshots of a return only: the other end was sent before, or lost.", func(c debugger.Counters) uint64 { return c.Alone }),
		perProbe("vigil_debugger_calls_paired_total", "Snapshots with both ends of a call.", func(c debugger.Counters) uint64 { return c.Paired }),
		perProbe("vigil_debugger_calls_unwound_total", "Snapshots without the return: a panic took the call away, or its return was lost.", func(c debugger.Counters) uint64 { return c.Unwound }),
		perProbe("vigil_debugger_calls_evicted_total", "Snapshots without the return: too many calls were in progress.", func(c debugger.Counters) uint64 { return c.Evicted }),
		perProbe("vigil_debugger_calls_overdue_total", "Snapshots without the return: the call was still running a minute later.", func(c debugger.Counters) uint64 { return c.Overdue }),
		perProbe("vigil_debugger_calls_ended_total", "Snapshots without the return: the process or the probe ended first.", func(c debugger.Counters) uint64 { return c.Ended }),
		perProbe("vigil_debugger_replans_total", "How often a probe was placed again with types that its snapshots met.", func(c debugger.Counters) uint64 { return c.Replans }),
		perProbe("vigil_debugger_types_refused_total", "Reports of types over the bound of one probe.", func(c debugger.Counters) uint64 { return c.TypesRefused }),
		output("vigil_debugger_output_bytes_total", "Bytes of snapshots written.", func(s debugger.OutputStatus) uint64 { return s.Bytes }),
		output("vigil_debugger_output_lost_total", "Snapshots in a write that failed.", func(s debugger.OutputStatus) uint64 { return s.Lost }),
	}}
}
