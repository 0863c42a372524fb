package lifecycle_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// peaks samples the process until stop.
type peaks struct {
	goroutines int
	heap       uint64
}

func watch(stop <-chan struct{}) *peaks {
	p := &peaks{}
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.goroutines, p.heap = max(p.goroutines, runtime.NumGoroutine()), max(p.heap, m.HeapAlloc)
		select {
		case <-stop:
			return p
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// A thousand hooks of all kinds at once, some with the largest body there may be,
// while the metrics client and the flusher are stuck: none is lost, and neither
// goroutines nor memory grow with what a hook leaves behind. It does not run
// beside other tests, whose memory would count.
func TestCase39CrowdIsBounded(t *testing.T) { //nolint:paralleltest // see above
	const hooks = 1000
	hold := make(chan struct{})
	r := build(t, func(s *setup, r *rig) {
		s.cfg.Budget = lifecycleBudget
		s.deps.Alive = func() bool { return true }
		s.deps.Drainers = []lifecycle.Drainer{&part{name: "samples", j: r.journal, do: func(context.Context) error { <-hold; return nil }}}
		s.deps.Flushers = []lifecycle.Flusher{&part{name: "metrics", j: r.journal, do: func(context.Context) error { <-hold; return nil }}}
	})
	small := []byte(`{"microvmId":"vm-1"}`)
	large := append([]byte(`{"microvmId":"vm-1","runHookPayload":"`), bytes.Repeat([]byte("x"), lifecycle.MaxBodyBytes-64)...)
	large = append(large, `"}`...)
	r.ok("run vm-1")
	r.settled(1)
	r.m.setHold(hold)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	baseline := peaks{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}

	stop, seen := make(chan struct{}), make(chan *peaks, 1)
	go func() { seen <- watch(stop) }()
	var wg sync.WaitGroup
	var answered atomic.Int64
	for i := range hooks {
		wg.Go(func() {
			h := lifecycle.Hook(i % (lifecycle.NumHooks - 1)) // all but terminate
			body := small
			if i%11 == 0 {
				body = large
			}
			w := httptest.NewRecorder()
			r.srv.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, lifecycle.BasePath+h.String(), bytes.NewReader(body)))
			if w.Code == http.StatusOK {
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	close(stop)
	peak := <-seen
	require.EqualValues(t, hooks, answered.Load())
	// A hook in progress has its own goroutine, and one each that waits for the
	// turn of its event, drain and flush.
	require.LessOrEqual(t, peak.goroutines-baseline.goroutines, 4*hooks+50)
	require.Less(t, peak.heap-baseline.heap, uint64(64<<20), "the bodies of a megabyte were not in memory at once")

	// Stuck for good: one each of event, drain and flush, the sample, the watchdog.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= baseline.goroutines+8 }, 20*time.Second, 10*time.Millisecond)
	r.m.setHold(nil)
	close(hold)
	r.ok("suspend")
	require.Equal(t, lifecycle.Suspended, r.srv.Phase())
	r.ok("resume")
	require.Equal(t, lifecycle.Running, r.srv.Phase())
	r.ok("terminate")
	for _, line := range r.of("beat") {
		require.NotContains(t, line, "unknown")
	}
}

// lifecycleBudget is the shortest one there is: every stuck hook takes it whole.
const lifecycleBudget = 500 * time.Millisecond
