package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/status"
)

// listen opens a datagram socket and returns its statsd address and a function
// that reads n metric lines.
func listen(t *testing.T, network string) (string, func(n int) []string) {
	t.Helper()
	name := "127.0.0.1:0"
	if network == "unixgram" {
		name = filepath.Join(t.TempDir(), "dsd.sock")
	}
	conn, err := net.ListenPacket(network, name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	address := conn.LocalAddr().String()
	if network == "unixgram" {
		address = "unix://" + address
	}
	return address, func(n int) []string {
		t.Helper()
		var lines []string
		buffer := make([]byte, 64<<10)
		for len(lines) < n {
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
			size, _, err := conn.ReadFrom(buffer)
			require.NoError(t, err)
			lines = append(lines, strings.Split(strings.TrimRight(string(buffer[:size]), "\n"), "\n")...)
		}
		slices.Sort(lines)
		return lines
	}
}

func start(t *testing.T, c Config) *Statsd {
	t.Helper()
	s := NewStatsd(c, slog.New(slog.DiscardHandler))
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func TestWire(t *testing.T) {
	t.Setenv("DD_ENV", "leaked")
	for _, network := range []string{"udp", "unixgram"} {
		address, read := listen(t, network)
		s := start(t, Config{StatsdAddress: address, Tags: []string{"env:dev"}})
		require.NoError(t, s.Gauge("g", 1, []string{"a:b"}, 1))
		require.NoError(t, s.Count("c", 2, nil, 1))
		require.NoError(t, s.Distribution("d", 1.5, nil, 1))
		require.NoError(t, s.Usage().Gauge("u", 1, []string{"microvm_id:x"}, 1))
		require.NoError(t, s.Flush(t.Context()))
		require.Equal(t, []string{
			"c:2|c|#env:dev",
			"d:1.5|d|#env:dev",
			"g:1|g|#env:dev,a:b",
			"u:1|g|#microvm_id:x",
		}, read(4), network)
		require.Equal(t, Stats{Output: "statsd", Address: address, Sent: 4}, s.Stats())
	}
}

// Flush must not leave the open aggregation interval (2 s in datadog-go)
// behind: a lifecycle hook answers right after it.
func TestFlushSendsTheOpenInterval(t *testing.T) {
	t.Parallel()
	address, read := listen(t, "udp")
	s := start(t, Config{StatsdAddress: address})
	require.NoError(t, s.Gauge("now", 1, nil, 1))
	begin := time.Now()
	require.NoError(t, s.Flush(t.Context()))
	require.Equal(t, []string{"now:1|g"}, read(1))
	require.Less(t, time.Since(begin), 1500*time.Millisecond)
}

func TestOff(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	require.NoError(t, s.Gauge("g", 1, nil, 1))
	require.NoError(t, s.Flush(t.Context()))
	require.Equal(t, Stats{Output: "off"}, s.Stats())
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := start(t, Config{StatsdAddress: "unix://" + filepath.Join(t.TempDir(), "absent.sock")})
	require.NoError(t, s.Gauge("g", 1, nil, 1))
	require.NoError(t, s.Flush(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
	stats := s.Stats()
	require.NotZero(t, stats.Errors)
	require.Contains(t, stats.LastError, "no such file")
}

func TestStatusAndTelemetry(t *testing.T) {
	t.Parallel()
	s := NewStatsd(Config{}, slog.New(slog.DiscardHandler))
	require.Equal(t, []string{"off: metrics.statsd_address is empty"}, s.Status().Text)
	s = NewStatsd(Config{StatsdAddress: "127.0.0.1:8125"}, slog.New(slog.DiscardHandler))
	s.sent.Add(3)
	s.failed(errors.New("refused"))
	require.Equal(t, status.Section{
		Name: "metrics",
		Data: Stats{Output: "statsd", Address: "127.0.0.1:8125", Sent: 3, Errors: 1, LastError: "refused"},
		Text: []string{"3 sent to 127.0.0.1:8125 by DogStatsD, 1 failed writes", "last failure: refused"},
	}, s.Status())
	values := map[string]float64{}
	for _, metric := range Telemetry(s).Metrics {
		metric.Collect(func(value float64, _ ...string) { values[metric.Name] = value })
	}
	require.Equal(t, map[string]float64{"vigil_metrics_sent_total": 3, "vigil_metrics_errors_total": 1, "vigil_metrics_held_values": 0, "vigil_metrics_dropped_total": 0}, values)
}

func TestBadAddress(t *testing.T) {
	t.Parallel()
	s := NewStatsd(Config{StatsdAddress: "no port"}, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, s.Start(t.Context()), `open statsd output "no port"`)
	require.NoError(t, s.Stop(t.Context()))
}

func TestStartStopTwice(t *testing.T) {
	t.Parallel()
	address, _ := listen(t, "udp")
	s := NewStatsd(Config{StatsdAddress: address}, slog.New(slog.DiscardHandler))
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Gauge("late", 1, nil, 1))
}

// A flush that hangs holds up neither the budget of the next one, nor that of
// the end, and is not joined by another goroutine.
func TestFlushWithinItsContext(t *testing.T) {
	t.Parallel()
	address, read := listen(t, "udp")
	s := NewStatsd(Config{StatsdAddress: address}, slog.New(slog.DiscardHandler))
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Gauge("g", 1, nil, 1))
	s.turn <- struct{}{} // as a flush does that hangs
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.Flush(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "an earlier flush has not ended")
	require.ErrorIs(t, s.Stop(ctx), context.DeadlineExceeded)
	<-s.turn // it ends after all, and the closing goes on
	require.Equal(t, []string{"g:1|g"}, read(1))
	require.NoError(t, s.Flush(t.Context()))
}
