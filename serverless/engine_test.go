package serverless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/child"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

const arn = "arn:aws:lambda:eu-west-1:123456789012:microvm-image:shop:v2"

func imageEnv(key string) (string, bool) {
	v, ok := map[string]string{
		"AWS_LAMBDA_MICROVM_IMAGE_ARN": arn, "AWS_LAMBDA_MICROVM_IMAGE_VERSION": "3",
	}[key]
	return v, ok
}

// recorder is a metrics client, a flusher and an identity callback.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) add(format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
	return nil
}

func (r *recorder) Gauge(name string, value float64, tags []string, rate float64) error {
	return r.add("gauge %s %v@%v %s", name, value, rate, strings.Join(tags, " "))
}

func (r *recorder) Distribution(name string, value float64, tags []string, rate float64) error {
	return r.add("distribution %s %v@%v %s", name, value, rate, strings.Join(tags, " "))
}

func (r *recorder) Count(name string, value int64, tags []string, rate float64) error {
	return r.add("count %s %v@%v %s", name, value, rate, strings.Join(tags, " "))
}
func (r *recorder) Name() string                { return "metrics" }
func (r *recorder) Flush(context.Context) error { return r.add("flush") }
func (r *recorder) Drain(context.Context) error { return r.add("drain") }
func (r *recorder) identity(id string)          { _ = r.add("identity %s", id) }

// all is everything but what the usage collector sends every few seconds.
func (r *recorder) all() []string { return r.filter(false) }

// collected is what the usage collector sent.
func (r *recorder) collected() []string { return r.filter(true) }

func (r *recorder) filter(collector bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.lines), func(line string) bool {
		return strings.Contains(line, " "+collectorPrefix) != collector
	})
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func config(change ...func(*serverless.Config)) serverless.Config {
	cfg := serverless.DefaultConfig()
	cfg.Enabled, cfg.LifecycleAddress, cfg.IdentityAddress = true, "127.0.0.1:0", "127.0.0.1:0"
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

func started(t *testing.T, cfg serverless.Config, deps serverless.Deps) *serverless.Engine {
	t.Helper()
	e, err := serverless.New(cfg, deps)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, e.Stop(ctx))
	})
	return e
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func post(t *testing.T, addr, hook, body string) int {
	t.Helper()
	status, err := tryPost(t.Context(), addr, hook, body)
	require.NoError(t, err)
	return status
}

// tryPost is for goroutines, which must not end a test.
func tryPost(ctx context.Context, addr, hook, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+lifecycle.BasePath+hook, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func TestLifeOfAMachine(t *testing.T) {
	t.Parallel()
	rec, out := &recorder{}, &syncBuffer{}
	e := started(t, config(func(c *serverless.Config) { c.Command = []string{"sh", "-c", "echo up; exec sleep 600"} }), serverless.Deps{
		Metrics: rec, Getenv: imageEnv, OnIdentity: rec.identity, Stdout: out,
		Drainers: []lifecycle.Drainer{rec}, Flushers: []lifecycle.Flusher{rec},
	})
	addr := e.Addr().String()
	require.Equal(t, http.StatusOK, post(t, addr, "ready", ""))
	require.Equal(t, http.StatusOK, post(t, addr, "validate", ""))
	require.Equal(t, http.StatusOK, post(t, addr, "run", `{"microvmId":"vm-1","runHookPayload":"x"}`))
	require.Eventually(t, func() bool { return e.Status().Heartbeat.Sent == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, addr, "suspend", ""))
	require.Equal(t, http.StatusOK, post(t, addr, "resume", ""))
	require.Eventually(t, func() bool { return e.Status().Heartbeat.Sent == 2 }, 10*time.Second, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, addr, "terminate", ""))

	const cloud = "account_id:123456789012 image_name:shop:v2 origin:lambdamicrovm region:eu-west-1 " +
		"resource_type:lambdamicrovm resource_provider:aws resource_id:" + arn
	const events = "distribution aws.lambda.enhanced.microvm."
	beat := "gauge aws.lambda.enhanced.microvm.active_instances 1@1 " + cloud + " microvm_image_arn:" + arn + " microvm_id:vm-1 lambda_microvm_id:vm-1"
	want := []string{
		events + "validate 1@1 " + cloud,
		"identity vm-1",
		beat, events + "run 1@1 " + cloud + " lambda_microvm_id:vm-1",
		events + "suspend 1@1 " + cloud + " lambda_microvm_id:vm-1", "drain", "flush",
		beat, events + "resume 1@1 " + cloud + " lambda_microvm_id:vm-1",
		events + "terminate 1@1 " + cloud + " lambda_microvm_id:vm-1", "drain", "flush",
	}
	got := slices.DeleteFunc(rec.all(), func(line string) bool { return strings.Contains(line, lifecycle.PhaseMetric) })
	require.ElementsMatch(t, want, got)
	require.Equal(t, want[:2], got[:2])
	require.Equal(t, want[len(want)-3:], got[len(want)-3:], "the last words are terminate, drain, flush")
	require.Len(t, rec.all(), len(want)+3, "the phases that suspend, resume and terminate ended")

	status := e.Status()
	require.WithinDuration(t, time.Now(), status.Heartbeat.Last, time.Minute)
	status.Heartbeat.Last = time.Time{}
	status.Child.PID = 7
	require.NotZero(t, status.Usage.Ticks)
	require.Len(t, status.Identity.CloneGeneration, 36)
	require.Positive(t, status.Life.RunningSeconds)
	require.Positive(t, status.Life.SuspendedSeconds)
	status.Life.RunningSeconds, status.Life.SuspendedSeconds = 7, 7
	status.Usage = serverless.UsageStatus{Ticks: 1}
	status.Identity.CloneGeneration, status.Identity.Address = "GENERATION", "127.0.0.1:8127"
	text, err := json.MarshalIndent(status, "", "  ")
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(`{
  "address": "ADDR",
  "microvm_id": "vm-1",
  "image_arn": "`+arn+`",
  "image_version": "3",
  "state": "terminated",
  "life": {
    "suspends": 1,
    "running_seconds": 7,
    "suspended_seconds": 7,
    "last_exit": "terminate"
  },
  "heartbeat": {
    "sent": 2,
    "suppressed": 0,
    "failed": 0,
    "panics": 0,
    "freezes": 0,
    "resyncs": 0,
    "active_seconds": 0
  },
  "usage": {
    "ticks": 1,
    "cpu_errors": 0,
    "failed": 0,
    "freezes": 0,
    "cpu_nanocores": 0,
    "cpu_limit_nanocores": 0
  },
  "identity": {
    "address": "127.0.0.1:8127",
    "clone_generation": "GENERATION",
    "resume_count": 1
  },
  "oddities": {
    "executed_after_terminate": 0,
    "hooks_after_terminate": 0,
    "changed_ids": 0,
    "restores_without_run": 0,
    "validates_after_run": 0
  },
  "hooks": {
    "ready": 1,
    "resume": 1,
    "run": 1,
    "suspend": 1,
    "terminate": 1,
    "validate": 1
  },
  "child": {
    "pid": 7,
    "alive": true,
    "exit_code": -1
  }
}`, "ADDR", addr), string(text))
	require.Eventually(t, func() bool { return out.String() == "up\n" }, 10*time.Second, time.Millisecond)
}

// The metering gauge keeps off the output that adds customer tags; the wire
// compatible distribution is an enhanced metric and goes with the events.
func TestHeartbeatOutputs(t *testing.T) {
	t.Parallel()
	for kind, metering := range map[string]bool{serverless.HeartbeatGauge: true, serverless.HeartbeatDistribution: false} {
		enhanced, usage := &recorder{}, &recorder{}
		e := started(t, config(func(c *serverless.Config) { c.HeartbeatKind = kind }), serverless.Deps{Metrics: enhanced, Usage: usage, Getenv: imageEnv})
		require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "run", `{"microvmId":"vm-1"}`))
		require.Eventually(t, func() bool { return e.Status().Heartbeat.Sent == 1 }, 10*time.Second, time.Millisecond)
		if metering {
			require.Len(t, usage.all(), 1, kind)
			require.Len(t, enhanced.all(), 1, kind)
		} else {
			require.Empty(t, usage.all(), kind)
			require.Len(t, enhanced.all(), 2, kind)
		}
	}
}

func TestDistributionHeartbeat(t *testing.T) {
	t.Parallel()
	rec := &recorder{}
	e := started(t, config(func(c *serverless.Config) { c.HeartbeatKind = serverless.HeartbeatDistribution }), serverless.Deps{
		Metrics: rec, Getenv: func(string) (string, bool) { return "", false },
	})
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "run", `{"microvmId":"vm-1"}`))
	require.Eventually(t, func() bool { return e.Status().Heartbeat.Sent == 1 }, 10*time.Second, time.Millisecond)
	require.Contains(t, rec.all(), "distribution aws.lambda.enhanced.microvm.active_instances 1@1 "+
		"account_id:unknown image_name:unknown origin:lambdamicrovm region:unknown resource_type:lambdamicrovm "+
		"resource_provider:aws resource_id:unknown microvm_id:vm-1 lambda_microvm_id:vm-1")
}

func TestTheApplicationsEndIsTheEnginesExitCode(t *testing.T) {
	t.Parallel()
	e := started(t, config(func(c *serverless.Config) { c.Command = []string{"sh", "-c", "sleep 0.1; exit 9"} }), serverless.Deps{})
	require.Equal(t, child.NotEnded, e.ExitCode())
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "ready", ""))
	<-e.Done()
	require.Equal(t, 9, e.ExitCode())
	require.Equal(t, http.StatusServiceUnavailable, post(t, e.Addr().String(), "ready", ""))
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "terminate", ""), "hooks are still answered")
}

func TestWithoutACommand(t *testing.T) {
	t.Parallel()
	e := started(t, config(), serverless.Deps{})
	require.Nil(t, e.Done())
	require.Zero(t, e.ExitCode())
	require.Nil(t, e.Status().Child)
	require.Equal(t, http.StatusServiceUnavailable, post(t, e.Addr().String(), "ready", ""))
	require.NoError(t, e.Start(t.Context()), "a second start does nothing")
}

func TestForwardingFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(app.Close)
	e := started(t, config(func(c *serverless.Config) {
		c.UserAppPort = app.Listener.Addr().(*net.TCPAddr).Port
		c.Forward = serverless.ForwardHooks{Ready: true, Run: true, Terminate: true}
	}), serverless.Deps{})
	var got []int
	for _, hook := range []string{"ready", "validate", "run", "resume", "suspend", "terminate"} {
		got = append(got, post(t, e.Addr().String(), hook, ""))
	}
	require.Equal(t, []int{418, 200, 418, 200, 200, 418}, got)
}

func TestCase37TakenPort(t *testing.T) {
	t.Parallel()
	first := started(t, config(), serverless.Deps{})
	marker := filepath.Join(t.TempDir(), "spawned")
	second, err := serverless.New(config(func(c *serverless.Config) {
		c.LifecycleAddress = first.Addr().String()
		c.Command = []string{"touch", marker}
	}), serverless.Deps{})
	require.NoError(t, err)
	require.ErrorIs(t, second.Start(t.Context()), serverless.ErrPortTaken)
	require.NoError(t, second.Stop(t.Context()))
	_, err = os.Stat(marker)
	require.ErrorIs(t, err, os.ErrNotExist, "the application is not started before the address is bound")
}

func TestCase37UnusableSettingsStillGiveAServer(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	e := started(t, config(func(c *serverless.Config) {
		c.UserAppPort, c.ForwardTimeout, c.HeartbeatKind = 70000, -1, "count"
	}), serverless.Deps{Log: slog.New(slog.NewTextHandler(&out, nil))})
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "run", ""))
	require.Equal(t, 3, strings.Count(out.String(), "setting replaced by a usable one"))
}

func TestFailedSpawnStopsTheServer(t *testing.T) {
	t.Parallel()
	e, err := serverless.New(config(func(c *serverless.Config) { c.Command = []string{"vigil-no-such-program"} }), serverless.Deps{})
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context()), `child: start "vigil-no-such-program"`)
	_, err = net.Dial("tcp", e.Addr().String())
	require.Error(t, err)
	require.Equal(t, 127, e.ExitCode())
	<-e.Done()
	require.NoError(t, e.Stop(t.Context()))
}

func TestDisabledDoesNothing(t *testing.T) {
	t.Parallel()
	cfg := config(func(c *serverless.Config) { c.Enabled, c.Command = false, []string{"false"} })
	e, err := serverless.New(cfg, serverless.Deps{})
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context()))
	require.Nil(t, e.Addr())
	require.Equal(t, serverless.Status{
		State: "waiting", ImageVersion: "unknown", Life: serverless.LifeStatus{LastExit: "none"},
		Hooks: map[string]uint64{"ready": 0, "validate": 0, "run": 0, "resume": 0, "suspend": 0, "terminate": 0},
		Child: &serverless.ChildStatus{ExitCode: -1},
	}, e.Status())
	require.NoError(t, e.Stop(t.Context()))
	require.NoError(t, e.Stop(t.Context()))
}

func TestNewRefusesWhatItCannotCall(t *testing.T) {
	t.Parallel()
	_, err := serverless.New(config(), serverless.Deps{
		Flushers: []lifecycle.Flusher{&recorder{}, nil}, Drainers: []lifecycle.Drainer{nil},
	})
	require.EqualError(t, err, "serverless: flusher 1 is nil\nserverless: drainer 0 is nil")
	_, err = serverless.New(config(func(c *serverless.Config) { c.Command = []string{" "} }), serverless.Deps{})
	require.ErrorIs(t, err, child.ErrNoCommand)
}

func TestStatusIsFreeOfRaces(t *testing.T) {
	t.Parallel()
	e := started(t, config(), serverless.Deps{Metrics: &recorder{}})
	var wg sync.WaitGroup
	for _, hook := range []string{"run", "suspend", "resume"} {
		wg.Go(func() {
			for i := range 20 {
				_, _ = tryPost(t.Context(), e.Addr().String(), hook, fmt.Sprintf(`{"microvmId":"vm-%d"}`, i))
			}
		})
	}
	wg.Go(func() {
		for range 1000 {
			_ = e.Status()
		}
	})
	wg.Wait()
	hooks := e.Status().Hooks
	require.Equal(t, map[string]uint64{"ready": 0, "validate": 0, "run": 20, "resume": 20, "suspend": 20, "terminate": 0}, hooks)
}

func BenchmarkStatus(b *testing.B) {
	e, err := serverless.New(config(), serverless.Deps{})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_ = e.Status()
	}
}
