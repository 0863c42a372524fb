package metrics

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/health"
)

// first answers n requests with a status and then accepts.
func first(n, status int, header ...string) func(int, http.ResponseWriter, *http.Request) int {
	return func(i int, w http.ResponseWriter, _ *http.Request) int {
		if i >= n {
			return 0
		}
		for j := 0; j+1 < len(header); j += 2 {
			w.Header().Set(header[j], header[j+1])
		}
		return status
	}
}

// reset drops the connection without a word.
func reset(w http.ResponseWriter) int {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.(*net.TCPConn).SetLinger(0) //nolint:errcheck // then it is closed less rudely
		conn.Close()                     //nolint:errcheck // that is what the test wants
	}
	return -1
}

// A flush tries again what a later try may mend, until it is delivered.
func TestFlushRetries(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(int, http.ResponseWriter, *http.Request) int{
		"500": first(2, 500), "503": first(1, 503), "408": first(1, 408), "429": first(1, 429),
		"reset": func(n int, w http.ResponseWriter, _ *http.Request) int {
			if n < 2 {
				return reset(w)
			}
			return 0
		},
		"reset in the middle of the answer": func(n int, w http.ResponseWriter, _ *http.Request) int {
			if n > 0 {
				return 0
			}
			conn, buffer, err := w.(http.Hijacker).Hijack()
			if err == nil {
				buffer.WriteString("HTTP/1.1 202 Acc") //nolint:errcheck // best effort
				buffer.Flush()                         //nolint:errcheck // best effort
				conn.Close()                           //nolint:errcheck // that is what the test wants
			}
			return -1
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := intake{answer: answer}
			d, _ := output(t, api.serve(t).URL)
			require.NoError(t, d.Count("c", 1, nil, 1))
			require.NoError(t, d.Flush(within(t, 30*time.Second)))
			require.Equal(t, 1, api.values(t))
			stats := d.Stats()
			require.EqualValues(t, 1, stats.Sent)
			require.NotZero(t, stats.Errors)
			require.Zero(t, stats.Held)
			require.Equal(t, health.Report{Name: "metrics", State: health.OK}, d.Health())
		})
	}
}

// A status line is an answer: what is cut off behind it changes nothing.
func TestResetAfterTheStatus(t *testing.T) {
	t.Parallel()
	api := intake{answer: func(_ int, w http.ResponseWriter, _ *http.Request) int {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusAccepted)
		return -1
	}}
	d, _ := output(t, api.serve(t).URL)
	require.NoError(t, d.Distribution("d", 1, nil, 1))
	require.NoError(t, d.Flush(within(t, 10*time.Second)))
	require.Equal(t, 1, api.count())
	require.EqualValues(t, 1, d.Stats().Sent)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Retry-After", "X-RateLimit-Reset"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			api := intake{answer: first(1, 429, header, "1")}
			d, _ := output(t, api.serve(t).URL)
			require.NoError(t, d.Count("c", 1, nil, 1))
			begin := time.Now()
			require.NoError(t, d.Flush(within(t, 20*time.Second)))
			require.GreaterOrEqual(t, time.Since(begin), time.Second)
			require.Equal(t, 2, api.count())
		})
	}
}

// A flush does not wait for a moment that its context will not see.
func TestRetryAfterBeyondTheBudget(t *testing.T) {
	t.Parallel()
	api := intake{answer: first(1000, 429, "Retry-After", "60")}
	d, _ := output(t, api.serve(t).URL)
	require.NoError(t, d.Count("c", 1, nil, 1))
	begin := time.Now()
	require.ErrorContains(t, d.Flush(within(t, 10*time.Second)), "the API asked not to be tried again for ")
	require.Less(t, time.Since(begin), 5*time.Second)
	require.ErrorContains(t, d.Flush(within(t, 10*time.Second)), "asked not to be tried again")
	require.Equal(t, 1, api.count())
	require.EqualValues(t, 1, d.Stats().Held)
}

// The budget of a hook holds with an API that never answers, and an emit does
// not wait for it either.
func TestSlowAPI(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	api := intake{answer: func(_ int, _ http.ResponseWriter, r *http.Request) int {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return 0
	}}
	url := api.serve(t).URL
	d, _ := output(t, url)
	require.NoError(t, d.Count("c", 1, nil, 1))
	begin := time.Now()
	err := d.Flush(within(t, 300*time.Millisecond))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "flush metrics to "+url)
	require.Less(t, time.Since(begin), 3*time.Second)
	require.EqualValues(t, 1, d.Stats().Held)

	flushed := make(chan error, 1)
	go func() { flushed <- d.Flush(t.Context()) }()
	require.Eventually(t, func() bool { return api.count() == 2 }, 10*time.Second, time.Millisecond)
	begin = time.Now()
	for range 1000 {
		require.NoError(t, d.Count("c", 1, nil, 1))
	}
	require.Less(t, time.Since(begin), time.Second)
	close(release)
	require.NoError(t, <-flushed)
	require.NoError(t, d.Flush(within(t, 10*time.Second)))
	require.EqualValues(t, 1001, d.Stats().Sent)
	require.Zero(t, d.Stats().Held)
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	d, log := output(t, "http://"+listener.Addr().String())
	require.NoError(t, d.Count("c", 1, nil, 1))
	begin := time.Now()
	require.ErrorContains(t, d.Flush(within(t, time.Second)), "connection refused")
	require.Less(t, time.Since(begin), 5*time.Second)
	require.NoError(t, d.Stop(within(t, 500*time.Millisecond)))
	stats := d.Stats()
	require.Equal(t, map[string]uint64{"stopped": 1}, stats.Dropped)
	require.Zero(t, stats.Held)
	require.Contains(t, log.String(), "metrics were not delivered before the end")
}

// 413 splits a request until it fits; a single row that does not is dropped.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	api := intake{answer: func(_ int, _ http.ResponseWriter, r *http.Request) int {
		if r.ContentLength > 300 {
			return 413
		}
		return 0
	}}
	d, log := output(t, api.serve(t).URL)
	letters := "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for i := range 40 {
		require.NoError(t, d.Count("c", 1, []string{"tag:" + letters[i:] + letters[:i]}, 1))
	}
	require.NoError(t, d.Flush(within(t, 20*time.Second)))
	require.Equal(t, 40, api.values(t))
	require.Greater(t, len(api.taken()), 2)
	require.Zero(t, log.warnings())

	for i := range 400 {
		require.NoError(t, d.Distribution("d", 1/float64(i+3), nil, 1))
	}
	require.ErrorContains(t, d.Flush(within(t, 20*time.Second)), "/api/v1/distribution_points answered 413 Request Entity Too Large")
	require.Equal(t, map[string]uint64{"refused": 400}, d.Stats().Dropped)
	require.Equal(t, 1, log.warnings())
}

func TestRefusedRequest(t *testing.T) {
	t.Parallel()
	for status, text := range map[int]string{400: "400 Bad Request", 302: "302 Found", 404: "404 Not Found"} {
		api := intake{answer: first(2, status, "Location", "/elsewhere")}
		d, log := output(t, api.serve(t).URL)
		for range 2 {
			require.NoError(t, d.Count("c", 1, nil, 1))
			err := d.Flush(within(t, 10*time.Second))
			require.ErrorContains(t, err, `/api/v2/series answered `+text+`: {"errors":["key *** is no good"]}`)
		}
		require.Equal(t, 2, api.count(), "neither retried nor followed")
		require.Equal(t, map[string]uint64{"refused": 2}, d.Stats().Dropped)
		require.Equal(t, 1, log.warnings(), "equal failures are told once: %s", log)
		require.Contains(t, log.String(), text)
		require.Equal(t, health.OK, d.Health().State)
		require.NoError(t, d.Count("c", 1, nil, 1))
		require.NoError(t, d.Flush(within(t, 10*time.Second)))
	}
}

func TestRefusedKey(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403} {
		api := intake{answer: first(1, status)}
		d, log := output(t, api.serve(t).URL)
		require.NoError(t, d.Count("c", 1, nil, 1))
		require.Error(t, d.Flush(within(t, 10*time.Second)))
		require.Equal(t, map[string]uint64{"key": 1}, d.Stats().Dropped)
		report := d.Health()
		require.Equal(t, health.Degraded, report.State)
		require.Contains(t, report.Reason, "the API key is refused: /api/v2/series answered 40")
		require.Contains(t, report.Fix, "set api_key (or DD_API_KEY)")
		require.NotContains(t, report.Reason, testKey)
		require.Equal(t, 1, log.warnings())

		require.NoError(t, d.Count("c", 1, nil, 1))
		require.NoError(t, d.Flush(within(t, 10*time.Second)), "the key works again")
		require.Equal(t, health.OK, d.Health().State)
	}
}

// Case 43 of the serverless specification: the first request after a freeze
// finds a dead pooled connection, and is repeated at once on a new one.
func TestDeadPooledConnection(t *testing.T) {
	t.Parallel()
	var api intake
	server := api.serve(t)
	var opened atomic.Int32
	dead := make(chan struct{}, 1)
	api.answer = func(n int, w http.ResponseWriter, _ *http.Request) int {
		if n == 1 { // the request was read, and the connection dies
			dead <- struct{}{}
			return reset(w)
		}
		return 0
	}
	d, log := output(t, server.URL)
	transport := d.client.http.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		opened.Add(1)
		return dial(ctx, network, address)
	}
	flush := func() {
		t.Helper()
		require.NoError(t, d.Count("c", 1, nil, 1))
		require.NoError(t, d.Flush(within(t, 10*time.Second)))
	}
	flush()
	flush()
	<-dead
	require.EqualValues(t, 2, opened.Load())
	server.CloseClientConnections() // this time nobody reads the request
	flush()
	require.Equal(t, 3, api.values(t))
	require.Zero(t, d.Stats().Errors, "no failure that anybody has to know of")
	require.Zero(t, log.warnings())
}
