package debuggerfx

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/comptest"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/debugger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func TestOff(t *testing.T) {
	t.Parallel()
	c, err := New(Deps{Config: debugger.DefaultConfig(), Log: quiet})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, health.Report{Name: "debugger", State: health.Off}, c.Health())
	require.Equal(t, status.Off("debugger"), c.Status())
	require.Empty(t, comptest.Samples(c.Telemetry()))
	require.NoError(t, c.Stop(t.Context()))
}

// Before the start the definitions are known and nothing is placed.
func TestBeforeTheStart(t *testing.T) {
	t.Parallel()
	config := debugger.DefaultConfig()
	config.Enabled = true
	c, err := New(Deps{Config: config, Log: quiet, Hostname: "host", Version: "1"})
	require.NoError(t, err)
	require.Equal(t, health.Report{Name: "debugger", State: health.Starting}, c.Health())
	require.Empty(t, c.Status().Text)
}

func TestFix(t *testing.T) {
	t.Parallel()
	require.Equal(t, "run the agent as root on a kernel with BPF (`sudo vigil doctor` looks closer), or set debugger.enabled: false",
		fix(fmt.Errorf("%w: not permitted", debugger.ErrNotSupported)))
	require.Empty(t, fix(errors.New("something else")))
}

func sample() debugger.Status {
	return debugger.Status{
		Kernel: "uprobe_multi, sleepable",
		Probes: []debugger.ProbeStatus{
			{
				ID: "checkout", Function: "main.checkout", State: debugger.StateEmitting,
				TypesPending: 1,
				Counters: debugger.Counters{
					Hits: 10, Snapshots: 4, Throttled: 5, Dropped: 1, Incomplete: 2, Faults: 11, BusyNS: 1500e6,
					Calls:   debugger.Calls{Returns: 21, Unmatched: 12, Paired: 13, Unwound: 14, Evicted: 15, Overdue: 16, Ended: 17, Alone: 18},
					Replans: 19, TypesRefused: 20,
				},
				Targets: []debugger.TargetStatus{{
					PID: 7, Exe: "/app", State: debugger.StateEmitting, Notes: []string{"no DWARF"},
					Sites: []debugger.SiteStatus{
						{Kind: "entry", PC: "0x10", Anchor: "push", CostNS: 673, CostMeasured: true},
						{Kind: "return", PC: "0x20", Anchor: "stepped", CostNS: 16000},
					},
				}},
			},
			{
				ID: "gone", Function: "main.gone", State: debugger.StateError, Message: "no function main.gone", Next: "correct the definition",
				Targets: []debugger.TargetStatus{{PID: 7, Exe: "/app", State: debugger.StateError, Message: "no function"}},
			},
		},
		Output: debugger.OutputStatus{Bytes: 900, Lost: 3, Error: "disk full"},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"attached by uprobe_multi, sleepable",
		"probe checkout (main.checkout): EMITTING; 10 hits, 4 snapshots, 5 over the rate, 1 dropped",
		"  21 returns: 13 with their call, 18 alone, 12 of calls not captured; calls without a return: 14 unwound, 15 evicted, 16 overdue, 17 ended",
		"  placed again 19 times with types that snapshots met; types pending: 1",
		"  pid 7 /app: EMITTING, entry at 0x10 (push, 673ns a hit, measured), return at 0x20 (stepped, 16µs a hit, nominal)",
		"    note: no DWARF",
		"probe gone (main.gone): ERROR; 0 hits, 0 snapshots, 0 over the rate, 0 dropped",
		"  no function main.gone",
		"  next: correct the definition",
		"  pid 7 /app: ERROR",
		"    no function",
		"the output fails: disk full",
	}, text(sample()))
}

func TestProblem(t *testing.T) {
	t.Parallel()
	s := sample()
	reason, next := problem(s)
	require.Equal(t, []string{"probe gone: no function main.gone", "correct the definition"}, []string{reason, next})
	s.Probes = s.Probes[:1]
	reason, next = problem(s)
	require.Equal(t, []string{"snapshots cannot be written: disk full", "make room for debugger.output, or correct it"}, []string{reason, next})
	s.Output.Error = ""
	s.Probes[0].State = debugger.StateReceived
	reason, next = problem(s)
	require.Equal(t, []string{"", ""}, []string{reason, next})
}

func TestTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"vigil_debugger_hits_total[checkout] 10",
		"vigil_debugger_hits_total[gone] 0",
		"vigil_debugger_snapshots_total[checkout] 4",
		"vigil_debugger_snapshots_total[gone] 0",
		"vigil_debugger_throttled_total[checkout] 5",
		"vigil_debugger_throttled_total[gone] 0",
		"vigil_debugger_dropped_total[checkout] 1",
		"vigil_debugger_dropped_total[gone] 0",
		"vigil_debugger_incomplete_total[checkout] 2",
		"vigil_debugger_incomplete_total[gone] 0",
		"vigil_debugger_faults_total[checkout] 11",
		"vigil_debugger_faults_total[gone] 0",
		"vigil_debugger_busy_seconds_total[checkout] 1.5",
		"vigil_debugger_busy_seconds_total[gone] 0",
		"vigil_debugger_returns_total[checkout] 21",
		"vigil_debugger_returns_total[gone] 0",
		"vigil_debugger_returns_unmatched_total[checkout] 12",
		"vigil_debugger_returns_unmatched_total[gone] 0",
		"vigil_debugger_returns_alone_total[checkout] 18",
		"vigil_debugger_returns_alone_total[gone] 0",
		"vigil_debugger_calls_paired_total[checkout] 13",
		"vigil_debugger_calls_paired_total[gone] 0",
		"vigil_debugger_calls_unwound_total[checkout] 14",
		"vigil_debugger_calls_unwound_total[gone] 0",
		"vigil_debugger_calls_evicted_total[checkout] 15",
		"vigil_debugger_calls_evicted_total[gone] 0",
		"vigil_debugger_calls_overdue_total[checkout] 16",
		"vigil_debugger_calls_overdue_total[gone] 0",
		"vigil_debugger_calls_ended_total[checkout] 17",
		"vigil_debugger_calls_ended_total[gone] 0",
		"vigil_debugger_replans_total[checkout] 19",
		"vigil_debugger_replans_total[gone] 0",
		"vigil_debugger_types_refused_total[checkout] 20",
		"vigil_debugger_types_refused_total[gone] 0",
		"vigil_debugger_output_bytes_total[] 900",
		"vigil_debugger_output_lost_total[] 3",
	}, comptest.Samples(table(func() (debugger.Status, bool) { return sample(), true })))
}
