package lifecycle_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func newSilentBeat() *heartbeat.Beat { return heartbeat.New(heartbeat.Config{}, heartbeat.Deps{}) }

// stuckUntil blocks whatever the context says.
func stuckUntil(release <-chan struct{}) func(context.Context) error {
	return func(context.Context) error { <-release; return nil }
}

func TestCase27StuckFlusherDoesNotHoldTheAnswer(t *testing.T) {
	t.Parallel()
	names := []string{"metrics", "traces", "logs"}
	for _, stuck := range names {
		t.Run(stuck, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				r := build(t, func(s *setup, r *rig) {
					s.deps.Flushers = nil
					for _, name := range names {
						p := &part{name: name, j: r.journal}
						if name == stuck {
							p.do = stuckUntil(release)
						}
						s.deps.Flushers = append(s.deps.Flushers, p)
					}
				})
				r.ok("run vm-1")
				for range 5 { // retried: nothing piles up behind the stuck one
					begin := time.Now()
					r.ok("terminate")
					require.Equal(t, 4300*time.Millisecond, time.Since(begin), "the budget without the reserve for the answer")
				}
				synctest.Wait()
				require.Len(t, r.of("flush"), 10, "the other two completed each time")
				require.NotContains(t, r.all(), "flush "+stuck)
				require.Equal(t, 5, r.logs.count("stage=flush of="+stuck))
				close(release)
				synctest.Wait()
				require.Len(t, r.of("flush"), 11, "one was left behind, and it has ended")
			})
		})
	}
}

func TestCase28StuckDrainerLeavesTheFlushItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var left time.Duration
		r := build(t, func(s *setup, r *rig) {
			s.deps.Drainers = []lifecycle.Drainer{
				&part{name: "stuck", j: r.journal, do: stuckUntil(release)},
				&part{name: "good", j: r.journal},
			}
			s.deps.Flushers = []lifecycle.Flusher{&part{name: "metrics", j: r.journal, do: func(ctx context.Context) error {
				deadline, _ := ctx.Deadline()
				left = time.Until(deadline)
				return nil
			}}}
		})
		r.ok("suspend")
		require.Equal(t, []string{"event suspend=1@1 ", "drain good", "flush metrics"}, r.all())
		require.Equal(t, 3400*time.Millisecond, left, "4.5 s - 0.2 s for the answer - 20 % drain")
		require.Equal(t, 1, r.logs.count("stage=drain of=stuck"))
		close(release)
	})
}

func TestFailingAndPanickingFlushersAreReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t, func(s *setup, r *rig) {
			s.deps.Flushers = []lifecycle.Flusher{
				&part{name: "bad", j: r.journal, do: func(context.Context) error { return errors.New("intake gone") }},
				&part{name: "worse", j: r.journal, do: func(context.Context) error { panic("boom") }},
				&part{name: "good", j: r.journal},
			}
		})
		r.ok("terminate")
		require.Equal(t, []string{"flush good"}, r.of("flush"))
		require.Contains(t, r.logs.String(), `stage=flush of=bad err="intake gone"`)
		require.Contains(t, r.logs.String(), `stage=flush of=worse err="panicked: boom"`)
	})
}

func TestStuckMetricsClientDoesNotHoldAnyHook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.m.setHold(make(chan struct{}))
		for _, hook := range []string{"validate", "run vm-1", "suspend", "resume", "terminate"} {
			begin := time.Now()
			r.ok(hook)
			require.LessOrEqual(t, time.Since(begin), 900*time.Millisecond, "%s: a tenth for the heartbeat, a tenth for the event", hook)
		}
		require.Equal(t, 1, r.logs.count("stuck in the metrics client"))
		close(r.m.hold)
	})
}

func TestStuckIdentityCallbackDoesNotHoldRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := build(t, func(s *setup, _ *rig) { s.deps.OnIdentity = func(string) { <-release } })
		begin := time.Now()
		r.ok("run vm-1")
		require.Equal(t, 450*time.Millisecond, time.Since(begin))
		synctest.Wait()
		require.Equal(t, []string{beatOf("vm-1")}, r.of("beat"))
		require.Equal(t, 1, r.logs.count("did not reach every part"))
		close(release)
	})
}

func TestIdentityIsAnnouncedBeforeTheFirstSample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("run vm-1")
		synctest.Wait()
		require.Equal(t, []string{"identity vm-1", beatOf("vm-1")}, r.of("identity", "beat"))
	})
}

func TestCase38PlatformHangsUpDuringSuspend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, hangUp := context.WithCancel(t.Context())
		r := build(t, func(s *setup, r *rig) {
			s.deps.Flushers = []lifecycle.Flusher{&part{name: "metrics", j: r.journal, do: func(ctx context.Context) error {
				hangUp()
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(2 * time.Second):
					return nil
				}
			}}}
		})
		r.ok("run vm-1")
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, lifecycle.BasePath+"suspend", strings.NewReader(""))
		r.srv.ServeHTTP(httptest.NewRecorder(), req)
		require.Equal(t, []string{"flush metrics"}, r.of("flush"), "the flush was not cut short")
		time.Sleep(lifecycle.WatchdogAfter)
		synctest.Wait()
		require.Len(t, r.of("beat"), 2, "nobody was told of the suspend: the watchdog was armed")
	})
}

func TestNoWatchdogOutlivesStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t, func(s *setup, r *rig) {
			s.deps.Flushers = []lifecycle.Flusher{&part{name: "stopping", j: r.journal, do: func(context.Context) error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				return r.srv.Stop(ctx) // the agent is told to end in the middle of a suspend
			}}}
		})
		r.ok("run vm-1", "suspend")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, lifecycle.Suspended, r.srv.Phase())
		require.Zero(t, r.logs.count("no resume followed"))
	})
}

func TestSpendIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t, func(s *setup, r *rig) {
			s.deps.Drainers = []lifecycle.Drainer{&part{name: "d", j: r.journal, do: func(context.Context) error { time.Sleep(300 * time.Millisecond); return nil }}}
			s.deps.Flushers = []lifecycle.Flusher{&part{name: "m", j: r.journal, do: func(context.Context) error { time.Sleep(time.Second); return nil }}}
		})
		_, _, header := r.full(http.MethodPost, lifecycle.BasePath+"terminate", nil)
		const spend = "body;dur=0.000, state;dur=0.000, stop;dur=0.000, app;dur=0.000, event;dur=0.000, " +
			"drain;dur=300.000, flush;dur=1000.000, total;dur=1300.000, budget;dur=4500.000"
		require.Equal(t, http.Header{lifecycle.SpendHeader: {spend}, "Content-Length": {"0"}, "Content-Type": nil}, header)
		require.Equal(t, 1, r.logs.count(
			`msg="hook answered" component=lifecycle hook=terminate status=200 forwarded=false phase=terminated microvm_id="" spend="`+spend+`"`))
	})
}
