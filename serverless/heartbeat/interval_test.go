package heartbeat_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

func TestJitterBounds(t *testing.T) {
	t.Parallel()
	const interval = 100 * time.Second
	require.Equal(t, 95*time.Second, heartbeat.Jittered(interval, 0.05, 0))
	require.Equal(t, 105*time.Second, heartbeat.Jittered(interval, 0.05, math.MaxUint32))
	require.Equal(t, interval, heartbeat.Jittered(interval, 0, 7))
	require.Equal(t, interval, heartbeat.Jittered(interval, -1, 7))
}

func TestJitterIsNeverNegative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(t, "interval"))
		share := rapid.Float64().Draw(t, "share")
		got := heartbeat.Jittered(interval, share, rapid.Uint32().Draw(t, "draw"))
		require.GreaterOrEqual(t, got, time.Duration(0))
		require.LessOrEqual(t, got, 2*interval)
	})
}
