package usage

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// NanocoresPerCore is the unit of usage and limit: one core used fully is 1e9.
const NanocoresPerCore = 1e9

var errNoLimit = errors.New("no limit")

// parseCPUStat is the usage_usec of a cgroup v2 cpu.stat.
func parseCPUStat(text string) (time.Duration, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "usage_usec "); ok {
			return scaled(strings.TrimSpace(rest), time.Microsecond)
		}
	}
	return 0, errors.New("cpu.stat has no line usage_usec")
}

// parseCPUAcct is a cgroup v1 cpuacct.usage, in nanoseconds.
func parseCPUAcct(text string) (time.Duration, error) {
	return scaled(strings.TrimSpace(text), time.Nanosecond)
}

// scaled reads a counter of units.
func scaled(digits string, unit time.Duration) (time.Duration, error) {
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("counter %q: %w", digits, err)
	}
	if n > math.MaxInt64/uint64(unit) {
		return 0, fmt.Errorf("counter %q: %w", digits, strconv.ErrRange)
	}
	return time.Duration(n) * unit, nil
}

// parseCPUMax is the quota of a cgroup v2 cpu.max, "QUOTA PERIOD" or
// "max PERIOD", in nanocores; errNoLimit for none.
func parseCPUMax(text string) (float64, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || len(fields) > 2 {
		return 0, fmt.Errorf("cpu.max %q is not a quota and a period", strings.TrimSpace(text))
	}
	if fields[0] == "max" {
		return 0, errNoLimit
	}
	period := "100000" // the kernel's default, cgroup v2 documentation
	if len(fields) == 2 {
		period = fields[1]
	}
	return quota(fields[0], period)
}

// parseCFS is the quota of a cgroup v1 group; a negative one means none.
func parseCFS(quotaText, periodText string) (float64, error) {
	quotaText = strings.TrimSpace(quotaText)
	if strings.HasPrefix(quotaText, "-") {
		return 0, errNoLimit
	}
	return quota(quotaText, strings.TrimSpace(periodText))
}

func quota(quotaText, periodText string) (float64, error) {
	q, err := scaled(quotaText, time.Microsecond)
	if err != nil {
		return 0, fmt.Errorf("CFS quota: %w", err)
	}
	p, err := scaled(periodText, time.Microsecond)
	if err != nil {
		return 0, fmt.Errorf("CFS period: %w", err)
	}
	if q == 0 || p == 0 {
		return 0, fmt.Errorf("CFS quota %v per %v is no limit a group can have", q, p)
	}
	return float64(q) / float64(p) * NanocoresPerCore, nil
}

// parseCPUList counts the CPUs of a list such as "0-3,7"; an empty list is 0.
func parseCPUList(text string) (int, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	count := 0
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		low, err := strconv.ParseUint(from, 10, 16)
		high := low
		if err == nil && isRange {
			high, err = strconv.ParseUint(to, 10, 16)
		}
		if err != nil || high < low {
			return 0, fmt.Errorf("CPU list %q: %q is neither a number nor a range", text, part)
		}
		count += int(high-low) + 1
	}
	return count, nil
}

// limit is what a group may use, in nanocores: the smaller of its CPU set, where
// that is not simply every CPU, and its quota; without either all CPUs. 0 means
// "does not apply" for set and quota.
func limit(host, set int, quota float64) float64 {
	most := float64(host) * NanocoresPerCore
	if set > 0 && set != host {
		most = float64(set) * NanocoresPerCore
		if quota > 0 {
			return min(most, quota)
		}
		return most
	}
	if quota > 0 {
		return quota
	}
	return most
}
