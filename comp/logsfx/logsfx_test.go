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
			Endpoint: "intake:1", State: "backoff", LastError: "refused", NextStep: "connects again in 2s",
			AckedLines: 1, AckedBatches: 2, ReplayedBatches: 3, DroppedLines: 4, StreamsOpened: 5, StreamErrors: 6,
			InflightBytes: 7, InflightBatches: 8, InflightLines: 9, OldestInflight: 90 * time.Second,
			RawBytes: 1000, EncodedBytes: 500, CompressedBytes: 125, WireBytes: 150,
			Patterns: 10, DictEntries: 11, StateBytes: 12, InvalidUTF8Lines: 13,
		},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"to intake:1: backoff, 1 lines acknowledged, 9 in flight",
		"last failure: refused",
		"next: connects again in 2s",
		"1000 bytes of messages became 125 in payloads (12.5 %), 150 on the wire; 10 patterns and 11 dictionary entries learnt",
		"the oldest line in flight waits for 1m30s",
		"4 lines could not be sent at all",
		"file /a.log: 12 lines read, 300 of 400 bytes durable, truncated 1 times, 2 lines cut because they were too long",
		"file /a.log: 5 lines read, 50 of 50 bytes durable",
		"file /b.log: permission denied",
		"stdout of the application: 3 lines, 1 dropped because they came faster than they could be sent",
		"stderr of the application: 0 lines",
	}, text(sample()))
	require.Equal(t, []string{"to intake:1: new, 0 lines acknowledged, 0 in flight"},
		text(logs.Status{Stream: logs.StreamStatus{Endpoint: "intake:1", State: "new"}}))
}

func TestProblem(t *testing.T) {
	t.Parallel()
	s := sample()
	s.Registry = registry.Status{Error: "disk full"}
	reason, fix := problem(s)
	require.Equal(t, "the endpoint does not take the logs: refused", reason)
	require.Equal(t, "nothing is lost, the lines stay in their files; `vigil doctor` looks at the endpoint", fix)
	s.Stream.State = "active"
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
		"vigil_logs_replayed_batches_total[] 3",
		"vigil_logs_dropped_lines_total[] 4",
		"vigil_logs_invalid_utf8_lines_total[] 13",
		"vigil_logs_streams_opened_total[] 5",
		"vigil_logs_stream_errors_total[] 6",
		"vigil_logs_raw_bytes_total[] 1000",
		"vigil_logs_encoded_bytes_total[] 500",
		"vigil_logs_compressed_bytes_total[] 125",
		"vigil_logs_wire_bytes_total[] 150",
		"vigil_logs_inflight_bytes[] 7",
		"vigil_logs_inflight_oldest_seconds[] 90",
		"vigil_logs_patterns[] 10",
		"vigil_logs_dictionary_entries[] 11",
		"vigil_logs_state_bytes[] 12",
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
