package lifecycle_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// quiet is a metrics client that does nothing.
type quiet struct{}

func (quiet) Gauge(string, float64, []string, float64) error        { return nil }
func (quiet) Distribution(string, float64, []string, float64) error { return nil }

func benchServer(b *testing.B) *lifecycle.Server {
	b.Helper()
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	srv := lifecycle.New(lifecycle.Config{
		Address: "127.0.0.1:0", Budget: 4500 * time.Millisecond, ForwardTimeout: time.Second,
	}, lifecycle.Deps{
		Log: log, Events: quiet{}, Alive: func() bool { return true },
		Beat:     heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: quiet{}, Log: log}),
		Flushers: []lifecycle.Flusher{&part{name: "metrics", j: &journal{}}, &part{name: "logs", j: &journal{}}},
	})
	b.Cleanup(func() { _ = srv.Stop(b.Context()) })
	return srv
}

// BenchmarkHook calls every hook of a machine's life in turn, each on its own
// connection as the platform does, and reports the median and the 99th
// percentile of one call.
func BenchmarkHook(b *testing.B) {
	srv := benchServer(b)
	if err := srv.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	names := []string{"ready", "run", "suspend", "resume"}
	var took []time.Duration
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		resp, err := client.Post("http://"+srv.Addr().String()+lifecycle.BasePath+names[i%len(names)], "application/json",
			strings.NewReader(`{"microvmId":"vm-1","runHookPayload":"x"}`))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkHandler is the agent's own part: no connection, no client.
func BenchmarkHandler(b *testing.B) {
	for _, name := range []string{"ready", "run", "suspend"} {
		b.Run(name, func(b *testing.B) {
			srv := benchServer(b)
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, lifecycle.BasePath+name, strings.NewReader(`{"microvmId":"vm-1"}`))
				srv.ServeHTTP(httptest.NewRecorder(), req)
			}
		})
	}
}
