package forward_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/serverless/forward"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const runPath = "/aws/lambda-microvms/runtime/v1/run"

// app is an application with the given hook handler.
func app(t *testing.T, h http.HandlerFunc) (*forward.Client, *httptest.Server) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return forward.New(srv.Listener.Addr().(*net.TCPAddr).Port), srv
}

// rawApp accepts one connection and hands it to serve.
func rawApp(t *testing.T, network, addr string, serve func(net.Conn)) *forward.Client {
	t.Helper()
	ln, err := net.Listen(network, addr)
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return forward.New(ln.Addr().(*net.TCPAddr).Port)
}

func TestRequestArrivesAsThePlatformSentIt(t *testing.T) {
	t.Parallel()
	type seen struct {
		Method, Target, Body string
		Length               int64
		Encoding             []string
		Header               http.Header
	}
	got := make(chan seen, 1)
	client, _ := app(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.RequestURI, string(body), r.ContentLength, r.TransferEncoding, r.Header}
	})
	for _, body := range []string{`{"microvmId":"vm-1"}`, ""} {
		resp, err := client.Do(t.Context(), forward.Request{
			Target: runPath + "?a=b%2Fc",
			Header: http.Header{"Content-Type": {"application/json"}, "X-Trace": {"1"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}},
			Body:   []byte(body),
		})
		require.NoError(t, err)
		require.Equal(t, forward.Response{Status: 200, Body: []byte{}}, resp)
		require.Equal(t, seen{
			Method: "POST", Target: runPath + "?a=b%2Fc", Body: body, Length: int64(len(body)),
			Header: http.Header{
				"Connection": {"close"}, "Content-Length": {strconv.Itoa(len(body))},
				"Content-Type": {"application/json"}, "X-Trace": {"1"},
			},
		}, <-got)
	}
}

func TestStatusesAreMirrored(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 204, 207, 302, 418, 500, 503, 599} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			calls := 0
			client, _ := app(t, func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Content-Type", "text/x")
				w.WriteHeader(status)
			})
			resp, err := client.Do(t.Context(), forward.Request{Target: runPath})
			require.NoError(t, err)
			require.Equal(t, forward.Response{Status: status, ContentType: "text/x", Body: []byte{}}, resp)
			require.Equal(t, 1, calls, "a redirect is not followed")
		})
	}
}

func TestCase32BodyIsCappedAndUntouched(t *testing.T) {
	t.Parallel()
	t.Run("endless", func(t *testing.T) {
		t.Parallel()
		chunk := bytes.Repeat([]byte("x"), 64<<10)
		client, _ := app(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		resp, err := client.Do(t.Context(), forward.Request{Target: runPath})
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Len(t, resp.Body, forward.MaxBodyBytes)
		require.True(t, resp.Truncated)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
	})
	t.Run("exactly the cap", func(t *testing.T) {
		t.Parallel()
		client, _ := app(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, forward.MaxBodyBytes))
		})
		resp, err := client.Do(t.Context(), forward.Request{Target: runPath})
		require.NoError(t, err)
		require.Len(t, resp.Body, forward.MaxBodyBytes)
		require.False(t, resp.Truncated)
	})
	t.Run("gzip", func(t *testing.T) {
		t.Parallel()
		var packed bytes.Buffer
		zw := gzip.NewWriter(&packed)
		_, _ = zw.Write([]byte("hello"))
		require.NoError(t, zw.Close())
		client, _ := app(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes())
		})
		resp, err := client.Do(t.Context(), forward.Request{Target: runPath, Header: http.Header{"Accept-Encoding": {"gzip"}}})
		require.NoError(t, err)
		require.Equal(t, forward.Response{Status: 200, ContentType: "text/plain", ContentEncoding: "gzip", Body: packed.Bytes()}, resp)
	})
	t.Run("new connection each time", func(t *testing.T) {
		t.Parallel()
		remotes := map[string]bool{}
		client, _ := app(t, func(_ http.ResponseWriter, r *http.Request) { remotes[r.RemoteAddr] = true })
		for range 5 {
			_, err := client.Do(t.Context(), forward.Request{Target: runPath})
			require.NoError(t, err)
		}
		require.Len(t, remotes, 5)
	})
}

func TestCase29ClosedPortIsUnreachable(t *testing.T) {
	t.Parallel()
	client, srv := app(t, nil)
	srv.Close()
	_, err := client.Do(t.Context(), forward.Request{Target: runPath})
	require.ErrorIs(t, err, forward.ErrUnreachable)
	require.Equal(t, 503, forward.Status(err, false))
	require.Equal(t, 503, forward.Status(err, true))
	require.ErrorIs(t, client.Probe(t.Context()), forward.ErrUnreachable)
}

func TestCase30HangingAppMeetsTheDeadline(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]*forward.Client{
		"before the header": rawApp(t, "tcp", "127.0.0.1:0", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }),
		"inside the body": rawApp(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			_, _ = io.Copy(io.Discard, c)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			begin := time.Now()
			_, err := client.Do(ctx, forward.Request{Target: runPath})
			require.ErrorIs(t, err, forward.ErrDeadline)
			require.Less(t, time.Since(begin), 2*time.Second)
			require.Equal(t, 504, forward.Status(err, false))
			require.Equal(t, 503, forward.Status(err, true))
		})
	}
}

func TestProbeOnlyAsksWhetherAnyoneListens(t *testing.T) {
	t.Parallel()
	client := rawApp(t, "tcp", "127.0.0.1:0", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	require.NoError(t, client.Probe(t.Context()))
}

func TestUnusableAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"nothing":             "",
		"not HTTP":            "hello\r\n\r\n",
		"cut body":            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
		"switching protocols": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"status zero":         "HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n",
		"huge header":         "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := rawApp(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
			})
			_, err := client.Do(t.Context(), forward.Request{Target: runPath})
			require.ErrorIs(t, err, forward.ErrBroken)
			require.Equal(t, 502, forward.Status(err, false))
			require.Equal(t, 503, forward.Status(err, true))
		})
	}
	_, err := forward.New(1).Do(t.Context(), forward.Request{Target: "not a path"})
	require.ErrorIs(t, err, forward.ErrBroken)
}

func TestAppOnIPv6LoopbackIsFound(t *testing.T) {
	t.Parallel()
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("not supported here: no IPv6 loopback: %v", err)
	}
	require.NoError(t, probe.Close())
	client := rawApp(t, "tcp", "[::1]:0", func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	require.NoError(t, client.Probe(t.Context()))
	resp, err := client.Do(t.Context(), forward.Request{Target: runPath})
	require.NoError(t, err)
	require.Equal(t, forward.Response{Status: 200, Body: []byte("ok")}, resp)
}
