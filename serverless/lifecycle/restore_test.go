package lifecycle_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// buffer is a part of the agent that a snapshot copies: what it holds back is
// sent by every clone, unless hygiene has seen to it.
type buffer struct {
	j     *journal
	held  []string
	conn  string // a connection; "dead" after a restore
	stuck chan struct{}
}

func (b *buffer) BeforeSnapshot(ctx context.Context) {
	if b.stuck != nil {
		select {
		case <-b.stuck:
		case <-ctx.Done():
		}
	}
	b.j.add("hygiene sends %s", strings.Join(b.held, "+"))
	b.held, b.conn = nil, "none"
}

func (b *buffer) AfterRestore() {
	if b.stuck != nil {
		<-b.stuck
	}
	if b.conn == "dead" {
		b.j.add("hygiene reconnects")
		b.conn = "fresh"
	}
}

func (b *buffer) Name() string { return "buffer" }

func (b *buffer) Flush(context.Context) error {
	if b.conn == "dead" {
		return errors.New("connection is dead")
	}
	b.j.add("sent %s", strings.Join(b.held, "+"))
	b.held = nil
	return nil
}

func withBuffer(b *buffer) func(*setup, *rig) {
	return func(s *setup, r *rig) {
		b.j = r.journal
		s.deps.Hygiene = []lifecycle.Hygiene{b}
		s.deps.Flushers = []lifecycle.Flusher{b}
		s.deps.Alive = func() bool { return true }
	}
}

func TestCase42ClonesHaveNothingToSendAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		image := &buffer{held: []string{"built"}}
		r := build(t, withBuffer(image))
		_, _, header := r.full(http.MethodPost, lifecycle.BasePath+"ready", nil)
		require.Contains(t, header.Get(lifecycle.SpendHeader), "app;dur=0.000, event;dur=0.000, hygiene;dur=0.000, total")
		require.Equal(t, []string{"hygiene sends built"}, r.all())
		for range 2 { // two machines, restored from the memory of the first
			clone := *image
			c := build(t, withBuffer(&clone))
			c.ok("run vm-1", "suspend")
			require.Equal(t, []string{"sent "}, c.of("sent"))
		}
	})
}

func TestCase43FirstFlushAfterARestoreFindsALiveConnection(t *testing.T) {
	t.Parallel()
	for _, hook := range []string{"run vm-1", "resume"} {
		t.Run(hook, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &buffer{held: []string{"kept"}, conn: "dead"}
				r := build(t, withBuffer(b))
				r.ok(hook, "suspend")
				require.Equal(t, []string{"hygiene reconnects", "sent kept"}, r.of("hygiene", "sent"))
			})
		})
	}
}

func TestHygieneWaitsForAReadyThatIsAnswered200(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &buffer{held: []string{"built"}}
		r := build(t, withBuffer(b), func(s *setup, _ *rig) { s.deps.Alive = nil })
		status, _ := r.hook("ready", "")
		require.Equal(t, http.StatusServiceUnavailable, status)
		r.ok("validate")
		require.Empty(t, r.of("hygiene"))
	})
}

func TestStuckHygieneHoldsNoHookBeyondItsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &buffer{stuck: make(chan struct{})}
		r := build(t, withBuffer(b))
		begin := time.Now()
		r.ok("ready")
		require.Equal(t, 4300*time.Millisecond, time.Since(begin))
		begin = time.Now()
		r.ok("run vm-1")
		require.Equal(t, 450*time.Millisecond, time.Since(begin))
		require.Equal(t, 1, r.logs.count("has not prepared for its new life"))
		synctest.Wait()
		require.Equal(t, []string{beatOf("vm-1")}, r.of("beat"))
		close(b.stuck)
	})
}

func TestRestoresAreToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t, func(s *setup, r *rig) {
			s.deps.OnRestore = func(e lifecycle.Restore) { r.add("restore %s %s", e.Hook, e.ID) }
		})
		r.ok("run vm-1", "run vm-1", "suspend", "resume", "resume", "terminate", "resume", "run vm-2")
		require.Equal(t, []string{"restore run vm-1", "identity vm-1", "restore resume vm-1"}, r.of("restore", "identity"))
	})
}

func TestCase46RunSignalOnlyWhenRunIsNotForwarded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var failure error
		r := build(t, func(s *setup, r *rig) {
			s.deps.SignalRun = func() error { r.add("signal"); return failure }
		})
		r.ok("validate", "run vm-1")
		require.Equal(t, []string{"signal", "identity vm-1"}, r.of("signal", "identity"), "the first act of run")
		failure = errors.New("the application is not running")
		r.ok("run vm-1")
		require.Equal(t, 1, r.logs.count(`msg="the run signal did not reach the application" component=lifecycle err="the application is not running"`))
		r.ok("terminate", "run vm-1")
		require.Len(t, r.of("signal"), 2, "not after terminate")
	})
	app := newApp(t, func(http.ResponseWriter, *http.Request) {})
	r := listen(t, func(s *setup, r *rig) {
		s.deps.App, s.cfg.Forward = app, lifecycle.HookSet{lifecycle.Run: true}
		s.deps.SignalRun = func() error { r.add("signal"); return nil }
	})
	r.ok("run vm-1")
	require.Empty(t, r.of("signal"))
}

func TestTamperingIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		counts := func() []uint64 {
			synctest.Wait()
			var out []uint64
			for _, o := range []lifecycle.Oddity{lifecycle.OddOutlived, lifecycle.OddHookAfterEnd, lifecycle.OddNewID, lifecycle.OddNoRun, lifecycle.OddValidateAfterRun} {
				out = append(out, r.srv.Odd(o))
			}
			return out
		}
		r.ok("validate", "run vm-1", "run vm-1", "run vm-2", "validate", "validate", "run vm-2", "terminate")
		require.Equal(t, []uint64{0, 0, 1, 0, 1}, counts())
		r.ok("resume", "run vm-1", "suspend")
		time.Sleep(lifecycle.WatchdogAfter - 1)
		require.Equal(t, []uint64{0, 3, 1, 0, 1}, counts())
		time.Sleep(time.Nanosecond)
		require.Equal(t, []uint64{1, 3, 1, 0, 1}, counts())
		require.Equal(t, 1, r.logs.count("executes although terminate was answered"))
		synctest.Wait()
		const odd = "odd oddity=1@1 lambda_microvm_id:vm-2,kind:"
		require.Equal(t, []string{
			odd + "changed_id", odd + "validate_after_run", odd + "hook_after_terminate", odd + "hook_after_terminate", odd + "hook_after_terminate", odd + "executed_after_terminate",
		}, r.of("odd"))
	})
}

func TestRestoreWithoutRunIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.srv.FreezeNoticed()
		time.Sleep(lifecycle.WatchdogAfter - 1)
		r.ok("run vm-1")
		time.Sleep(time.Minute)
		r.srv.FreezeNoticed()
		time.Sleep(time.Minute)
		require.Zero(t, r.srv.Odd(lifecycle.OddNoRun))

		lost := build(t)
		lost.srv.FreezeNoticed()
		time.Sleep(lifecycle.WatchdogAfter)
		synctest.Wait()
		require.Equal(t, uint64(1), lost.srv.Odd(lifecycle.OddNoRun))
		require.Equal(t, 1, lost.logs.count("enable run in the image's hooks manifest"))
	})
}

// Whatever hook follows ready shows that the snapshot is behind: an image may
// have its run hook off, and the machine that tests it gets validate.
func TestAnyHookAfterReadyEndsTheWaitForTheSnapshot(t *testing.T) {
	t.Parallel()
	for _, hook := range []string{"validate", "run vm-1", "resume", "suspend", "terminate"} {
		t.Run(hook, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &buffer{held: []string{"built"}}
				r := build(t, withBuffer(b))
				r.ok("ready", "ready")
				b.conn = "dead"
				r.ok(hook)
				require.Equal(t, []string{"hygiene sends built", "hygiene sends ", "hygiene reconnects"}, r.of("hygiene"))
				b.conn = "dead"
				r.ok("terminate")
				require.Len(t, r.of("hygiene"), 3, "once")
			})
		})
	}
}

func TestPhasesAreMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var frozen atomic.Int64
		r := build(t, func(s *setup, _ *rig) {
			s.deps.Clock = func() clock.Reading {
				now := clock.Now()
				now.Wall = now.Wall.Add(time.Duration(frozen.Load()))
				return now
			}
		})
		time.Sleep(time.Minute)
		r.ok("run vm-1")
		time.Sleep(100 * time.Second)
		r.ok("suspend", "suspend")
		frozen.Add(int64(time.Hour))
		time.Sleep(time.Second)
		r.ok("resume")
		time.Sleep(50 * time.Second)
		r.ok("terminate")
		const about = "@1 lambda_microvm_id:vm-1,"
		require.Equal(t, []string{
			"phase phase_duration=100" + about + "phase:running,exit:suspend",
			"phase phase_duration=3600" + about + "phase:suspended,exit:resume",
			"phase phase_duration=50" + about + "phase:running,exit:terminate",
		}, r.of("phase"))
		h := r.srv.History()
		require.Equal(t, []any{uint64(1), 150 * time.Second, time.Hour, lifecycle.ExitTerminate}, []any{h.Suspends, h.Running, h.Suspended, h.LastExit})
	})
}

// A monotonic clock that goes on in a freeze makes the watchdog fire right after
// the restore, before the resume had a chance to come.
func TestCase21WatchdogCountsExecutionAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var frozen atomic.Int64
		r := build(t, func(s *setup, _ *rig) {
			s.deps.Clock = func() clock.Reading {
				now := clock.Now()
				now.Mono += time.Duration(frozen.Load())
				return now
			}
		})
		r.ok("run vm-1", "suspend")
		frozen.Add(int64(time.Hour))
		time.Sleep(lifecycle.WatchdogAfter + time.Second) // it has fired, an hour late
		synctest.Wait()
		require.Equal(t, lifecycle.Suspended, r.srv.Phase())
		require.Zero(t, r.logs.count("no resume followed"))
		time.Sleep(lifecycle.WatchdogAfter)
		synctest.Wait()
		require.Equal(t, lifecycle.Running, r.srv.Phase(), "the resume hook is off")
		require.Equal(t, 1, r.logs.count("no resume followed"))
	})
}
