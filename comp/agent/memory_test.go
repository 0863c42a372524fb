package agent

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/config"
)

func TestCleanMapping(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"00400000-00c3d000 r-xp 00000000 fe:00 1212  /usr/bin/vigil":     true,
		"00c3d000-018c6000 r--p 0083d000 fe:00 1212  /usr/bin/vigil":     true,
		"018c6000-01941000 rw-p 014c6000 fe:00 1212  /usr/bin/vigil":     false, // its pages are the program's variables
		"7f0000000000-7f0000001000 r--p 00000000 fe:00 77  /usr/bin/app": false,
		"7f0000000000-7f0000001000 r--p 00000000 00:00 0":                false,
		"c000000000-c000400000 rw-p 00000000 00:00 0":                    false,
		"not a mapping": false,
	} {
		start, end, ok := cleanMapping(line, "/usr/bin/vigil")
		require.Equal(t, want, ok, line)
		if ok {
			require.Less(t, start, end)
		}
	}
}

// The program goes on as before: its code and constants come back when used.
func TestGiveBack(t *testing.T) {
	require.NoError(t, giveBack())
	require.Equal(t, "constant", string([]byte("constant")))
}

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
