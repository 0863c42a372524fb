package usage

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	// tick is the unit of /proc/stat: USER_HZ is 100 on every architecture this
	// agent supports (Linux, include/asm-generic/param.h).
	tick = time.Second / 100
	// minCounters is how many a usable aggregate line has at least: up to softirq.
	minCounters = 7
)

// Positions in the aggregate line (proc_stat(5)). Time of guests is already in
// user and nice; iowait and steal are not work of this machine.
var busyCounters = [...]int{0, 1, 2, 5, 6} // user, nice, system, irq, softirq

// parseProcStat reads the aggregate line of /proc/stat: the busy time of all
// CPUs together. A missing line, fewer than seven counters, a number that is
// malformed or too large, are errors.
func parseProcStat(text string) (time.Duration, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "cpu" {
			continue
		}
		return busy(fields[1:])
	}
	return 0, errors.New("/proc/stat has no aggregate cpu line")
}

func busy(counters []string) (time.Duration, error) {
	if len(counters) < minCounters {
		return 0, fmt.Errorf("the aggregate line of /proc/stat has %d counters, want at least %d", len(counters), minCounters)
	}
	values := make([]uint64, len(counters))
	for i, text := range counters {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("counter %d of the aggregate line of /proc/stat: %w", i+1, err)
		}
		values[i] = n
	}
	var ticks uint64
	for _, i := range busyCounters {
		if values[i] > math.MaxInt64/uint64(tick)-ticks {
			return 0, fmt.Errorf("the counters of /proc/stat add up to too much: %w", strconv.ErrRange)
		}
		ticks += values[i]
	}
	return time.Duration(ticks) * tick, nil
}

// countCPUs is the number of CPUs that /proc/stat lists.
func countCPUs(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "cpu")
		if ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			n++
		}
	}
	return n
}
