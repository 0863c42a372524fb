package lifecycle_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/forward"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// busy is what a loaded test machine may add to a real wait.
const busy = 2 * time.Second

var allHooks = lifecycle.HookSet{true, true, true, true, true, true}

// forwarding is a server in front of an application, with time enough for a
// busy test machine.
func forwarding(t *testing.T, app http.HandlerFunc, change ...func(*setup, *rig)) *rig {
	t.Helper()
	client := newApp(t, app)
	return listen(t, append([]func(*setup, *rig){func(s *setup, _ *rig) {
		s.deps.App = client
		s.cfg.Forward = allHooks
		s.cfg.Budget, s.cfg.ForwardTimeout = time.Minute, 20*time.Second
	}}, change...)...)
}

func TestForwardedHookIsMirrored(t *testing.T) {
	t.Parallel()
	r := forwarding(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/x")
		w.Header().Set("X-Other", "dropped")
		w.WriteHeader(207)
		_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, body)
	})
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		path := lifecycle.BasePath + h.String()
		status, answer, header := r.full(http.MethodPost, path, strings.NewReader("body"))
		require.Equal(t, 207, status, h)
		require.Equal(t, "POST "+path+" body", answer)
		require.Equal(t, "text/x", header.Get("Content-Type"))
		require.Empty(t, header.Get("X-Other"))
		require.NotEmpty(t, header.Get(lifecycle.SpendHeader))
	}
	require.Equal(t, []string{
		"event validate=1@1 ", "event run=1@1 ", "event suspend=1@1 ", "event terminate=1@1 ",
	}, r.of("event"), "a resume right after run is a duplicate")
}

func TestNoContentTypeIsInvented(t *testing.T) {
	t.Parallel()
	r := forwarding(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "<html>")
	})
	_, answer, header := r.full(http.MethodPost, lifecycle.BasePath+"run", nil)
	require.Equal(t, "<html>", answer)
	require.NotContains(t, header, "Content-Type")
	empty := forwarding(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	status, _, _ := empty.full(http.MethodPost, lifecycle.BasePath+"run", nil)
	require.Equal(t, http.StatusNoContent, status)
}

func TestCase20RefusedSuspendKeepsTheHeartbeat(t *testing.T) {
	t.Parallel()
	r := forwarding(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "suspend") {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "busy")
		}
	})
	r.ok("run vm-1")
	r.settled(1)
	status, answer := r.hook("suspend", "")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "busy", answer)
	require.Len(t, r.settled(2), 2)
	require.Equal(t, lifecycle.Running, r.srv.Phase())
	require.Equal(t, []string{"flush metrics"}, r.of("flush"), "the flush does not depend on the app")
	require.Equal(t, 1, r.logs.count("was not answered with 200"))
}

func TestCase29AbsentApplication(t *testing.T) {
	t.Parallel()
	r := listen(t, func(s *setup, _ *rig) {
		s.deps.App = forward.New(closedPort(t))
		s.cfg.Forward = allHooks
	})
	var statuses []int
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		status, answer := r.hook(h.String(), `{"microvmId":"vm-1"}`)
		require.Contains(t, answer, "does not accept connections")
		statuses = append(statuses, status)
	}
	require.Equal(t, []int{503, 503, 503, 503, 503, 503}, statuses)
	require.Equal(t, []string{"event validate=1@1 ", "event run=1@1 lambda_microvm_id:vm-1"}, r.of("event")[:2])
	require.Equal(t, []string{
		"event suspend=1@1 lambda_microvm_id:vm-1", "flush metrics",
		"event terminate=1@1 lambda_microvm_id:vm-1", "flush metrics",
	}, r.of("event", "flush")[2:])
}

func TestCase30HangingApplication(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r := forwarding(t, func(http.ResponseWriter, *http.Request) { <-release }, func(s *setup, _ *rig) {
		s.cfg.Budget = 1200 * time.Millisecond
		s.cfg.ForwardTimeout = 100 * time.Millisecond
		s.cfg.ReadyTimeout, s.cfg.ValidateTimeout = 400*time.Millisecond, 400*time.Millisecond
	})
	t.Cleanup(func() { close(release) })
	var statuses []int
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		begin := time.Now()
		status, _ := r.hook(h.String(), "")
		require.Less(t, time.Since(begin), 1200*time.Millisecond+busy, h)
		statuses = append(statuses, status)
	}
	require.Equal(t, []int{503, 503, 504, 504, 504, 504}, statuses)
	require.Len(t, r.of("flush"), 2)
}

func TestCase31FullBodyAlthoughTheFlushOutlastsTheForward(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("0123456789abcdef", 256<<10/16)
	r := forwarding(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }, func(s *setup, r *rig) {
		s.cfg.ForwardTimeout = 1500 * time.Millisecond
		s.deps.Flushers = []lifecycle.Flusher{&part{name: "slow", j: r.journal, do: func(context.Context) error {
			time.Sleep(2 * time.Second)
			return nil
		}}}
	})
	status, answer := r.hook("terminate", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, body, answer)
	require.Equal(t, []string{"flush slow"}, r.of("flush"))
}

func TestCase32EndlessBodyIsCutAndRedirectMirrored(t *testing.T) {
	t.Parallel()
	chunk := make([]byte, 64<<10)
	r := forwarding(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "resume") {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	status, answer := r.hook("run", "")
	require.Equal(t, http.StatusOK, status)
	require.Len(t, answer, forward.MaxBodyBytes)
	require.Equal(t, 1, r.logs.count("truncated=true"))
	status, _ = r.hook("resume", "")
	require.Equal(t, http.StatusFound, status)
}

func TestFlushComesAfterTheApplication(t *testing.T) {
	t.Parallel()
	var j *journal
	r := forwarding(t, func(_ http.ResponseWriter, r *http.Request) { j.add("app %s", r.URL.Path[len(lifecycle.BasePath):]) },
		func(s *setup, r *rig) {
			j = r.journal
			s.deps.Drainers = []lifecycle.Drainer{&part{name: "pending", j: j}}
		})
	r.ok("suspend", "terminate")
	require.Equal(t, []string{
		"app suspend", "drain pending", "flush metrics", "app terminate", "drain pending", "flush metrics",
	}, r.of("app", "drain", "flush"))
}

func TestCase36ForwardedOnlyWithPortAndToggle(t *testing.T) {
	t.Parallel()
	app := newApp(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for mask := range 1 << lifecycle.NumHooks {
		for _, port := range []bool{false, true} {
			var set lifecycle.HookSet
			want := [lifecycle.NumHooks]int{200, 200, 200, 200, 200, 200}
			for h := range set {
				set[h] = mask&(1<<h) != 0
				if set[h] && port {
					want[h] = http.StatusTeapot
				}
			}
			// Straight to the handler: the listener has no part in this.
			r := build(t, func(s *setup, _ *rig) {
				s.cfg.Forward = set
				s.deps.Alive = func() bool { return true }
				if port {
					s.deps.App = app
				}
			})
			var got [lifecycle.NumHooks]int
			for h := range lifecycle.Hook(lifecycle.NumHooks) {
				got[h], _ = r.hook(h.String(), "")
			}
			require.Equal(t, want, got, "toggles %06b, port %v", mask, port)
		}
	}
}
