package metrics

import (
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/metrics/series"
)

func TestMain(m *testing.M) {
	// The shared zstd encoder has channels: made inside a bubble of synctest it
	// could not be used outside.
	payloads, _ := series.Payloads([]series.Point{{Metric: "warm.up", Kind: series.Gauge}})
	if _, err := payloads[0].Body(); err != nil {
		slog.Error("compress", "error", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
