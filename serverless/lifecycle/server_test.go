package lifecycle_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/forward"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func TestCase14IncompleteOrOversizedBodyChangesNothing(t *testing.T) {
	t.Parallel()
	called := make(chan string, 10)
	app := newApp(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		called <- r.URL.Path
	})
	r := listen(t, func(s *setup, _ *rig) {
		s.deps.App = app
		s.cfg.Forward = lifecycle.HookSet{true, true, true, true, true, true}
	})
	oversized := `{"microvmId":"vm-1","runHookPayload":"` + strings.Repeat("x", lifecycle.MaxBodyBytes) + `"}`
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		path := lifecycle.BasePath + h.String()
		status, _, _ := r.full(http.MethodPost, path, strings.NewReader(oversized))
		require.Equal(t, http.StatusInternalServerError, status, h)
		status, _, _ = r.full(http.MethodPost, path, io.MultiReader(strings.NewReader(oversized))) // chunked
		require.Equal(t, http.StatusInternalServerError, status, h)

		conn, err := net.Dial("tcp", r.srv.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"microvmId\":\"vm-1\"}", path)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(answer), "HTTP/1.1 500 "), "%q", answer)
		require.NoError(t, conn.Close())
	}
	require.Empty(t, r.all())
	require.Empty(t, called)
	require.Equal(t, lifecycle.Waiting, r.srv.Phase())
	require.Zero(t, r.srv.Seen(lifecycle.Run))

	largest := `{"microvmId":"vm-1","p":""}`
	largest = strings.Replace(largest, `""`, `"`+strings.Repeat("x", lifecycle.MaxBodyBytes-len(largest))+`"`, 1)
	require.Len(t, largest, lifecycle.MaxBodyBytes)
	status, _ := r.hook("run", largest)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "vm-1", r.srv.ID())
}

func TestCase35OnlyExactPathsAndPOST(t *testing.T) {
	t.Parallel()
	r := listen(t)
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		for _, method := range []string{"GET", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "post"} {
			status, _, header := r.full(method, lifecycle.BasePath+h.String(), nil)
			require.Equal(t, http.StatusMethodNotAllowed, status, "%s %s", method, h)
			require.Equal(t, "POST", header.Get("Allow"))
		}
	}
	for _, path := range []string{
		"/", "/aws", lifecycle.BasePath, lifecycle.BasePath + "run/", lifecycle.BasePath + "runs", lifecycle.BasePath + "Run",
		lifecycle.BasePath + "%72un", lifecycle.BasePath + "./run", "/" + lifecycle.BasePath + "run", lifecycle.BasePath + "x/../run",
		strings.Replace(lifecycle.BasePath, "v1", "v2", 1) + "run",
	} {
		for _, method := range []string{"POST", "GET"} {
			status, _, _ := r.full(method, path, strings.NewReader(`{"microvmId":"vm-1"}`))
			require.Equal(t, http.StatusNotFound, status, "%s %s", method, path)
		}
	}
	require.Empty(t, r.all())
	require.Equal(t, lifecycle.Waiting, r.srv.Phase())
}

func TestCase37TakenPortIsAClearError(t *testing.T) {
	t.Parallel()
	first := listen(t)
	second := build(t, func(s *setup, _ *rig) { s.cfg.Address = first.srv.Addr().String() })
	err := second.srv.Start(t.Context())
	require.ErrorIs(t, err, lifecycle.ErrPortTaken)
	require.ErrorContains(t, err, first.srv.Addr().String())
	require.ErrorContains(t, err, "serverless.lifecycle_address")
	require.Nil(t, second.srv.Addr())

	bad := build(t, func(s *setup, _ *rig) { s.cfg.Address = "127.0.0.1:notaport" })
	err = bad.srv.Start(t.Context())
	require.ErrorContains(t, err, `lifecycle: bind "127.0.0.1:notaport"`)
	require.NotErrorIs(t, err, lifecycle.ErrPortTaken)
}

func TestStartAndStopAreIdempotent(t *testing.T) {
	t.Parallel()
	r := listen(t)
	addr := r.srv.Addr()
	require.NoError(t, r.srv.Start(t.Context()))
	require.Equal(t, addr, r.srv.Addr())
	require.NoError(t, r.srv.Stop(t.Context()))
	require.NoError(t, r.srv.Stop(t.Context()))
	require.ErrorIs(t, r.srv.Start(t.Context()), lifecycle.ErrStopped)
	_, err := net.Dial("tcp", addr.String())
	require.Error(t, err)

	never := build(t)
	require.NoError(t, never.srv.Stop(t.Context()))
}

func TestCase39ThousandParallelHooks(t *testing.T) {
	t.Parallel()
	r := listen(t)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 200) // as many as a small descriptor limit allows at once
	answers := make(chan string, 1000)
	for i := range 1000 {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			h := lifecycle.Hook(1 + i%4) // validate, run, resume, suspend
			body := strings.NewReader(fmt.Sprintf(`{"microvmId":"vm-%d"}`, i%3))
			status, _, _, err := r.try(http.MethodPost, lifecycle.BasePath+h.String(), body)
			answers <- fmt.Sprint(status, err)
		})
	}
	wg.Wait()
	for range cap(answers) {
		require.Equal(t, "200 <nil>", <-answers)
	}
	for _, hook := range []string{"resume", "suspend"} {
		r.ok(hook)
		beats := len(r.of("beat"))
		require.Equal(t, hook == "resume", r.srv.Phase() == lifecycle.Running)
		if hook == "suspend" {
			time.Sleep(20 * time.Millisecond)
			require.Len(t, r.of("beat"), beats)
		}
	}
	r.ok("terminate")
	require.Eventually(t, func() bool { return runtime.NumGoroutine() < before+50 }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{"event terminate=1@1 lambda_microvm_id:" + r.srv.ID()}, r.of("event")[len(r.of("event"))-1:])
	for _, line := range r.of("beat") {
		require.NotContains(t, line, "unknown")
	}
}

func TestCase38RealDisconnectDoesNotCutTheFlush(t *testing.T) {
	t.Parallel()
	inFlush, finish := make(chan struct{}), make(chan struct{})
	r := listen(t, func(s *setup, r *rig) {
		s.deps.Flushers = []lifecycle.Flusher{&part{name: "metrics", j: r.journal, do: func(ctx context.Context) error {
			close(inFlush)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-finish:
				return nil
			}
		}}}
	})
	conn, err := net.Dial("tcp", r.srv.Addr().String())
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", lifecycle.BasePath+"suspend")
	require.NoError(t, err)
	<-inFlush
	require.NoError(t, conn.Close())
	time.Sleep(50 * time.Millisecond) // net/http notices
	close(finish)
	require.Eventually(t, func() bool { return len(r.of("flush")) == 1 }, 10*time.Second, time.Millisecond)
}

func TestCase47StopWithNoTimeLeftStillStopsTheHeartbeat(t *testing.T) {
	t.Parallel()
	inFlush, release := make(chan struct{}), make(chan struct{})
	r := listen(t, func(s *setup, r *rig) {
		s.deps.Flushers = []lifecycle.Flusher{&part{name: "metrics", j: r.journal, do: func(context.Context) error {
			close(inFlush)
			<-release
			return nil
		}}}
	})
	r.ok("run vm-1")
	r.settled(1)
	var wg sync.WaitGroup
	wg.Go(func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.srv.Addr().String()+lifecycle.BasePath+"terminate", nil)
		if err != nil {
			return
		}
		if resp, err := client.Do(req); err == nil { // the server may cut the connection
			_ = resp.Body.Close()
		}
	})
	<-inFlush
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	err := r.srv.Stop(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "hooks were still in progress")
	r.beat.Start()
	r.beat.Now()
	require.Len(t, r.of("beat"), 1, "the heartbeat is stopped for good")
	close(release)
	wg.Wait()
}

func TestStopReportsAStuckFlusher(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r := listen(t, func(s *setup, r *rig) {
		s.cfg.Budget = 500 * time.Millisecond
		s.deps.Flushers = []lifecycle.Flusher{&part{name: "metrics", j: r.journal, do: stuckUntil(release)}}
	})
	r.ok("terminate")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, r.srv.Stop(ctx), "stuck")
	close(release)
}

func newApp(t *testing.T, h http.HandlerFunc) *forward.Client {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(ln) })
	t.Cleanup(func() {
		_ = srv.Close()
		wg.Wait()
	})
	return forward.New(ln.Addr().(*net.TCPAddr).Port)
}
