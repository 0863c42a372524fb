package logsfx

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/comptest"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/spool"
	"github.com/vigil-agent/vigil/logs/stream"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOff(t *testing.T) {
	t.Parallel()
	c, err := New(Deps{Config: logs.DefaultConfig(), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	c.Retag([]string{"a:b"})
	stdout, stderr := c.TakeOutput()
	require.True(t, stdout == nil && stderr == nil, "no writers, and no typed nil either")
	require.NoError(t, c.Flush(t.Context()))
	c.BeforeSnapshot(t.Context())
	c.AfterRestore()
	require.Equal(t, "logs", c.Name())
	require.Equal(t, health.Report{Name: "logs", State: health.Off}, c.Health())
	require.Equal(t, status.Off("logs"), c.Status())
	require.Empty(t, comptest.Samples(c.Telemetry()))
	require.NoError(t, c.Stop(t.Context()))
}

func sample() logs.Status {
	return logs.Status{
		Files: []source.FileStatus{
			{Path: "/a.log", Lines: 12, Offset: 300, Size: 400, Lag: 100, Truncations: 1, CutLines: 2},
			{Path: "/a.log", Lines: 5, Offset: 50, Size: 50},
			{Path: "/b.log", Error: "permission denied"},
		},
		Outputs: []source.OutputStatus{{Name: "stdout", Lines: 3, Dropped: 1}, {Name: "stderr"}},
		Stream: logs.StreamStatus{
			Endpoint: "intake:1", Profile: "columns", State: "backoff", Suspended: true, LastError: "refused", NextStep: "connects again in 2s",
			AckedLines: 1, AckedBatches: 2, ReplayedBatches: 3, DroppedLines: stream.Reasons{"size": 4}, StreamsOpened: 5, StreamErrors: 6,
			InflightBytes: 7, InflightBatches: 8, InflightLines: 9, OldestInflight: 90 * time.Second,
			RawBytes: 1000, EncodedBytes: 500, CompressedBytes: 125, WireBytes: 150, StateBytes: 12,
			Codec: logs.CodecStatus{
				Patterns: 10, DictEntries: 11, InvalidUTF8Lines: 13, PatternsAdded: 14, PatternsUpdated: 15, PatternsRemoved: 16,
				DictAdded: 17, DictRemoved: 18, PatternLines: 19, PlainLines: 20, Checked: 21, CheckFailures: 22,
				Tokenizer: time.Second, Encoder: 2 * time.Second, Compressor: 3 * time.Second,
			},
			SentLines: 23, SentBatches: 24, ReplayedLines: 25, ReplayedBytes: 26, SplitBatches: 27,
			QuarantinedLines: stream.Reasons{"poison": 2, "size": 1}, Ends: stream.Ends{fault.Stall: 28}, Rotations: stream.Rotations{stream.CauseKey: 29},
			Fallbacks: 30, Failovers: 31, Blocked: 4 * time.Second, ReceivedBytes: 32, Snapshots: 33, SnapshotBytes: 34, StateResets: 35,
		},
		Quarantine: "/run/quarantine/lines.ndjson",
		Spool: &logs.SpoolStatus{Stats: spool.Stats{
			Pending: spool.Amount{Batches: 1, Lines: 36, Bytes: 37}, DiskBytes: 38, MaxBytes: 39, Appended: spool.Amount{Lines: 40},
			Dropped: spool.Amount{Lines: 41}, Lost: spool.Amount{Lines: 42}, Syncs: 43, Failures: 44, Waiting: true, Error: "disk full",
		}, Failure: "bad sector"},
		Secondary: &logs.SecondaryStatus{
			Stream:      logs.StreamStatus{Endpoint: "other:1", State: "active", Connected: true, AckedLines: 45, StreamErrors: 46, WireBytes: 47},
			QueuedBytes: 48, DroppedLines: 49,
		},
		Memory: logs.Memory{Limit: 100, Parts: []logs.MemoryPart{{Name: "inflight", Limit: 50, Bytes: 7}}},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"last failure: refused",
		"next: connects again in 2s",
		"the oldest line in flight waits for 1m30s",
		"3 lines (2 poison, 1 size) are in quarantine at /run/quarantine/lines.ndjson: `vigil logs replay` delivers them once the reason is gone",
		"4 lines (4 size) could not be sent and are lost",
		"22 batches did not decode to their lines and were sent as text: please report it",
		"spool: disk full",
		"spool: bad sector",
		"spool: full, files wait; raise logs.spool.max_size, or make room on its disk",
		"spool: 41 lines dropped because it was full",
		"spool: 42 lines lost because their bytes on disk are corrupt",
		"secondary: 49 lines dropped because it does not keep up",
		"to intake:1: backoff with profile columns, 1 lines acknowledged, 9 in flight",
		"1000 bytes of messages became 125 in payloads (12.5 %): encoding made them 2.0 times smaller, compression 4.0 times; 150 on the wire; 10 patterns and 11 dictionary entries learnt, 12 bytes of state",
		"secondary: to other:1: active, 45 lines acknowledged, 0 in flight",
		"spool: 36 lines in 1 batches wait, 38 of 39 bytes on disk",
		"file /a.log: 12 lines read, 300 of 400 bytes durable, truncated 1 times, 2 lines cut because they were too long",
		"file /a.log: 5 lines read, 50 of 50 bytes durable",
		"file /b.log: permission denied",
		"stdout of the application: 3 lines, 1 dropped because they came faster than they could be sent",
		"stderr of the application: 0 lines",
	}, text(sample()))
	small := logs.Memory{Limit: 33554432, Parts: []logs.MemoryPart{{Name: "batches"}, {Name: "codec", Note: "batches are not checked before they leave"}}}
	require.Equal(t, []string{
		"to intake:1: new, 0 lines acknowledged, 0 in flight",
		"memory of 33554432 bytes, codec: batches are not checked before they leave",
	}, text(logs.Status{Stream: logs.StreamStatus{Endpoint: "intake:1", State: "new"}, Memory: small}))
	require.Equal(t, []string{"to intake:1: new, 0 lines acknowledged, 0 in flight"},
		text(logs.Status{Stream: logs.StreamStatus{Endpoint: "intake:1", State: "new"}}))
	require.Equal(t, []string{"ready for a snapshot: nothing is followed until the machine is restored"}, text(logs.Status{Paused: true}))
}

// Every class of failure has its sentence, before how it goes.
func TestEveryClassHasItsSentence(t *testing.T) {
	t.Parallel()
	for _, rule := range fault.Table {
		s := logs.Status{Stream: logs.StreamStatus{Endpoint: "intake:1", State: "backoff", Sentence: rule.Sentence + " (why)"}}
		require.Equal(t, rule.Sentence+" (why)", text(s)[0])
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	s := sample()
	s.Spool.Error = ""
	s.Registry = registry.Status{Error: "disk full"}
	reason, fix := problem(s)
	require.Equal(t, "the endpoint does not take the logs: refused", reason)
	require.Equal(t, "nothing is lost, the lines are in the spool; `vigil doctor` looks at the endpoint", fix)
	s.Stream.State = "active"
	s.Spool.Error = "disk full"
	reason, fix = problem(s)
	require.Equal(t, "the spool cannot be written: disk full", reason)
	require.Equal(t, "make room in run_path, or make it writable", fix)
	s.Spool = nil
	require.Equal(t, "nothing is lost, the lines stay in their files; `vigil doctor` looks at the endpoint", waits(s))
	reason, fix = problem(s)
	require.Equal(t, "read offsets cannot be saved: disk full", reason)
	require.Equal(t, "make room in run_path, or make it writable", fix)
	s.Registry.Error = ""
	reason, fix = problem(s)
	require.Equal(t, "/b.log: permission denied", reason)
	require.Equal(t, "let the agent's user read the file, or correct logs.sources", fix)
	s.Files = s.Files[:2]
	reason, fix = problem(s)
	require.Empty(t, reason+fix)
}

func TestTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"vigil_logs_acked_lines_total[] 1",
		"vigil_logs_acked_batches_total[] 2",
		"vigil_logs_sent_lines_total[] 23",
		"vigil_logs_sent_batches_total[] 24",
		"vigil_logs_replayed_lines_total[] 25",
		"vigil_logs_replayed_batches_total[] 3",
		"vigil_logs_replayed_bytes_total[] 26",
		"vigil_logs_split_batches_total[] 27",
		"vigil_logs_quarantined_lines_total[poison] 2",
		"vigil_logs_quarantined_lines_total[size] 1",
		"vigil_logs_dropped_lines_total[size] 4",
		"vigil_logs_streams_opened_total[] 5",
		"vigil_logs_stream_errors_total[] 6",
		"vigil_logs_stream_ends_total[stall] 28",
		"vigil_logs_rotations_total[key] 29",
		"vigil_logs_fallbacks_total[] 30",
		"vigil_logs_failovers_total[] 31",
		"vigil_logs_profile[columns intake:1] 1",
		"vigil_logs_suspended[] 1",
		"vigil_logs_inflight_bytes[] 7",
		"vigil_logs_inflight_lines[] 9",
		"vigil_logs_inflight_oldest_seconds[] 90",
		"vigil_logs_ack_latency_batches_total[+Inf] 0",
		"vigil_logs_ack_latency_batches_total[0.001] 0",
		"vigil_logs_ack_latency_batches_total[0.002] 0",
		"vigil_logs_ack_latency_batches_total[0.005] 0",
		"vigil_logs_ack_latency_batches_total[0.01] 0",
		"vigil_logs_ack_latency_batches_total[0.02] 0",
		"vigil_logs_ack_latency_batches_total[0.05] 0",
		"vigil_logs_ack_latency_batches_total[0.1] 0",
		"vigil_logs_ack_latency_batches_total[0.2] 0",
		"vigil_logs_ack_latency_batches_total[0.5] 0",
		"vigil_logs_ack_latency_batches_total[10] 0",
		"vigil_logs_ack_latency_batches_total[1] 0",
		"vigil_logs_ack_latency_batches_total[2] 0",
		"vigil_logs_ack_latency_batches_total[30] 0",
		"vigil_logs_ack_latency_batches_total[5] 0",
		"vigil_logs_ack_latency_seconds_total[] 0",
		"vigil_logs_blocked_seconds_total[] 4",
		"vigil_logs_raw_bytes_total[] 1000",
		"vigil_logs_encoded_bytes_total[] 500",
		"vigil_logs_compressed_bytes_total[] 125",
		"vigil_logs_wire_bytes_total[] 150",
		"vigil_logs_received_bytes_total[] 32",
		"vigil_logs_patterns[] 10",
		"vigil_logs_dictionary_entries[] 11",
		"vigil_logs_state_bytes[] 12",
		"vigil_logs_patterns_added_total[] 14",
		"vigil_logs_patterns_updated_total[] 15",
		"vigil_logs_patterns_removed_total[] 16",
		"vigil_logs_dictionary_added_total[] 17",
		"vigil_logs_dictionary_removed_total[] 18",
		"vigil_logs_pattern_lines_total[] 19",
		"vigil_logs_plain_lines_total[] 20",
		"vigil_logs_invalid_utf8_lines_total[] 13",
		"vigil_logs_checked_batches_total[] 21",
		"vigil_logs_check_failures_total[] 22",
		"vigil_logs_tokenizer_busy_seconds_total[] 1",
		"vigil_logs_encoder_busy_seconds_total[] 2",
		"vigil_logs_compressor_busy_seconds_total[] 3",
		"vigil_logs_snapshots_total[] 33",
		"vigil_logs_snapshot_bytes_total[] 34",
		"vigil_logs_state_resets_total[] 35",
		"vigil_logs_spool_pending_lines[] 36",
		"vigil_logs_spool_pending_bytes[] 37",
		"vigil_logs_spool_disk_bytes[] 38",
		"vigil_logs_spool_appended_lines_total[] 40",
		"vigil_logs_spool_dropped_lines_total[] 41",
		"vigil_logs_spool_lost_lines_total[] 42",
		"vigil_logs_spool_syncs_total[] 43",
		"vigil_logs_spool_write_failures_total[] 44",
		"vigil_logs_secondary_acked_lines_total[] 45",
		"vigil_logs_secondary_dropped_lines_total[] 49",
		"vigil_logs_secondary_queued_bytes[] 48",
		"vigil_logs_secondary_stream_errors_total[] 46",
		"vigil_logs_secondary_wire_bytes_total[] 47",
		"vigil_logs_memory_limit_bytes[inflight] 50",
		"vigil_logs_memory_bytes[inflight] 7",
		"vigil_logs_file_lines[/a.log] 17",
		"vigil_logs_file_lines[/b.log] 0",
		"vigil_logs_file_lag_bytes[/a.log] 100",
		"vigil_logs_file_lag_bytes[/b.log] 0",
		"vigil_logs_output_lines_total[stderr] 0",
		"vigil_logs_output_lines_total[stdout] 3",
		"vigil_logs_output_dropped_lines_total[stderr] 0",
		"vigil_logs_output_dropped_lines_total[stdout] 1",
	}, comptest.Samples(table(func() (logs.Status, bool) { return sample(), true })))
}
