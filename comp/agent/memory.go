package agent

import (
	"os"
	"runtime/debug"

	"github.com/vigil-agent/vigil/comp/config"
)

// ownMemory is what the agent takes besides what the logs engine holds for lines:
// some 13 MiB when idle, and as much again for what comes and goes.
const ownMemory = 24 << 20

// memoryBound is what the Go runtime may take, in bytes, before it collects garbage
// more often than it does by itself, which lets it take twice what is held. It is not
// known, and 0, with engines whose memory has no limit in the configuration.
func memoryBound(c *config.Config) int64 {
	if !c.Logs.Enabled || c.Debugger.Enabled || c.Intake.Enabled {
		return 0
	}
	return ownMemory + int64(c.Logs.MemoryLimit)
}

// boundMemory applies a bound, unless there is none or the environment sets one
// (GOMEMLIMIT), and returns what takes it back.
func boundMemory(bound int64) (restore func()) {
	if bound == 0 || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(bound)
	return func() { debug.SetMemoryLimit(before) }
}

// givesBackEarly says whether the pages of the agent's file are given back before the
// engines begin: what only ran once would stay mapped while the logs engine has its
// most work. Not with the serverless engine, whose first hooks would wait for the
// pages that they need, some 0.1 to 0.3 ms.
func givesBackEarly(c *config.Config) bool { return c.Logs.Enabled && !c.Serverless.Enabled }

// giveBack returns to the kernel what only the start needed: the heap's free
// pages, and those of the agent's own file.
func giveBack() error {
	debug.FreeOSMemory()
	return giveBackFile()
}
