package serverlessfx

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/metrics"
	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/child"
)

// An application that does not end is killed while the agent still has time to
// stop the rest.
func TestStopLeavesTimeToTheRest(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	out, err := metrics.New(metrics.Config{}, log)
	require.NoError(t, err)
	up := filepath.Join(t.TempDir(), "up")
	cfg := serverless.DefaultConfig()
	cfg.Enabled, cfg.LifecycleAddress, cfg.IdentityAddress = true, "127.0.0.1:0", ""
	cfg.Command = []string{"sh", "-c", `trap '' TERM; touch ` + up + `; while :; do sleep 0.01; done`}
	c, err := New(Deps{Config: cfg, Log: log, Metrics: out})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	require.Eventually(t, func() bool { _, err := os.Stat(up); return err == nil }, 10*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.ErrorIs(t, c.Stop(ctx), child.ErrKilled)
	require.NoError(t, ctx.Err())
	require.Equal(t, 137, c.ExitCode())
}
