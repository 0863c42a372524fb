package simulate

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// testConfig starts this test binary as an image of that behaviour.
func testConfig(t *testing.T, behaviour string) Config {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.Command = []string{self}
	cfg.Env = []string{entrypointEnv + "=" + behaviour}
	cfg.Port = 0
	cfg.AllowLoopback = true
	cfg.SampleWindow = 800 * time.Millisecond
	cfg.StopTimeout = 5 * time.Second
	cfg.Timeouts[lifecycle.Ready] = 20 * time.Second
	cfg.Stderr = os.Stderr
	return cfg
}

func mustParse(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Parse("test", []byte(text))
	require.NoError(t, err)
	return s
}

func simulated(t *testing.T, cfg Config, scenarios ...*Scenario) *Report {
	t.Helper()
	s, err := New(cfg, Progress{})
	require.NoError(t, err)
	report, err := s.Run(t.Context(), scenarios)
	require.NoError(t, err)
	return report
}

func quick() (scenarios []*Scenario) {
	for _, s := range BuiltIn() {
		if !s.Slow {
			scenarios = append(scenarios, s)
		}
	}
	return scenarios
}

func ids(r *Report, s State) (found []string) {
	for _, v := range r.Verdicts {
		if v.State == s {
			found = append(found, v.Rule)
		}
	}
	return found
}

// An image that does everything right keeps every rule that needs no waiting
// for half a minute.
func TestGoodImage(t *testing.T) {
	t.Parallel()
	report := simulated(t, testConfig(t, "good"), quick()...)
	require.Empty(t, ids(report, Violated), report.Text())
	require.Equal(t, []string{"reachable", "expectations", "suspend-refused", "watchdog", "one-loop"}, ids(report, NotJudged))
	require.True(t, report.OK())
	require.True(t, report.Heartbeats)
	require.Len(t, report.Played, len(quick()))
}

// An image without an agent is judged by the platform's contract alone.
func TestImageWithoutAgent(t *testing.T) {
	t.Parallel()
	report := simulated(t, testConfig(t, "no-agent"), quick()...)
	require.Empty(t, ids(report, Violated), report.Text())
	require.False(t, report.Heartbeats)
	require.Equal(t, []string{
		"reachable", "expectations", "run-without-id", "suspend-refused", "watchdog", "missing-suspend",
		"silent-build", "first-heartbeat", "resumed-heartbeat", "silent-suspended", "silent-terminated", "own-id", "one-loop", "flushed", "oversize-run",
	}, ids(report, NotJudged))
	require.Contains(t, report.Text(), "No heartbeat was seen")
}

// Each image breaks exactly the rules that its behaviour is about.
func TestBadImages(t *testing.T) {
	t.Parallel()
	for behaviour, c := range map[string]struct {
		scenario string
		change   func(*Config)
		want     []string
	}{
		"hangs-on-suspend": {
			"ready\nrun id=a\nawait\nsuspend\nwait 1s\nresume", func(c *Config) { c.Timeouts[lifecycle.Suspend] = 200 * time.Millisecond },
			[]string{"suspend", "suspend-refused"},
		},
		"fails-terminate": {"ready\nrun id=a\nawait\nterminate", nil, []string{"terminate"}},
		"beats-on": {
			"ready\nrun id=a\nsuspend\nwait 700ms", func(c *Config) { c.SampleWindow = 10 * time.Second }, []string{"silent-suspended"},
		},
		"any-method":            {"ready\ncall GET terminate\ncall GET run/", nil, []string{"post-only"}},
		"any-path":              {"ready\ncall GET terminate\ncall GET run/", nil, []string{"other-paths"}},
		"ignores-sigterm":       {"ready\nstop", func(c *Config) { c.StopTimeout = 200 * time.Millisecond }, []string{"sigterm"}},
		"leaves-child":          {"ready\nstop", nil, []string{"sigterm"}},
		"never-ready":           {"ready\nrun id=a", func(c *Config) { c.Timeouts[lifecycle.Ready] = 500 * time.Millisecond }, []string{"ready"}},
		"dies-at-run":           {"ready\nrun id=a\nsuspend", nil, []string{"run", "survives"}},
		"validate-504":          {"ready\nvalidate", nil, []string{"validate"}},
		"refuses-second-resume": {"ready\nrun id=a\nresume", nil, []string{"resume-while-running"}},
		"sends-unknown":         {"ready\nrun\nsettle", nil, []string{"run-without-id", "own-id"}},
		"keeps-first-id":        {"ready\nrun id=a\nrun id=b\nsettle", nil, []string{"second-id"}},
		"counts-twice":          {"ready\nrun id=a\nrun id=a\nsuspend\nsuspend\nsettle", nil, []string{"duplicate-run", "duplicate-suspend"}},
		"no-latch":              {"ready\nrun id=a\nterminate\nwait 400ms\nresume\nsettle", nil, []string{"resume-after-terminate", "silent-terminated"}},
		"silent-resume":         {"ready\nrun id=a\nawait\nsuspend\nresume\nsettle", nil, []string{"resumed-heartbeat"}},
		"counts-builds":         {"ready\nvalidate\nsettle", nil, []string{"silent-build", "own-id"}},
		"two-loops":             {"ready\nrun id=a\nwait 2s", func(c *Config) { c.SampleWindow = 300 * time.Millisecond }, []string{"one-loop"}},
		"flushes-late":          {"ready\nrun id=a\nawait\nsuspend\nwait 1s", nil, []string{"flushed"}},
		"any-size":              {"ready\nrun id=mvm-oversize size=1048577\nsettle", nil, []string{"own-id", "oversize-run"}},
		"good":                  {"ready\nexpect status=204\nrun id=a\nexpect status=200 within=1ns", nil, []string{"expectations"}},
	} {
		t.Run(behaviour, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t, behaviour)
			if c.change != nil {
				c.change(&cfg)
			}
			report := simulated(t, cfg, mustParse(t, c.scenario))
			require.Equal(t, c.want, ids(report, Violated), report.Text())
			require.False(t, report.OK())
		})
	}
}

// When the first machine never becomes ready the rest would only repeat it.
func TestNeverReadyEndsTheRun(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t, "never-ready")
	cfg.Timeouts[lifecycle.Ready] = 300 * time.Millisecond
	first, second := mustParse(t, "ready\nwait 1m"), mustParse(t, "ready")
	second.Name = "second"
	report := simulated(t, cfg, first, second)
	require.Equal(t, []string{"second"}, report.Unplayed)
	require.Equal(t, "the image never became ready", report.Played[0].Cut)
	require.Contains(t, report.Text(), "! not played: second\n")
}

// A machine that was put away is followed by a fresh one, and by nothing else.
func TestMachinesInTurn(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"ready\nrun id=a\nkill\nclone\nrun id=b\nawait", "ready\nstop\nclone\nrun id=b\nawait"} {
		report := simulated(t, testConfig(t, "good"), mustParse(t, scenario))
		require.Empty(t, report.Played[0].Cut)
		require.Empty(t, ids(report, Violated), report.Text())
	}
	byHand := &Scenario{Name: "hand", Steps: []Step{{Verb: DoKill}, {Text: "await", Verb: DoAwait, At: Position{2, 1}}}}
	report := simulated(t, testConfig(t, "good"), byHand)
	require.Equal(t, "line 2: await: the machine is gone; only clone starts another", report.Played[0].Cut)
}

// A frozen machine does nothing at all, its children that left the session
// included.
func TestFreezeHoldsTheWholeTree(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ticks")
	cfg := testConfig(t, "good")
	cfg.Command = []string{"sh", "-c", `setsid sh -c 'while :; do echo x >> "$TICKS"; sleep 0.02; done' & exec "$SELF"`}
	self, err := os.Executable()
	require.NoError(t, err)
	cfg.Env = append(cfg.Env, "TICKS="+file, "SELF="+self)
	size := func() int64 {
		info, err := os.Stat(file)
		require.NoError(t, err)
		return info.Size()
	}
	var before, after atomic.Int64
	s, err := New(cfg, Progress{OnStep: func(_ *Scenario, step *Step) {
		switch step.At.Line {
		case 3: // about to freeze: look in the middle of it
			time.AfterFunc(200*time.Millisecond, func() { before.Store(size()) })
			time.AfterFunc(700*time.Millisecond, func() { after.Store(size()) })
		}
	}})
	require.NoError(t, err)
	_, err = s.Run(t.Context(), []*Scenario{mustParse(t, "ready\nwait 200ms\nfreeze 1s\nwait 300ms")})
	require.NoError(t, err)
	require.Positive(t, before.Load())
	require.Equal(t, before.Load(), after.Load())
	end := size()
	require.Greater(t, end, after.Load(), "it went on after the freeze")
	time.Sleep(100 * time.Millisecond)
	require.Equal(t, end, size(), "nothing is left behind")
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t, "good")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, err := New(cfg, Progress{OnStep: func(_ *Scenario, step *Step) {
		if step.Verb == DoFreeze {
			time.AfterFunc(100*time.Millisecond, cancel)
		}
	}})
	require.NoError(t, err)
	begin := time.Now()
	_, err = s.Run(ctx, []*Scenario{mustParse(t, "ready\nfreeze 5m")})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(begin), time.Minute)
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t, "good")
	cfg.Command = []string{"/no/such/entrypoint"}
	s, err := New(cfg, Progress{})
	require.NoError(t, err)
	_, err = s.Run(t.Context(), []*Scenario{mustParse(t, "ready")})
	require.ErrorIs(t, err, ErrStart)
	require.ErrorContains(t, err, "check the command")

	_, err = New(Config{Port: -1}, Progress{})
	require.ErrorContains(t, err, "no entrypoint is named\nport -1 is not between 0 and 65535\nthe timeout of ready must be positive")
}

// The image learns what the platform tells it.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	cfg := testConfig(t, "good")
	cfg.ImageARN = "arn:x"
	cfg.Port = 0
	cfg.Command = []string{"sh", "-c", `echo "$AWS_LAMBDA_MICROVM_IMAGE_ARN $AWS_LAMBDA_MICROVM_IMAGE_VERSION $EXTRA $([ "$EXTRA" = "$DD_AWS_MICROVM_LIFECYCLE_PORT" ] && echo same)"; sleep 60`}
	cfg.Stdout = &out
	cfg.Timeouts[lifecycle.Ready] = 300 * time.Millisecond
	report := simulated(t, cfg, mustParse(t, "env EXTRA={port}\nready"))
	require.Equal(t, []string{"ready"}, ids(report, Violated))
	require.Regexp(t, `^arn:x 1 \d+ same\n$`, out.String())
}
