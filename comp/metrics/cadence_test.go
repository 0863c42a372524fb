package metrics

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
)

// wire is a transport inside a bubble of synctest.
type wire struct {
	mu     sync.Mutex
	begin  time.Time
	status func(n int) int // 0 is a transport error
	at     []time.Duration // of each request
	bodies []string        // of the accepted ones
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.at)
	w.at = append(w.at, time.Since(w.begin))
	code := 202
	if w.status != nil {
		code = w.status(n)
	}
	if code == 0 {
		return nil, errors.New("no route to host")
	}
	if code == 202 {
		text, err := plain(r.Header.Get("Content-Encoding"), body)
		if err != nil {
			return nil, err
		}
		w.bodies = append(w.bodies, text)
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// bubble starts an output on a wire; a bubble's clock begins at a full minute.
func bubble(t *testing.T, w *wire) *Datadog {
	t.Helper()
	w.begin = time.Now()
	d, err := newDatadog(Config{APIURL: "https://api.datadoghq.com", APIKey: testKey}, slog.New(slog.DiscardHandler), w)
	require.NoError(t, err)
	require.NoError(t, d.Start(t.Context()))
	return d
}

// Each bucket of ten seconds is sent by the next tick, and nothing else is.
func TestCadence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		d := bubble(t, w)
		time.Sleep(5 * time.Second)
		require.NoError(t, d.Gauge("g", 1, nil, 1)) // 5 s
		time.Sleep(7 * time.Second)
		require.NoError(t, d.Gauge("g", 2, nil, 1)) // 12 s
		time.Sleep(time.Second)
		require.NoError(t, d.Gauge("g", 3, nil, 1)) // 13 s
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Equal(t, []time.Duration{10 * time.Second, 20 * time.Second}, w.at)
		require.Equal(t, []string{
			`{"series":[{"metric":"g","type":3,"points":[{"timestamp":946684800,"value":1}]}]}`,
			`{"series":[{"metric":"g","type":3,"points":[{"timestamp":946684810,"value":3}]}]}`,
		}, w.bodies)
		require.NoError(t, d.Stop(t.Context()))
	})
}

// What a flush cuts off an open bucket, and the rest of that bucket, have
// different timestamps: of two counts with the same one the API would lose one.
func TestFlushInTheMiddleOfABucket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		d := bubble(t, w)
		time.Sleep(3 * time.Second)
		for range 2 {
			require.NoError(t, d.Count("c", 5, nil, 1))
			require.NoError(t, d.Flush(t.Context()))
		}
		time.Sleep(time.Second)
		require.NoError(t, d.Count("c", 7, nil, 1))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []time.Duration{3 * time.Second, 3 * time.Second, 20 * time.Second}, w.at)
		require.Equal(t, []string{
			`{"series":[{"metric":"c","type":1,"points":[{"timestamp":946684800,"value":5}],"interval":10}]}`,
			`{"series":[{"metric":"c","type":1,"points":[{"timestamp":946684803,"value":5}],"interval":10}]}`,
			`{"series":[{"metric":"c","type":1,"points":[{"timestamp":946684804,"value":7}],"interval":10}]}`,
		}, w.bodies)
		require.NoError(t, d.Stop(t.Context()))
	})
}

// An API that is down is tried less and less often; after five minutes the
// output is degraded, until something is delivered.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const outage = 20 * time.Minute
		w := &wire{begin: time.Now()}
		w.status = func(int) int {
			if time.Since(w.begin) < outage {
				return 0
			}
			return 202
		}
		d := bubble(t, w)
		require.NoError(t, d.Count("c", 1, nil, 1))
		time.Sleep(5 * time.Minute)
		require.Equal(t, health.OK, d.Health().State)
		time.Sleep(10 * time.Minute)
		report := d.Health()
		require.Equal(t, health.Degraded, report.State)
		require.Regexp(t, `^nothing was delivered for 14m\d+s: no route to host$`, report.Reason)
		require.Contains(t, report.Fix, "https://api.datadoghq.com can be reached")
		require.Equal(t, status.Section{
			Name: "metrics", Data: d.Stats(),
			Text: []string{d.Status().Text[0], "last failure: no route to host"},
		}, d.Status())
		require.Regexp(t, `^0 sent to https://api.datadoghq.com, 1 held, \d+ failed requests$`, d.Status().Text[0])
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Equal(t, health.OK, d.Health().State)
		require.Len(t, w.bodies, 1)
		require.Less(t, len(w.at), 100, "about one try per half minute")
		require.Greater(t, len(w.at), 15)
		require.NoError(t, d.Stop(t.Context()))
		require.Equal(t, health.Stopped, d.Health().State)
	})
}

// What the API would refuse for its age is not sent.
func TestExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		w := &wire{status: func(int) int {
			if up.Load() {
				return 202
			}
			return 503
		}}
		d := bubble(t, w)
		require.NoError(t, d.Count("old", 1, nil, 1))
		time.Sleep(30 * time.Minute)
		require.NoError(t, d.Count("young", 1, nil, 1))
		time.Sleep(45 * time.Minute)
		up.Store(true)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Equal(t, []string{`{"series":[{"metric":"young","type":1,"points":[{"timestamp":946686600,"value":1}],"interval":10}]}`}, w.bodies)
		require.Equal(t, map[string]uint64{"expired": 1}, d.Stats().Dropped)
		require.NoError(t, d.Stop(t.Context()))
	})
}

// Stop sends what it can, within two seconds or the end of its context.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{status: func(int) int { return 503 }}
		d := bubble(t, w)
		require.Equal(t, health.OK, d.Health().State)
		require.NoError(t, d.Count("c", 3, nil, 1))
		begin := time.Now()
		require.NoError(t, d.Stop(context.Background()))
		require.LessOrEqual(t, time.Since(begin), lastFlush)
		synctest.Wait()
		require.NotEmpty(t, w.at)
		require.Equal(t, map[string]uint64{"stopped": 1}, d.Stats().Dropped)

		require.NoError(t, d.Count("late", 1, nil, 1))
		require.NoError(t, d.Flush(t.Context()))
		require.NoError(t, d.Stop(t.Context()))
		require.NoError(t, d.Start(t.Context()), "it stays stopped")
		require.EqualValues(t, 1, d.Stats().Emitted)
	})
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	d, err := NewDatadog(Config{APIURL: "https://api.datadoghq.com", APIKey: testKey}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, health.Starting, d.Health().State)
	require.NoError(t, d.Count("early", 1, nil, 1))
	require.NoError(t, d.Flush(t.Context()))
	require.NoError(t, d.Stop(t.Context()))
	require.Zero(t, d.Stats().Emitted)
}
