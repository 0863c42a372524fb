package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"

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

// giveBackFile unmaps the pages of the agent's own file, most of which are not
// used again (the kernel maps sixteen around each one that is touched). They are
// clean, so they are read again from the page cache where they are needed.
func giveBackFile() error {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("list the mappings: %w", err)
	}
	defer maps.Close() //nolint:errcheck // read only
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	clean, err := cleanMappings(maps, executable)
	if err != nil {
		return fmt.Errorf("list the mappings: %w", err)
	}
	var errs []error
	for _, m := range clean {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED); errno != 0 {
			errs = append(errs, fmt.Errorf("give back %x-%x: %w", m.start, m.end, errno))
		}
	}
	return errors.Join(errs...)
}

// mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// cleanMappings reads /proc/self/smaps and returns the mappings of file whose pages
// are the same when they are read again: those that cannot be written, and were not
// before either, as the addresses were that the loader of a position-independent
// executable corrects.
func cleanMappings(smaps io.Reader, file string) ([]mapping, error) {
	var (
		out    []mapping
		m      mapping
		ofFile bool
	)
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		line := lines.Text()
		if text, found := strings.CutPrefix(line, "Anonymous:"); found {
			if ofFile && strings.TrimSpace(text) == "0 kB" {
				out = append(out, m)
			}
			continue
		}
		var (
			next        mapping
			permissions string
		)
		if _, err := fmt.Sscanf(line, "%x-%x %s", &next.start, &next.end, &permissions); err == nil {
			m, ofFile = next, !strings.Contains(permissions, "w") && strings.HasSuffix(line, " "+file)
		}
	}
	return out, lines.Err()
}
