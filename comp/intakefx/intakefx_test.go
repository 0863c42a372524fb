package intakefx

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/comptest"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/logs/intake"
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
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"200 lines in 3 batches, 1234 bytes of data, 1 streams open",
		"5 sessions known: 6 batches came again and were not stored twice, 7 streams ended by a newer one",
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
		"vigil_intake_streams_refused_total[InvalidArgument] 2",
		"vigil_intake_streams_refused_total[Unauthenticated] 1",
	}, comptest.Samples(table(func() (intake.Stats, bool) { return stats(), true })))
}
