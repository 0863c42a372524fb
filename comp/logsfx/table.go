package logsfx

import (
	"strconv"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

const counter, gauge = telemetry.Counter, telemetry.Gauge

// reader is where the table takes its values from; ok is false when there are none.
type reader func() (s logs.Status, ok bool)

// table is the telemetry of the engine.
func table(read reader) telemetry.Table {
	read = recently(read)
	var all []telemetry.Metric
	for _, part := range [][]telemetry.Metric{
		streamMetrics(read), codecMetrics(read), spoolMetrics(read), secondaryMetrics(read), memoryMetrics(read), fileMetrics(read), outputMetrics(read),
	} {
		all = append(all, part...)
	}
	return telemetry.Table{Name: name, Metrics: all}
}

// recently lets the metrics of one scrape share a reading.
func recently(read reader) reader {
	var mu sync.Mutex
	var at time.Time
	var last logs.Status
	var ok bool
	return func() (logs.Status, bool) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(at) > 100*time.Millisecond {
			last, ok = read()
			at = now
		}
		return last, ok
	}
}

// one is a metric with one value.
func (read reader) one(name string, kind telemetry.Kind, help string, value func(logs.Status) float64) telemetry.Metric {
	return telemetry.Metric{Name: name, Kind: kind, Help: help, Collect: func(report func(float64, ...string)) {
		if s, ok := read(); ok {
			report(value(s))
		}
	}}
}

// ofStream is a metric of the stream with one value.
func (read reader) ofStream(name string, kind telemetry.Kind, help string, value func(logs.StreamStatus) uint64) telemetry.Metric {
	return read.one(name, kind, help, func(s logs.Status) float64 { return float64(value(s.Stream)) })
}

// busy is a counter of seconds.
func (read reader) busy(name, help string, value func(logs.StreamStatus) time.Duration) telemetry.Metric {
	return read.one(name, counter, help, func(s logs.Status) float64 { return value(s.Stream).Seconds() })
}

// by is a counter with a value for each key that has occurred.
func by[K ~string](read reader, name, label, help string, values func(logs.StreamStatus) map[K]uint64) telemetry.Metric {
	return telemetry.Metric{Name: name, Kind: counter, Help: help, Labels: []string{label}, Collect: func(report func(float64, ...string)) {
		s, _ := read()
		for key, n := range values(s.Stream) {
			report(float64(n), string(key))
		}
	}}
}

func streamMetrics(read reader) []telemetry.Metric {
	return []telemetry.Metric{
		read.ofStream("vigil_logs_acked_lines_total", counter, "Log lines that the receiving side acknowledged as durable.", func(s logs.StreamStatus) uint64 { return s.AckedLines }),
		read.ofStream("vigil_logs_acked_batches_total", counter, "Batches acknowledged.", func(s logs.StreamStatus) uint64 { return s.AckedBatches }),
		read.ofStream("vigil_logs_sent_lines_total", counter, "Lines handed to a stream, replays included.", func(s logs.StreamStatus) uint64 { return s.SentLines }),
		read.ofStream("vigil_logs_sent_batches_total", counter, "Batches handed to a stream, replays included.", func(s logs.StreamStatus) uint64 { return s.SentBatches }),
		read.ofStream("vigil_logs_replayed_lines_total", counter, "Lines sent again on a new stream.", func(s logs.StreamStatus) uint64 { return s.ReplayedLines }),
		read.ofStream("vigil_logs_replayed_batches_total", counter, "Batches sent again on a new stream.", func(s logs.StreamStatus) uint64 { return s.ReplayedBatches }),
		read.ofStream("vigil_logs_replayed_bytes_total", counter, "Bytes of the payloads sent again.", func(s logs.StreamStatus) uint64 { return s.ReplayedBytes }),
		read.ofStream("vigil_logs_split_batches_total", counter, "Batches halved, for their size or to find a line that cannot be read.", func(s logs.StreamStatus) uint64 { return s.SplitBatches }),
		by(read, "vigil_logs_quarantined_lines_total", "reason", "Lines that cannot be delivered and were put into the quarantine file.", func(s logs.StreamStatus) map[stream.Reason]uint64 { return s.QuarantinedLines }),
		by(read, "vigil_logs_dropped_lines_total", "reason", "Lines that cannot be delivered and could not be put aside.", func(s logs.StreamStatus) map[stream.Reason]uint64 { return s.DroppedLines }),
		read.ofStream("vigil_logs_streams_opened_total", counter, "Streams opened.", func(s logs.StreamStatus) uint64 { return s.StreamsOpened }),
		read.ofStream("vigil_logs_stream_errors_total", counter, "Streams that failed.", func(s logs.StreamStatus) uint64 { return s.StreamErrors }),
		by(read, "vigil_logs_stream_ends_total", "class", "How streams ended.", func(s logs.StreamStatus) map[fault.Class]uint64 { return s.Ends }),
		by(read, "vigil_logs_rotations_total", "cause", "Streams replaced by another while they worked.", func(s logs.StreamStatus) map[stream.Cause]uint64 { return s.Rotations }),
		read.ofStream("vigil_logs_fallbacks_total", counter, "Steps down to a simpler profile.", func(s logs.StreamStatus) uint64 { return s.Fallbacks }),
		read.ofStream("vigil_logs_failovers_total", counter, "Moves to another endpoint.", func(s logs.StreamStatus) uint64 { return s.Failovers }),
		{
			Name: "vigil_logs_profile", Kind: gauge, Help: "1 for the profile and the endpoint in use.", Labels: []string{"profile", "endpoint"},
			Collect: func(report func(float64, ...string)) {
				if s, _ := read(); s.Stream.Profile != "" {
					report(1, s.Stream.Profile, s.Stream.Endpoint)
				}
			},
		},
		read.one("vigil_logs_suspended", gauge, "1 while nothing is tried until someone acts, but for a slow probe.", func(s logs.Status) float64 {
			if s.Stream.Suspended {
				return 1
			}
			return 0
		}),
		read.ofStream("vigil_logs_inflight_bytes", gauge, "Memory of what is read and not acknowledged.", func(s logs.StreamStatus) uint64 { return uint64(max(s.InflightBytes, 0)) }),
		read.ofStream("vigil_logs_inflight_lines", gauge, "Lines read and not acknowledged.", func(s logs.StreamStatus) uint64 { return uint64(max(s.InflightLines, 0)) }),
		read.one("vigil_logs_inflight_oldest_seconds", gauge, "Age of the oldest line that is not acknowledged.", func(s logs.Status) float64 { return s.Stream.OldestInflight.Seconds() }),
		ackLatency(read),
		read.busy("vigil_logs_ack_latency_seconds_total", "Time from handing batches to a stream to their acknowledgement.", func(s logs.StreamStatus) time.Duration { return s.AckLatency.Sum() }),
		read.busy("vigil_logs_blocked_seconds_total", "Time that sending waited for the receiving side to take more.", func(s logs.StreamStatus) time.Duration { return s.Blocked }),
		read.ofStream("vigil_logs_raw_bytes_total", counter, "Bytes of messages, before any encoding.", func(s logs.StreamStatus) uint64 { return s.RawBytes }),
		read.ofStream("vigil_logs_encoded_bytes_total", counter, "Bytes after encoding, before compression.", func(s logs.StreamStatus) uint64 { return s.EncodedBytes }),
		read.ofStream("vigil_logs_compressed_bytes_total", counter, "Bytes of the payloads.", func(s logs.StreamStatus) uint64 { return s.CompressedBytes }),
		read.ofStream("vigil_logs_wire_bytes_total", counter, "Bytes that gRPC sent, replays included.", func(s logs.StreamStatus) uint64 { return s.WireBytes }),
		read.ofStream("vigil_logs_received_bytes_total", counter, "Bytes that gRPC received.", func(s logs.StreamStatus) uint64 { return s.ReceivedBytes }),
	}
}

func ackLatency(read reader) telemetry.Metric {
	return telemetry.Metric{
		Name: "vigil_logs_ack_latency_batches_total", Kind: counter, Labels: []string{"le"},
		Help: "Batches acknowledged within so many seconds of being handed to a stream.",
		Collect: func(report func(float64, ...string)) {
			s, ok := read()
			if !ok {
				return
			}
			for bound, n := range s.Stream.AckLatency.Buckets {
				report(float64(n), strconv.FormatFloat(bound.Seconds(), 'g', -1, 64))
			}
			report(float64(s.Stream.AckLatency.Count()), "+Inf")
		},
	}
}

func codecMetrics(read reader) []telemetry.Metric {
	row := func(name, help string, value func(logs.CodecStatus) uint64) telemetry.Metric {
		return read.ofStream(name, counter, help, func(s logs.StreamStatus) uint64 { return value(s.Codec) })
	}
	return []telemetry.Metric{
		read.ofStream("vigil_logs_patterns", gauge, "Patterns that the receiving side was taught.", func(s logs.StreamStatus) uint64 { return uint64(max(s.Codec.Patterns, 0)) }),
		read.ofStream("vigil_logs_dictionary_entries", gauge, "Dictionary entries that the receiving side was taught.", func(s logs.StreamStatus) uint64 { return uint64(max(s.Codec.DictEntries, 0)) }),
		read.ofStream("vigil_logs_state_bytes", gauge, "Exact size of the stream's state.", func(s logs.StreamStatus) uint64 { return uint64(max(s.StateBytes, 0)) }),
		row("vigil_logs_patterns_added_total", "Patterns told to the receiving side.", func(c logs.CodecStatus) uint64 { return c.PatternsAdded }),
		row("vigil_logs_patterns_updated_total", "Patterns told again with more values.", func(c logs.CodecStatus) uint64 { return c.PatternsUpdated }),
		row("vigil_logs_patterns_removed_total", "Patterns that the receiving side was told to forget.", func(c logs.CodecStatus) uint64 { return c.PatternsRemoved }),
		row("vigil_logs_dictionary_added_total", "Dictionary entries told to the receiving side.", func(c logs.CodecStatus) uint64 { return c.DictAdded }),
		row("vigil_logs_dictionary_removed_total", "Dictionary entries that the receiving side was told to forget.", func(c logs.CodecStatus) uint64 { return c.DictRemoved }),
		row("vigil_logs_pattern_lines_total", "Lines encoded as a pattern with values.", func(c logs.CodecStatus) uint64 { return c.PatternLines }),
		row("vigil_logs_plain_lines_total", "Lines encoded as text.", func(c logs.CodecStatus) uint64 { return c.PlainLines }),
		row("vigil_logs_invalid_utf8_lines_total", "Lines with bytes that the rows profile cannot carry; they arrive as U+FFFD.", func(c logs.CodecStatus) uint64 { return c.InvalidUTF8Lines }),
		row("vigil_logs_checked_batches_total", "Batches decoded and compared before they left.", func(c logs.CodecStatus) uint64 { return c.Checked }),
		row("vigil_logs_check_failures_total", "Batches that did not decode to their lines and were sealed again as text.", func(c logs.CodecStatus) uint64 { return c.CheckFailures }),
		read.busy("vigil_logs_tokenizer_busy_seconds_total", "Time spent cutting lines and finding their patterns.", func(s logs.StreamStatus) time.Duration { return s.Codec.Tokenizer }),
		read.busy("vigil_logs_encoder_busy_seconds_total", "Time spent encoding values.", func(s logs.StreamStatus) time.Duration { return s.Codec.Encoder }),
		read.busy("vigil_logs_compressor_busy_seconds_total", "Time spent compressing.", func(s logs.StreamStatus) time.Duration { return s.Codec.Compressor }),
		read.ofStream("vigil_logs_snapshots_total", counter, "Snapshots of the state told to a new stream.", func(s logs.StreamStatus) uint64 { return s.Snapshots }),
		read.ofStream("vigil_logs_snapshot_bytes_total", counter, "Bytes of the snapshots.", func(s logs.StreamStatus) uint64 { return s.SnapshotBytes }),
		read.ofStream("vigil_logs_state_resets_total", counter, "How often the state was given up and learnt again.", func(s logs.StreamStatus) uint64 { return s.StateResets }),
	}
}

func spoolMetrics(read reader) []telemetry.Metric {
	row := func(name string, kind telemetry.Kind, help string, value func(*logs.SpoolStatus) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: kind, Help: help, Collect: func(report func(float64, ...string)) {
			if s, _ := read(); s.Spool != nil {
				report(float64(value(s.Spool)))
			}
		}}
	}
	return []telemetry.Metric{
		row("vigil_logs_spool_pending_lines", gauge, "Lines in the spool that are not acknowledged.", func(s *logs.SpoolStatus) uint64 { return s.Pending.Lines }),
		row("vigil_logs_spool_pending_bytes", gauge, "Bytes of their messages.", func(s *logs.SpoolStatus) uint64 { return s.Pending.Bytes }),
		row("vigil_logs_spool_disk_bytes", gauge, "What the spool takes on disk.", func(s *logs.SpoolStatus) uint64 { return uint64(max(s.DiskBytes, 0)) }),
		row("vigil_logs_spool_appended_lines_total", counter, "Lines that were put into the spool.", func(s *logs.SpoolStatus) uint64 { return s.Appended.Lines }),
		row("vigil_logs_spool_dropped_lines_total", counter, "Lines dropped because the spool or its disk was full.", func(s *logs.SpoolStatus) uint64 { return s.Dropped.Lines }),
		row("vigil_logs_spool_lost_lines_total", counter, "Lines whose bytes in the spool are corrupt or gone.", func(s *logs.SpoolStatus) uint64 { return s.Lost.Lines }),
		row("vigil_logs_spool_syncs_total", counter, "Syncs of the spool to its disk.", func(s *logs.SpoolStatus) uint64 { return s.Syncs }),
		row("vigil_logs_spool_write_failures_total", counter, "Writes to the spool that failed.", func(s *logs.SpoolStatus) uint64 { return s.Failures }),
	}
}

func secondaryMetrics(read reader) []telemetry.Metric {
	row := func(name string, kind telemetry.Kind, help string, value func(*logs.SecondaryStatus) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: kind, Help: help, Collect: func(report func(float64, ...string)) {
			if s, _ := read(); s.Secondary != nil {
				report(float64(value(s.Secondary)))
			}
		}}
	}
	return []telemetry.Metric{
		row("vigil_logs_secondary_acked_lines_total", counter, "Log lines that the secondary acknowledged.", func(s *logs.SecondaryStatus) uint64 { return s.Stream.AckedLines }),
		row("vigil_logs_secondary_dropped_lines_total", counter, "Lines that the secondary did not get, because its queue was full.", func(s *logs.SecondaryStatus) uint64 { return s.DroppedLines }),
		row("vigil_logs_secondary_queued_bytes", gauge, "What waits for the secondary.", func(s *logs.SecondaryStatus) uint64 { return uint64(max(s.QueuedBytes, 0)) }),
		row("vigil_logs_secondary_stream_errors_total", counter, "Streams to the secondary that failed.", func(s *logs.SecondaryStatus) uint64 { return s.Stream.StreamErrors }),
		row("vigil_logs_secondary_wire_bytes_total", counter, "Bytes that gRPC sent to the secondary.", func(s *logs.SecondaryStatus) uint64 { return s.Stream.WireBytes }),
	}
}

// memoryMetrics have a value for each part of the budget.
func memoryMetrics(read reader) []telemetry.Metric {
	row := func(name, help string, value func(logs.MemoryPart) int) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: gauge, Help: help, Labels: []string{"part"}, Collect: func(report func(float64, ...string)) {
			s, _ := read()
			for _, part := range s.Memory.Parts {
				report(float64(value(part)), part.Name)
			}
		}}
	}
	return []telemetry.Metric{
		row("vigil_logs_memory_limit_bytes", "The share of logs.memory_limit.", func(p logs.MemoryPart) int { return p.Limit }),
		row("vigil_logs_memory_bytes", "What is used of it, where that is counted.", func(p logs.MemoryPart) int { return p.Bytes }),
	}
}

// fileMetrics are the rows with a value for each file.
func fileMetrics(read reader) []telemetry.Metric {
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
func outputMetrics(read reader) []telemetry.Metric {
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
