package logsfx

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/source"
)

// text is what a person reads of the engine.
func text(s logs.Status) []string {
	stream := s.Stream
	lines := []string{
		fmt.Sprintf("to %s: %s, %d lines acknowledged, %d in flight", stream.Endpoint, stream.State, stream.AckedLines, stream.InflightLines),
	}
	if stream.LastError != "" && !stream.Connected {
		lines = append(lines, "last failure: "+stream.LastError)
	}
	if stream.NextStep != "" {
		lines = append(lines, "next: "+stream.NextStep)
	}
	if stream.RawBytes > 0 {
		lines = append(lines, fmt.Sprintf("%d bytes of messages became %d in payloads (%.1f %%), %d on the wire; %d patterns and %d dictionary entries learnt",
			stream.RawBytes, stream.CompressedBytes, 100*float64(stream.CompressedBytes)/float64(stream.RawBytes), stream.WireBytes, stream.Patterns, stream.DictEntries))
	}
	if stream.OldestInflight > time.Minute {
		lines = append(lines, fmt.Sprintf("the oldest line in flight waits for %s", stream.OldestInflight.Round(time.Second)))
	}
	if stream.DroppedLines > 0 {
		lines = append(lines, fmt.Sprintf("%d lines could not be sent at all", stream.DroppedLines))
	}
	for _, file := range s.Files {
		lines = append(lines, fileText(file))
	}
	for _, o := range s.Outputs {
		line := fmt.Sprintf("%s of the application: %d lines", o.Name, o.Lines)
		if o.Dropped > 0 {
			line += fmt.Sprintf(", %d dropped because they came faster than they could be sent", o.Dropped)
		}
		lines = append(lines, line)
	}
	return lines
}

// table is the telemetry of the engine.
func table(read func() (logs.Status, bool)) telemetry.Table {
	row := func(name string, kind telemetry.Kind, help string, value func(logs.StreamStatus) float64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: kind, Help: help, Collect: func(report func(float64, ...string)) {
			if s, ok := read(); ok {
				report(value(s.Stream))
			}
		}}
	}
	const counter, gauge = telemetry.Counter, telemetry.Gauge
	return telemetry.Table{Name: name, Metrics: append([]telemetry.Metric{
		row("vigil_logs_acked_lines_total", counter, "Log lines that the receiving side acknowledged as durable.", func(s logs.StreamStatus) float64 { return float64(s.AckedLines) }),
		row("vigil_logs_acked_batches_total", counter, "Batches acknowledged.", func(s logs.StreamStatus) float64 { return float64(s.AckedBatches) }),
		row("vigil_logs_replayed_batches_total", counter, "Batches sent again on a new stream.", func(s logs.StreamStatus) float64 { return float64(s.ReplayedBatches) }),
		row("vigil_logs_dropped_lines_total", counter, "Lines that do not fit into a message and could not be sent.", func(s logs.StreamStatus) float64 { return float64(s.DroppedLines) }),
		row("vigil_logs_invalid_utf8_lines_total", counter, "Lines with bytes that the rows profile cannot carry; they arrive as U+FFFD.", func(s logs.StreamStatus) float64 { return float64(s.InvalidUTF8Lines) }),
		row("vigil_logs_streams_opened_total", counter, "Streams opened.", func(s logs.StreamStatus) float64 { return float64(s.StreamsOpened) }),
		row("vigil_logs_stream_errors_total", counter, "Streams that failed.", func(s logs.StreamStatus) float64 { return float64(s.StreamErrors) }),
		row("vigil_logs_raw_bytes_total", counter, "Bytes of messages, before any encoding.", func(s logs.StreamStatus) float64 { return float64(s.RawBytes) }),
		row("vigil_logs_encoded_bytes_total", counter, "Bytes after encoding, before compression.", func(s logs.StreamStatus) float64 { return float64(s.EncodedBytes) }),
		row("vigil_logs_compressed_bytes_total", counter, "Bytes of the payloads.", func(s logs.StreamStatus) float64 { return float64(s.CompressedBytes) }),
		row("vigil_logs_wire_bytes_total", counter, "Bytes that gRPC sent, replays included.", func(s logs.StreamStatus) float64 { return float64(s.WireBytes) }),
		row("vigil_logs_inflight_bytes", gauge, "Memory of what is read and not acknowledged.", func(s logs.StreamStatus) float64 { return float64(s.InflightBytes) }),
		row("vigil_logs_inflight_oldest_seconds", gauge, "Age of the oldest line that is not acknowledged.", func(s logs.StreamStatus) float64 { return s.OldestInflight.Seconds() }),
		row("vigil_logs_patterns", gauge, "Patterns that the receiving side was taught.", func(s logs.StreamStatus) float64 { return float64(s.Patterns) }),
		row("vigil_logs_dictionary_entries", gauge, "Dictionary entries that the receiving side was taught.", func(s logs.StreamStatus) float64 { return float64(s.DictEntries) }),
		row("vigil_logs_state_bytes", gauge, "Exact size of the acknowledged stream state.", func(s logs.StreamStatus) float64 { return float64(s.StateBytes) }),
	}, append(fileMetrics(read), outputMetrics(read)...)...)}
}

func fileText(file source.FileStatus) string {
	if file.Error != "" {
		return fmt.Sprintf("file %s: %s", file.Path, file.Error)
	}
	line := fmt.Sprintf("file %s: %d lines read, %d of %d bytes durable", file.Path, file.Lines, file.Offset, file.Size)
	if file.Truncations > 0 {
		line += fmt.Sprintf(", truncated %d times", file.Truncations)
	}
	if file.CutLines > 0 {
		line += fmt.Sprintf(", %d lines cut because they were too long", file.CutLines)
	}
	return line
}

// fileMetrics are the rows with a value for each file.
func fileMetrics(read func() (logs.Status, bool)) []telemetry.Metric {
	row := func(name string, kind telemetry.Kind, help string, value func(source.FileStatus) int64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: kind, Help: help, Labels: []string{"path"}, Collect: func(report func(float64, ...string)) {
			s, _ := read()
			seen := map[string]float64{} // a rotated file may be open twice under one name
			for _, file := range s.Files {
				seen[file.Path] += float64(value(file))
			}
			for path, total := range seen {
				report(total, path)
			}
		}}
	}
	return []telemetry.Metric{
		row("vigil_logs_file_lines", telemetry.Gauge, "Lines read from each open file since it was opened.", func(f source.FileStatus) int64 { return f.Lines }),
		row("vigil_logs_file_lag_bytes", telemetry.Gauge, "What each file holds and the receiving side does not.", func(f source.FileStatus) int64 { return f.Lag }),
	}
}

// outputMetrics are the rows with a value for each stream of the application.
func outputMetrics(read func() (logs.Status, bool)) []telemetry.Metric {
	row := func(name, help string, value func(source.OutputStatus) int64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: telemetry.Counter, Help: help, Labels: []string{"stream"}, Collect: func(report func(float64, ...string)) {
			s, _ := read()
			for _, o := range s.Outputs {
				report(float64(value(o)), o.Name)
			}
		}}
	}
	return []telemetry.Metric{
		row("vigil_logs_output_lines_total", "Lines that the supervised application printed.", func(o source.OutputStatus) int64 { return o.Lines }),
		row("vigil_logs_output_dropped_lines_total", "Lines of the supervised application for which there was no room.", func(o source.OutputStatus) int64 { return o.Dropped }),
	}
}
