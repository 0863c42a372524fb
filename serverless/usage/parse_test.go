package usage

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCase44ProcStat(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want time.Duration
		err  string
	}{
		"busy is user nice system irq softirq": {"cpu  100 20 3 9999 8888 4 5 7777 100 20\ncpu0 1 1 1 1 1 1 1\n", 1320 * time.Millisecond, ""},
		"exactly seven":                        {"intr 1\ncpu 1 1 1 1 1 1 1\n", 50 * time.Millisecond, ""},
		"six counters":                         {"cpu  1 2 3 4 5 6\n", 0, "the aggregate line of /proc/stat has 6 counters, want at least 7"},
		"no aggregate line":                    {"cpu0 1 2 3 4 5 6 7\n", 0, "/proc/stat has no aggregate cpu line"},
		"empty":                                {"", 0, "/proc/stat has no aggregate cpu line"},
		"malformed":                            {"cpu  1 x 3 4 5 6 7\n", 0, `counter 2 of the aggregate line of /proc/stat: strconv.ParseUint: parsing "x": invalid syntax`},
		"malformed where it does not count":    {"cpu  1 2 3 4 5 6 7 -8\n", 0, `counter 8 of the aggregate line of /proc/stat: strconv.ParseUint: parsing "-8": invalid syntax`},
		"overflow":                             {"cpu  1 18446744073709551616 3 4 5 6 7\n", 0, `counter 2 of the aggregate line of /proc/stat: strconv.ParseUint: parsing "18446744073709551616": value out of range`},
		"overflow of the sum":                  {"cpu  18446744073709551615 1 3 4 5 6 7\n", 0, "the counters of /proc/stat add up to too much: value out of range"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseProcStat(tt.text)
			require.Equal(t, tt.want, got)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.err)
			}
		})
	}
}

func TestCgroupCounters(t *testing.T) {
	t.Parallel()
	used, err := parseCPUStat("user_usec 1\nusage_usec 1500000\nsystem_usec 2\n")
	require.NoError(t, err)
	require.Equal(t, 1500*time.Millisecond, used)
	used, err = parseCPUAcct("123456789\n")
	require.NoError(t, err)
	require.Equal(t, 123456789*time.Nanosecond, used)
	for _, text := range []string{"", "nr_periods 3\n", "usage_usec \n", "usage_usec -1\n", "usage_usec 9223372036854775807\n"} {
		_, err := parseCPUStat(text)
		require.Error(t, err, "%q", text)
	}
	for _, text := range []string{"", "x", "-5", "9223372036854775808"} {
		_, err := parseCPUAcct(text)
		require.Error(t, err, "%q", text)
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"50000 100000\n": 0.5e9, "250000 100000": 2.5e9, "10000": 0.1e9} {
		got, err := parseCPUMax(text)
		require.NoError(t, err)
		require.InDelta(t, want, got, 0.5, "%q", text)
	}
	_, err := parseCPUMax("max 100000\n")
	require.ErrorIs(t, err, errNoLimit)
	for _, text := range []string{"", "1 2 3", "x 1", "1 x", "0 100000", "1000 0", "-1 100000"} {
		_, err := parseCPUMax(text)
		require.Error(t, err, "%q", text)
		require.NotErrorIs(t, err, errNoLimit, "%q", text)
	}
	got, err := parseCFS("150000\n", "100000\n")
	require.NoError(t, err)
	require.InDelta(t, 1.5e9, got, 0.5)
	_, err = parseCFS("-1\n", "100000\n")
	require.ErrorIs(t, err, errNoLimit)
}

func TestCPULists(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "\n": 0, "0\n": 1, "0-3": 4, "0-1,4,6-7\n": 5} {
		got, err := parseCPUList(text)
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", text)
	}
	for _, text := range []string{",", "a", "3-1", "1-", "-1", "0-99999999999"} {
		_, err := parseCPUList(text)
		require.Error(t, err, "%q", text)
	}
}

func TestLimitIsTheSmallerOfSetAndQuota(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host, set   int
		quota, want float64
	}{
		{4, 0, 0, 4e9},
		{4, 4, 0, 4e9},
		{4, 2, 0, 2e9},
		{4, 2, 3e9, 2e9},
		{4, 2, 0.5e9, 0.5e9},
		{4, 4, 1e9, 1e9},
		{4, 4, 8e9, 8e9}, // the quota alone is what is asked for
	}
	for _, tt := range tests {
		require.InDelta(t, tt.want, limit(tt.host, tt.set, tt.quota), 0, "%+v", tt)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	var b baseline
	require.True(t, math.IsNaN(b.advance(time.Second, time.Minute)), "the first sample")
	require.InDelta(t, 0.5e9, b.advance(2*time.Second, time.Minute+2*time.Second), 0)
	require.True(t, math.IsNaN(b.advance(3*time.Second, time.Minute+2*time.Second)), "no time passed")
	require.True(t, math.IsNaN(b.advance(4*time.Second, time.Minute)), "time went back")
	require.True(t, math.IsNaN(b.advance(time.Second, 2*time.Minute)), "the counter was reset")
	require.True(t, math.IsNaN(b.advance(time.Second, 3*time.Minute)), "the counter stands still")
	require.InDelta(t, 2e9, b.advance(3*time.Second, 3*time.Minute+time.Second), 0, "the next one is good again")
}

func TestMounts(t *testing.T) {
	t.Parallel()
	const mountinfo = `22 1 0:20 / / rw - ext4 /dev/root rw
24 22 0:22 / /sys/fs/cgroup/a\040b rw,relatime shared:5 - cgroup2 cgroup2 rw,nsdelegate
25 22 0:23 /docker/x /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
broken line
26 22
`
	mounts := parseMounts(mountinfo)
	require.Equal(t, []mount{
		{dir: "/sys/fs/cgroup/a b", root: "/", v2: true},
		{dir: "/sys/fs/cgroup/cpu,cpuacct", root: "/docker/x", controllers: []string{"rw", "cpu", "cpuacct"}},
	}, mounts)

	const cgroups = "12:cpu,cpuacct:/docker/x/app\n1:name=systemd:/s\n0::/sys/app\n"
	require.Equal(t, "/sys/app", group(cgroups, mounts[0]))
	require.Equal(t, "/docker/x/app", group(cgroups, mounts[1]))
	require.Empty(t, group("", mounts[0]))

	require.Equal(t, "sys/fs/cgroup/a b/sys/app", mounts[0].at("/sys/app"))
	require.Equal(t, "sys/fs/cgroup/cpu,cpuacct/app", mounts[1].at("/docker/x/app"))
	for _, outside := range []string{"", "/", "/docker/xy", "/../other", "/docker/x/../../etc"} {
		require.True(t, strings.HasPrefix(mounts[1].at(outside), "sys/fs/cgroup/cpu,cpuacct"), outside)
	}
	require.Equal(t, "sys/fs/cgroup/cpu,cpuacct", mounts[1].at("/docker/xy"))
	require.Equal(t, `a\4`, unescape(`a\4`))
}

func FuzzProcStat(f *testing.F) {
	for _, seed := range []string{"cpu  1 2 3 4 5 6 7 8\ncpu0 1\n", "cpu 1 2\n", "cpu 99999999999999999999 1 1 1 1 1 1\n", "cpu", "\x00cpu 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		used, err := parseProcStat(text)
		require.GreaterOrEqual(t, used, time.Duration(0))
		if err != nil {
			require.Zero(t, used)
		}
		require.LessOrEqual(t, countCPUs(text), strings.Count(text, "cpu"))
	})
}

func FuzzCgroupFiles(f *testing.F) {
	for _, seed := range []string{"usage_usec 5\n", "max 100000", "50000 100000", "0-3,7", "-1", "18446744073709551615", "24 22 0:22 / /sys/fs/cgroup rw - cgroup2 c rw"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (time.Duration, error){parseCPUStat, parseCPUAcct} {
			used, err := parse(text)
			require.GreaterOrEqual(t, used, time.Duration(0))
			if err != nil {
				require.Zero(t, used)
			}
		}
		if n, err := parseCPUAcct(text); err == nil {
			again, err := parseCPUAcct(strconv.FormatInt(int64(n), 10))
			require.NoError(t, err)
			require.Equal(t, n, again)
		}
		if q, err := parseCPUMax(text); err == nil {
			require.Positive(t, q)
			require.False(t, math.IsInf(q, 0))
		}
		n, err := parseCPUList(text)
		require.GreaterOrEqual(t, n, 0)
		if err != nil {
			require.Zero(t, n)
		}
		for _, m := range parseMounts(text) {
			require.False(t, strings.HasPrefix(m.at(text), "/"))
		}
	})
}
