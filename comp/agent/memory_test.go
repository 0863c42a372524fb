package agent

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/config"
)

func TestCleanMappings(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00c3d000 r-xp 00000000 fe:00 1212  /usr/bin/vigil
Size:               8436 kB
FilePmdMapped:         0 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00c3d000-018c6000 r--p 0083d000 fe:00 1212  /usr/bin/vigil
Anonymous:             0 kB
018c6000-01941000 r--p 014c6000 fe:00 1212  /usr/bin/vigil
Anonymous:           492 kB
01941000-01951000 rw-p 01541000 fe:00 1212  /usr/bin/vigil
Anonymous:             0 kB
c000000000-c000400000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 77  /usr/bin/app
Anonymous:             0 kB
`
	got, err := cleanMappings(strings.NewReader(smaps), "/usr/bin/vigil")
	require.NoError(t, err)
	require.Equal(t, []mapping{{0x400000, 0xc3d000}, {0xc3d000, 0x18c6000}}, got, "not what was, or may be, written")
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
