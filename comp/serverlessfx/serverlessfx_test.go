package serverlessfx

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/comptest"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOff(t *testing.T) {
	t.Parallel()
	c, err := New(Deps{Config: serverless.DefaultConfig(), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	require.Nil(t, c.Child())
	require.Equal(t, health.Report{Name: "serverless", State: health.Off}, c.Health())
	require.Equal(t, status.Off("serverless"), c.Status())
	require.Empty(t, comptest.Samples(c.Telemetry()))
	require.NoError(t, c.Stop(t.Context()))
}

func TestFix(t *testing.T) {
	t.Parallel()
	require.Equal(t, "set serverless.lifecycle_address to a free port, and the same port in the image's hooks manifest",
		fix(fmt.Errorf("bind: %w", lifecycle.ErrPortTaken)))
	require.Empty(t, fix(errors.New("something else")))
}

func sample() serverless.Status {
	return serverless.Status{
		Address: "127.0.0.1:9000", MicroVMID: "mvm-1", State: "running",
		Heartbeat: serverless.HeartbeatStatus{
			Sent: 5, Suppressed: 1, Failed: 2, Panics: 1, Last: time.Now().Add(-42 * time.Second), ActiveSeconds: 3661, Freezes: 9, Resyncs: 8,
		},
		Life:     serverless.LifeStatus{Suspends: 2, RunningSeconds: 3661.4, SuspendedSeconds: 7200.6, LastExit: "suspend"},
		Usage:    serverless.UsageStatus{Ticks: 7, CPUErrors: 6, Failed: 4, Freezes: 3, CPUNanocores: 0.25e9, CPULimitNanocores: 2e9},
		Identity: serverless.IdentityStatus{Address: "127.0.0.1:8127", CloneGeneration: "g", ResumeCount: 2},
		Oddities: serverless.OddityStatus{ExecutedAfterTerminate: 1, RestoresWithoutRun: 2},
		Hooks:    map[string]uint64{"run": 1, "ready": 2, "suspend": 0},
		Child:    &serverless.ChildStatus{PID: 12, ExitCode: 3},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, []string{
			"running, instance mvm-1, hooks on 127.0.0.1:9000",
			"heartbeat: 5 sent, 1 held back without an id, 3 failed, last 42s ago",
			"active: 1h1m1s reported",
			"CPU: 0.25 of 2.00 cores",
			"identity: http://127.0.0.1:8127/vigil/v1/identity, resumed 2 times",
			"suspended: 2 times, 2h0m1s in all, after 1h1m1s of running",
			"odd: the machine executed on after terminate, 1 times",
			"odd: the machine was restored without a run, 2 times",
			"hooks seen: ready 2, run 1",
			"application: pid 12, ended with 3",
		}, text(sample()))
		require.Equal(t, []string{
			"waiting, no instance id yet, hooks on 127.0.0.1:9000",
			"heartbeat: 0 sent, 0 held back without an id",
			"application: pid 12, running",
		}, text(serverless.Status{Address: "127.0.0.1:9000", State: "waiting", Child: &serverless.ChildStatus{PID: 12, Alive: true}}))
	})
}

func TestTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"vigil_serverless_heartbeats_sent_total[] 5",
		"vigil_serverless_heartbeats_suppressed_total[] 1",
		"vigil_serverless_heartbeats_failed_total[] 2",
		"vigil_serverless_heartbeat_panics_total[] 1",
		"vigil_serverless_active_seconds_total[] 3661",
		"vigil_serverless_freezes_total[] 3",
		"vigil_serverless_heartbeat_resyncs_total[] 8",
		"vigil_serverless_usage_samples_total[] 7",
		"vigil_serverless_usage_cpu_errors_total[] 6",
		"vigil_serverless_usage_failed_total[] 4",
		"vigil_serverless_suspends_total[] 2",
		"vigil_serverless_suspended_seconds_total[] 7200",
		"vigil_serverless_resumes_total[] 2",
		"vigil_serverless_oddities_total[changed_id] 0",
		"vigil_serverless_oddities_total[executed_after_terminate] 1",
		"vigil_serverless_oddities_total[hook_after_terminate] 0",
		"vigil_serverless_oddities_total[restore_without_run] 2",
		"vigil_serverless_oddities_total[validate_after_run] 0",
		"vigil_serverless_hooks_total[ready] 2",
		"vigil_serverless_hooks_total[run] 1",
		"vigil_serverless_hooks_total[suspend] 0",
		"vigil_serverless_state[running] 1",
	}, comptest.Samples(table(func() (serverless.Status, bool) { return sample(), true })))
}
