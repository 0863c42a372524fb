package intakefx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/logs/intake"
)

// text is what a person reads of the receiving side.
func text(s intake.Stats) []string {
	lines := []string{
		fmt.Sprintf("%d lines in %d batches, %d bytes of data, %d streams open", s.Lines, s.Batches, s.DataBytes, s.OpenStreams),
	}
	if s.Sessions > 0 {
		lines = append(lines, fmt.Sprintf("%d sessions known: %d batches came again and were not stored twice, %d streams ended by a newer one", s.Sessions, s.Repeated, s.Fenced))
	}
	if s.Journal.Failing != "" {
		lines = append(lines, fmt.Sprintf("the journal takes nothing, %d tries failed; senders keep what they have: %s", s.Journal.Failures, s.Journal.Failing))
	}
	var rejected []string
	for code, n := range s.Rejected {
		rejected = append(rejected, fmt.Sprintf("%d with %s", n, code))
	}
	if len(rejected) > 0 {
		slices.Sort(rejected)
		lines = append(lines, "streams refused: "+strings.Join(rejected, ", "))
	}
	return lines
}

// table is the telemetry of the receiving side.
func table(read func() (intake.Stats, bool)) telemetry.Table {
	row := func(name string, kind telemetry.Kind, help string, value func(intake.Stats) float64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: kind, Help: help, Collect: func(report func(float64, ...string)) {
			if s, ok := read(); ok {
				report(value(s))
			}
		}}
	}
	return telemetry.Table{Name: name, Metrics: []telemetry.Metric{
		row("vigil_intake_lines_total", telemetry.Counter, "Log lines journalled and acknowledged.", func(s intake.Stats) float64 { return float64(s.Lines) }),
		row("vigil_intake_batches_total", telemetry.Counter, "Batches journalled and acknowledged.", func(s intake.Stats) float64 { return float64(s.Batches) }),
		row("vigil_intake_data_bytes_total", telemetry.Counter, "Compressed bytes of the batches received.", func(s intake.Stats) float64 { return float64(s.DataBytes) }),
		row("vigil_intake_streams_total", telemetry.Counter, "Streams accepted.", func(s intake.Stats) float64 { return float64(s.Streams) }),
		row("vigil_intake_open_streams", telemetry.Gauge, "Streams open now.", func(s intake.Stats) float64 { return float64(s.OpenStreams) }),
		row("vigil_intake_state_bytes", telemetry.Gauge, "Patterns and dictionaries of all open streams.", func(s intake.Stats) float64 { return float64(s.StateBytes) }),
		row("vigil_intake_sessions", telemetry.Gauge, "Senders of numbered batches that are known.", func(s intake.Stats) float64 { return float64(s.Sessions) }),
		row("vigil_intake_repeated_batches_total", telemetry.Counter, "Batches that came again: acknowledged, and not stored twice.", func(s intake.Stats) float64 { return float64(s.Repeated) }),
		row("vigil_intake_fenced_streams_total", telemetry.Counter, "Streams that a newer one of their session ended.", func(s intake.Stats) float64 { return float64(s.Fenced) }),
		row("vigil_intake_snapshots_total", telemetry.Counter, "Snapshots of a sender's state received.", func(s intake.Stats) float64 { return float64(s.Snapshots) }),
		row("vigil_intake_journal_bytes_total", telemetry.Counter, "Bytes of the journal on disk since the start.", func(s intake.Stats) float64 { return float64(s.Journal.Bytes) }),
		row("vigil_intake_journal_commits_total", telemetry.Counter, "Writes of the journal, each with the batches that waited for it.", func(s intake.Stats) float64 { return float64(s.Journal.Commits) }),
		row("vigil_intake_journal_failures_total", telemetry.Counter, "Writes of the journal that failed; what they held was not acknowledged.", func(s intake.Stats) float64 { return float64(s.Journal.Failures) }),
		{
			Name: "vigil_intake_streams_refused_total", Kind: telemetry.Counter, Labels: []string{"code"},
			Help: "Streams that the receiving side ended, by gRPC status code.",
			Collect: func(report func(float64, ...string)) {
				s, _ := read()
				for code, n := range s.Rejected {
					report(float64(n), code)
				}
			},
		},
	}}
}
