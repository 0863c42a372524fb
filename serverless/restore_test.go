package serverless_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/identity"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// cpu is a machine that works at half a core and may use two.
type cpu struct {
	begin time.Time
	err   error
}

func (c cpu) Used() (time.Duration, error) { return time.Since(c.begin) / 2, c.err }
func (c cpu) Limit() (float64, error)      { return 2e9, c.err }

func TestUsageMetricsAndTheirOutputs(t *testing.T) {
	t.Parallel()
	enhanced, metering := &recorder{}, &recorder{}
	e, err := serverless.New(config(), serverless.Deps{
		Metrics: enhanced, Usage: metering, Getenv: imageEnv, CPU: cpu{begin: time.Now()},
	})
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context()))
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "run", `{"microvmId":"vm-1"}`))
	require.Eventually(t, func() bool { return len(enhanced.collected()) >= 3 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, e.Stop(context.Background()))
	const cloud = "account_id:123456789012 image_name:shop:v2 origin:lambdamicrovm region:eu-west-1 " +
		"resource_type:lambdamicrovm resource_provider:aws resource_id:" + arn
	const instance = "gauge aws.lambda.microvm.enhanced.instance 1@1 " + cloud
	gauges := metering.collected()
	require.GreaterOrEqual(t, len(gauges), 4, "start, two ticks, stop")
	require.Equal(t, instance, gauges[0], "no instance tag before run")
	for _, line := range gauges[1:] {
		require.Equal(t, instance+" instance:vm-1", line)
	}
	limit := "distribution aws.lambda.microvm.enhanced.cpu.limit 2e+09@1 " + cloud
	require.Equal(t, limit, enhanced.collected()[0])
	require.Regexp(t, `^distribution aws.lambda.microvm.enhanced.cpu.usage (4\.9|5)[\d.]*e\+08@1 `+cloud+`$`, enhanced.collected()[1])
	require.Equal(t, limit, enhanced.collected()[2])
	status := e.Status().Usage
	require.InDelta(t, 0.5e9, status.CPUNanocores, 0.1e9)
	require.InDelta(t, 2e9, status.CPULimitNanocores, 0)
	seconds := metering.all()[len(metering.all())-1]
	require.Regexp(t, `^count aws.lambda.enhanced.microvm.active_seconds [5-9]@1 .* microvm_id:vm-1 lambda_microvm_id:vm-1$`, seconds,
		"the running time goes out with the stop")
}

func TestUnreadableCPUDoesNotHideTheInstance(t *testing.T) {
	t.Parallel()
	rec := &recorder{}
	e := started(t, config(), serverless.Deps{Metrics: rec, CPU: cpu{err: errors.New("no procfs")}})
	require.Eventually(t, func() bool { return e.Status().Usage.CPUErrors >= 2 }, 30*time.Second, 10*time.Millisecond)
	require.GreaterOrEqual(t, len(rec.collected()), 2)
	for _, line := range rec.collected() {
		require.Contains(t, line, "enhanced.instance")
	}
}

func served(t *testing.T, e *serverless.Engine) identity.Identity {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.Status().Identity.Address+identity.Path, nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var who identity.Identity
	require.NoError(t, json.Unmarshal(text, &who))
	return who
}

func TestIdentityIsServedAndStored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "identity.json")
	e := started(t, config(func(c *serverless.Config) { c.IdentityFile = path }), serverless.Deps{Getenv: imageEnv})
	addr := e.Addr().String()
	stored := func() (who identity.Identity) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &who))
		return who
	}
	require.Equal(t, identity.Identity{ImageARN: arn, ImageVersion: "3"}, served(t, e))
	_, err := os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist, "nothing of it gets into the snapshot")

	require.Equal(t, http.StatusOK, post(t, addr, "run", `{"microvmId":"vm-1"}`))
	first := served(t, e)
	require.Equal(t, "vm-1", first.MicroVMID)
	require.Equal(t, first, stored(), "it is there when run is answered")
	for _, hook := range []string{"run", "suspend", "resume", "suspend", "resume"} {
		require.Equal(t, http.StatusOK, post(t, addr, hook, `{"microvmId":"vm-1"}`))
	}
	want := first
	want.ResumeCount = 2
	require.Equal(t, want, served(t, e))
	require.Equal(t, want, stored())
	require.Equal(t, http.StatusOK, post(t, addr, "run", `{"microvmId":"vm-2"}`))
	require.NotEqual(t, first.CloneGeneration, served(t, e).CloneGeneration)
	require.Equal(t, uint64(1), e.Status().Oddities.ChangedIDs)
}

func TestIdentityCanBeOff(t *testing.T) {
	t.Parallel()
	e := started(t, config(func(c *serverless.Config) { c.IdentityAddress = "" }), serverless.Deps{})
	require.Empty(t, e.Status().Identity.Address)
	var out syncBuffer
	taken := started(t, config(func(c *serverless.Config) { c.IdentityAddress = e.Addr().String() }), serverless.Deps{
		Log: slog.New(slog.NewTextHandler(&out, nil)),
	})
	require.Equal(t, http.StatusOK, post(t, taken.Addr().String(), "run", ""), "a taken identity port costs the identity alone")
	require.Empty(t, taken.Status().Identity.Address)
	require.Contains(t, out.String(), "the identity of the machine is not served")
	unwritable := started(t, config(func(c *serverless.Config) { c.IdentityFile = "/nowhere/at/all" }), serverless.Deps{
		Log: slog.New(slog.NewTextHandler(&out, nil)),
	})
	require.Equal(t, http.StatusOK, post(t, unwritable.Addr().String(), "run", ""))
	require.Contains(t, out.String(), "the identity file is out of date")
}

func TestCase46RunSignalReachesTheApplication(t *testing.T) {
	t.Parallel()
	out := &syncBuffer{}
	const app = "trap 'echo reseed' USR2; echo up; while :; do sleep 0.01; done"
	e := started(t, config(func(c *serverless.Config) {
		c.SendRunSignal, c.Command = true, []string{"sh", "-c", app}
	}), serverless.Deps{Stdout: out})
	require.Eventually(t, func() bool { return out.String() == "up\n" }, 10*time.Second, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "run", `{"microvmId":"vm-1"}`))
	require.Eventually(t, func() bool { return out.String() == "up\nreseed\n" }, 10*time.Second, time.Millisecond)

	var log syncBuffer
	deps := serverless.Deps{Log: slog.New(slog.NewTextHandler(&log, nil))}
	none := started(t, config(func(c *serverless.Config) { c.SendRunSignal = true }), deps)
	require.Equal(t, http.StatusOK, post(t, none.Addr().String(), "run", ""))
	require.NotContains(t, log.String(), "run signal", "no child, nothing to say")
	dead := started(t, config(func(c *serverless.Config) { c.SendRunSignal, c.Command = true, []string{"true"} }), deps)
	<-dead.Done()
	require.Equal(t, http.StatusOK, post(t, dead.Addr().String(), "run", ""))
	require.Contains(t, log.String(), "the run signal did not reach the application")
}

// tidy is a part of the agent that clears its buffer before a snapshot.
type tidy struct{ rec *recorder }

func (h tidy) BeforeSnapshot(context.Context) { _ = h.rec.add("clear") }
func (h tidy) AfterRestore()                  { _ = h.rec.add("reconnect") }

func TestCase42NothingIsBufferedAfterTheClearing(t *testing.T) {
	t.Parallel()
	rec := &recorder{}
	e := started(t, config(func(c *serverless.Config) { c.Command = []string{"sleep", "600"} }), serverless.Deps{
		Metrics: rec, Hygiene: []lifecycle.Hygiene{tidy{rec}}, CPU: cpu{begin: time.Now()},
	})
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "ready", ""))
	lines := rec.filter(true)
	time.Sleep(4 * time.Second) // a tick of the collector
	require.Equal(t, lines, rec.collected(), "the collector is silent until the restore")
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "run", `{"microvmId":"vm-1"}`))
	require.Eventually(t, func() bool { return len(rec.collected()) > len(lines) }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{"clear", "reconnect"}, rec.all()[:2])
}

func TestIdentityAddressFallsBackAlone(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"outside": "0.0.0.0:1", "nonsense": "x", "the port of the hooks": "127.0.0.1:9000", "the port of the application": "127.0.0.1:8080",
	} {
		var out syncBuffer
		_, err := serverless.New(config(func(c *serverless.Config) {
			c.LifecycleAddress, c.UserAppPort, c.IdentityAddress = ":9000", 8080, address
		}), serverless.Deps{Log: slog.New(slog.NewTextHandler(&out, nil))})
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(out.String(), "the identity is not served"), name)
	}
	cfg := config(func(c *serverless.Config) { c.IdentityAddress = ":1" })
	require.EqualError(t, cfg.Validate(), `identity_address: ":1": not an address of loopback alone; use 127.0.0.1:1`)
}
