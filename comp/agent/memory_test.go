package agent

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/config"
)

// The runtime is bound by what the configuration lets the logs engine hold, where
// nothing else has memory without a limit.
func TestMemoryBound(t *testing.T) {
	c := config.Default()
	require.Zero(t, memoryBound(&c))
	c.Logs.Enabled, c.Logs.MemoryLimit = true, 64<<20
	require.Equal(t, int64(88<<20), memoryBound(&c))
	c.Serverless.Enabled = true
	require.Equal(t, int64(88<<20), memoryBound(&c))
	c.Debugger.Enabled = true
	require.Zero(t, memoryBound(&c))
	c.Debugger.Enabled, c.Intake.Enabled = false, true
	require.Zero(t, memoryBound(&c))

	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetMemoryLimit(-1)
	boundMemory(0)()
	require.Equal(t, before, debug.SetMemoryLimit(-1))
	restore := boundMemory(1 << 30)
	require.Equal(t, int64(1<<30), debug.SetMemoryLimit(-1))
	restore()
	require.Equal(t, before, debug.SetMemoryLimit(-1))
	t.Setenv("GOMEMLIMIT", "1GiB")
	boundMemory(1 << 20)()
	require.Equal(t, before, debug.SetMemoryLimit(-1))
}

// Nobody who waits for an answer waits for pages of the agent's file.
func TestGivesBackEarly(t *testing.T) {
	t.Parallel()
	c := config.Default()
	require.False(t, givesBackEarly(&c))
	c.Logs.Enabled = true
	require.True(t, givesBackEarly(&c))
	c.Serverless.Enabled = true
	require.False(t, givesBackEarly(&c))
}
