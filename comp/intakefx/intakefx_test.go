package intakefx

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/comptest"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func TestOff(t *testing.T) {
	t.Parallel()
	c, err := New(intake.Config{}, quiet)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, health.Report{Name: "intake", State: health.Off}, c.Health())
	require.Equal(t, status.Off("intake"), c.Status())
	require.Empty(t, comptest.Samples(c.Telemetry()))
	require.NoError(t, c.Stop(t.Context()))
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, busy.Close()) }()
	c, err := New(intake.Config{Enabled: true, Listen: busy.Addr().String(), Journal: filepath.Join(t.TempDir(), "journal")}, quiet)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	report := c.Health()
	require.Equal(t, health.Degraded, report.State)
	require.Equal(t, "set intake.listen to a free port, and logs.endpoint.address with it", report.Fix)
	require.NoError(t, c.Stop(t.Context()))
	require.Empty(t, fix(fmt.Errorf("something else")))
}

func stats() intake.Stats {
	return intake.Stats{
		Streams: 4, OpenStreams: 1, Batches: 3, Lines: 200, DataBytes: 1234, StateBytes: 99, Sessions: 5, Repeated: 6, Fenced: 7, Snapshots: 8,
		Rejected: map[string]uint64{"Unauthenticated": 1, "InvalidArgument": 2},
		Journal:  journal.Stats{Bytes: 5000, Commits: 2, Failures: 9, Failing: "no space left on device"},
	}
}

// TestFullDisk: the health report says so, and what to do.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	c, err := New(intake.Config{Enabled: true, Listen: "127.0.0.1:0", Journal: "/dev/full"}, quiet)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, health.Report{Name: "intake", State: health.OK}, c.Health())
	w, err := stream.New(stream.Config{Endpoints: []stream.Endpoint{{Address: c.server.Addr().String()}}}, stream.Deps{})
	require.NoError(t, err)
	require.NoError(t, w.Start(t.Context()))
	require.NoError(t, w.Append(t.Context(), []record.Record{{Message: []byte("x")}}))
	require.Eventually(t, func() bool { return c.Health().State == health.Degraded }, 5*time.Second, 5*time.Millisecond)
	require.Equal(t, "write journal: write /dev/full: no space left on device", c.Health().Reason)
	require.Contains(t, c.Health().Fix, "make room on the disk")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, w.Stop(ended))
	require.NoError(t, c.Stop(t.Context()))
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"200 lines in 3 batches, 1234 bytes of data, 1 streams open",
		"5 sessions known: 6 batches came again and were not stored twice, 7 streams ended by a newer one",
		"the journal takes nothing, 9 tries failed; senders keep what they have: no space left on device",
		"streams refused: 1 with Unauthenticated, 2 with InvalidArgument",
	}, text(stats()))
	require.Equal(t, []string{"0 lines in 0 batches, 0 bytes of data, 0 streams open"}, text(intake.Stats{}))
}

func TestTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"vigil_intake_lines_total[] 200",
		"vigil_intake_batches_total[] 3",
		"vigil_intake_data_bytes_total[] 1234",
		"vigil_intake_streams_total[] 4",
		"vigil_intake_open_streams[] 1",
		"vigil_intake_state_bytes[] 99",
		"vigil_intake_sessions[] 5",
		"vigil_intake_repeated_batches_total[] 6",
		"vigil_intake_fenced_streams_total[] 7",
		"vigil_intake_snapshots_total[] 8",
		"vigil_intake_journal_bytes_total[] 5000",
		"vigil_intake_journal_commits_total[] 2",
		"vigil_intake_journal_failures_total[] 9",
		"vigil_intake_streams_refused_total[InvalidArgument] 2",
		"vigil_intake_streams_refused_total[Unauthenticated] 1",
	}, comptest.Samples(table(func() (intake.Stats, bool) { return stats(), true })))
}
