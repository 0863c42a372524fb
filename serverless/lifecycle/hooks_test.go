package lifecycle_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func TestCase10RunBringsTheID(t *testing.T) {
	t.Parallel()
	r := listen(t, func(s *setup, _ *rig) { s.cfg.EventTags = []string{"region:r"} })
	r.ok("run vm-1")
	require.Equal(t, []string{beatOf("vm-1")}, r.settled(1))
	require.Equal(t, []string{"identity vm-1", "event run=1@1 region:r,lambda_microvm_id:vm-1"}, r.of("identity", "event", "flush"))
	require.Equal(t, lifecycle.Running, r.srv.Phase())
	require.Equal(t, "vm-1", r.srv.ID())
	require.Equal(t, uint64(1), r.srv.Seen(lifecycle.Run))
}

func TestCase11RunWithoutUsableIDIsSilent(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "null", "[]", `{"microvmId":5}`, `{"microvmId":`, `{"microvmId":"unknown"}`} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := build(t)
				status, answer := r.hook("run", body)
				require.Equal(t, http.StatusOK, status)
				require.Empty(t, answer)
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Equal(t, []string{"event run=1@1 "}, r.all())
				require.Equal(t, lifecycle.Running, r.srv.Phase())
				require.Equal(t, 1, r.logs.count("armed but silent"))
			})
		})
	}
}

func TestCase12IDOnTheSecondRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("run")
		time.Sleep(time.Minute)
		r.ok("run vm-1")
		synctest.Wait()
		require.Equal(t, []string{beatOf("vm-1")}, r.of("beat"))
		require.Equal(t, []string{"event run=1@1 ", "event run=1@1 lambda_microvm_id:vm-1"}, r.of("event"))
	})
}

func TestCase13BothSpellings(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"current": `{"microvmId":"vm-1"}`, "beta": `{"microVmId":"vm-1"}`, "both": `{"microVmId":"vm-2","microvmId":"vm-1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := build(t)
				status, _ := r.hook("run", body)
				require.Equal(t, http.StatusOK, status)
				synctest.Wait()
				require.Equal(t, []string{beatOf("vm-1")}, r.of("beat"))
			})
		})
	}
}

func TestCase15UnsafeIDIsAlteredAndReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		status, _ := r.hook("run", `{"microvmId":"a,b|c:d"}`)
		require.Equal(t, http.StatusOK, status)
		synctest.Wait()
		require.Equal(t, []string{"identity a_b_c_d"}, r.of("identity"))
		require.Equal(t, []string{beatOf("a_b_c_d")}, r.of("beat"))
		require.Equal(t, 1, r.logs.count("was altered"))
	})
}

func TestCase16SecondRunWithANewID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := make([]string, 1, 4)
		base[0] = "region:r"
		r := build(t, func(s *setup, _ *rig) { s.cfg.EventTags = base })
		for _, hook := range []string{"run vm-1", "run vm-1", "run vm-2", "terminate"} {
			r.ok(hook)
			synctest.Wait()
		}
		require.Equal(t, []string{beatOf("vm-1"), beatOf("vm-2")}, r.of("beat"))
		require.Equal(t, []string{"identity vm-1", "identity vm-2"}, r.of("identity"))
		require.Equal(t, []string{
			"event run=1@1 region:r,lambda_microvm_id:vm-1",
			"event run=1@1 region:r,lambda_microvm_id:vm-2",
			"event terminate=1@1 region:r,lambda_microvm_id:vm-2",
		}, r.of("event"))
		require.Equal(t, []string{"", ""}, base[1:3], "the base tags were not written to")
		require.Equal(t, 1, r.logs.count("brought a new instance id"))
	})
}

func TestCase17ResumeBeforeRunIsSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("resume", "resume")
		time.Sleep(time.Hour)
		r.ok("resume")
		synctest.Wait()
		require.Empty(t, r.of("beat", "identity"))
		require.Equal(t, 1, r.logs.count("resume before run"))
		r.ok("run vm-1")
		synctest.Wait()
		require.Equal(t, []string{beatOf("vm-1")}, r.of("beat"), "armed: the id is all that was missing")
	})
}

func TestCase18ResumeWhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("run vm-1", "resume")
		time.Sleep(lifecycle.StaleAfter)
		r.ok("resume")
		synctest.Wait()
		require.Len(t, r.of("beat"), 1, "the last one is not stale yet")
		time.Sleep(time.Nanosecond)
		r.ok("resume")
		synctest.Wait()
		require.Len(t, r.of("beat"), 2)
		time.Sleep(5*time.Minute - 1)
		synctest.Wait()
		require.Len(t, r.of("beat"), 2, "no second loop kept its own cadence")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, r.of("beat"), 3)
		require.Equal(t, []string{"event run=1@1 lambda_microvm_id:vm-1", "event resume=1@1 lambda_microvm_id:vm-1"}, r.of("event"))
	})
}

func TestCase19LastSampleIsInTheFlush(t *testing.T) {
	t.Parallel()
	for _, hook := range []string{"suspend", "terminate"} {
		t.Run(hook, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := build(t)
				r.ok("run vm-1")
				synctest.Wait()
				r.m.setHold(make(chan struct{}))
				time.Sleep(5 * time.Minute)
				synctest.Wait() // a sample is now inside the client
				go func() {
					time.Sleep(100 * time.Millisecond)
					close(r.m.hold)
				}()
				r.ok(hook)
				require.Equal(t, []string{
					beatOf("vm-1"), "event " + hook + "=1@1 lambda_microvm_id:vm-1",
					"phase phase_duration=300@1 lambda_microvm_id:vm-1,phase:running,exit:" + hook, "flush metrics",
				}, r.all()[3:])
				time.Sleep(20 * time.Second)
				synctest.Wait()
				require.Len(t, r.of("beat"), 2, "stopped")
			})
		})
	}
}

func TestCase21WatchdogAfterASuspendWithoutEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("run vm-1", "suspend")
		time.Sleep(lifecycle.WatchdogAfter - 1)
		synctest.Wait()
		require.Len(t, r.of("beat"), 1)
		require.Equal(t, lifecycle.Suspended, r.srv.Phase())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, r.of("beat"), 2)
		require.Equal(t, lifecycle.Running, r.srv.Phase())
		require.Equal(t, 1, r.logs.count("no resume followed the suspend"))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Len(t, r.of("beat"), 3, "the cadence is back")
	})
}

func TestResumeDisarmsTheWatchdog(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"resume", "terminate"} {
		t.Run(next, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := build(t)
				r.ok("run vm-1", "suspend")
				time.Sleep(20 * time.Second)
				r.ok(next)
				time.Sleep(20 * time.Second)
				synctest.Wait()
				require.Zero(t, r.logs.count("no resume followed"))
			})
		})
	}
}

func TestCase22FiftyCycles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("run vm-1")
		for range 50 {
			time.Sleep(2 * time.Minute)
			r.ok("suspend")
			time.Sleep(10 * time.Second)
			r.ok("resume")
		}
		synctest.Wait()
		require.Len(t, r.of("beat"), 51)
		require.Len(t, r.of("event"), 101)
		require.Len(t, r.of("flush"), 50)
		time.Sleep(5*time.Minute - 1)
		synctest.Wait()
		require.Len(t, r.of("beat"), 51)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, r.of("beat"), 52, "the cadence counts from the last resume")
	})
}

func TestCase26TerminateIsTheLastWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("run vm-1", "terminate", "terminate", "resume", "run vm-2", "suspend")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []string{beatOf("vm-1")}, r.of("beat"))
		require.Equal(t, []string{"identity vm-1"}, r.of("identity"))
		require.Equal(t, []string{
			"event run=1@1 lambda_microvm_id:vm-1",
			"event terminate=1@1 lambda_microvm_id:vm-1",
			"flush metrics", "flush metrics", "flush metrics",
		}, r.of("event", "flush"))
		require.Equal(t, lifecycle.Terminated, r.srv.Phase())
		require.Equal(t, 1, r.logs.count("resume after terminate is ignored"))
		require.Equal(t, 1, r.logs.count("run after terminate is ignored"))
	})
}

func TestCase33ReadyFollowsTheApplication(t *testing.T) {
	t.Parallel()
	alive := false
	r := listen(t, func(s *setup, _ *rig) { s.deps.Alive = func() bool { return alive } })
	var got []int
	for _, alive = range []bool{false, true, false, true} { // not started, alive, exited, restarted
		status, _ := r.hook("ready", "")
		got = append(got, status)
	}
	none := listen(t)
	status, text := none.hook("ready", "")
	require.Equal(t, "the application is not running\n", text)
	require.Equal(t, []int{503, 200, 503, 200, 503}, append(got, status))
	require.Empty(t, r.all(), "ready emits and flushes nothing")
	require.Equal(t, lifecycle.Waiting, r.srv.Phase())
}

func TestCase34ValidateIsNoInstance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		r.ok("validate")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []string{"event validate=1@1 "}, r.all())

		test := build(t)
		test.ok("run vm-1", "validate")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, test.of("beat"), 1, "a test machine that received run costs one sample at most")
	})
}

func TestCase41NoMetricsClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t, func(s *setup, r *rig) {
			r.beat = newSilentBeat()
			s.deps = lifecycle.Deps{Beat: r.beat, Alive: func() bool { return true }}
		})
		r.ok("ready", "validate", "run vm-1", "suspend", "resume", "terminate")
		require.Empty(t, r.all())
	})
}

func TestAliasesReachTheSameHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := build(t)
		status, _, _ := r.full(http.MethodPost, "/aws/lambda-microvms/runtime/beta/v1/launch?x=1", strings.NewReader(`{"microVmId":"vm-1"}`))
		require.Equal(t, http.StatusOK, status)
		status, _, _ = r.full(http.MethodPost, "/aws/lambda-microvms/runtime/beta/v1/terminate", nil)
		require.Equal(t, http.StatusOK, status)
		synctest.Wait()
		require.Equal(t, []string{"event run=1@1 lambda_microvm_id:vm-1", "event terminate=1@1 lambda_microvm_id:vm-1"}, r.of("event"))
	})
}
