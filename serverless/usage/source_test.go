package usage_test

import (
	"math"
	"os"
	"runtime"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/usage"
)

const (
	twoCPUs  = "cpu  100 0 0 0 0 0 0 0\ncpu0 50 0 0 0 0 0 0\ncpu1 50 0 0 0 0 0 0\n"
	rootLine = "22 1 0:20 / / rw - ext4 /dev/root rw\n"
	v2Line   = "24 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	v1Lines  = "25 22 0:23 / /cg/cpu rw - cgroup cgroup rw,cpu\n" +
		"26 22 0:24 / /cg/acct rw - cgroup cgroup rw,cpuacct\n" +
		"27 22 0:25 / /cg/set rw - cgroup cgroup rw,cpuset\n"
)

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"proc/stat": {Data: []byte(twoCPUs)}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestSource(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		used  time.Duration
		limit float64
	}{
		"version 2, own group": {map[string]string{
			"proc/self/mountinfo": rootLine + v2Line, "proc/self/cgroup": "0::/app\n",
			"sys/fs/cgroup/app/cpu.stat": "usage_usec 7000\n", "sys/fs/cgroup/app/cpu.max": "50000 100000\n",
			"sys/fs/cgroup/app/cpuset.cpus.effective": "0-1\n",
		}, 7 * time.Millisecond, 0.5e9},
		"version 2, root group without a quota": {map[string]string{
			"proc/self/mountinfo": v2Line, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.stat": "usage_usec 7000\n",
		}, 7 * time.Millisecond, 2e9},
		"version 2, group not visible": {map[string]string{
			"proc/self/mountinfo": v2Line, "proc/self/cgroup": "0::/gone\n", "sys/fs/cgroup/cpu.stat": "usage_usec 9000\n",
			"sys/fs/cgroup/cpu.max": "max 100000\n", "sys/fs/cgroup/cpuset.cpus.effective": "1\n",
		}, 9 * time.Millisecond, 1e9},
		"version 1": {map[string]string{
			"proc/self/mountinfo": v1Lines, "proc/self/cgroup": "3:cpuset:/app\n2:cpuacct:/app\n1:cpu:/app\n",
			"cg/acct/app/cpuacct.usage": "42\n", "cg/cpu/app/cpu.cfs_quota_us": "150000\n", "cg/cpu/app/cpu.cfs_period_us": "100000\n",
			"cg/set/app/cpuset.cpus": "0\n",
		}, 42, 1e9},
		"both: version 1 has the controllers": {map[string]string{
			"proc/self/mountinfo": v2Line + v1Lines, "proc/self/cgroup": "2:cpuacct:/\n1:cpu:/\n3:cpuset:/\n0::/\n",
			"cg/acct/cpuacct.usage": "42\n", "cg/cpu/cpu.cfs_quota_us": "-1\n", "cg/cpu/cpu.cfs_period_us": "100000\n",
			"cg/set/cpuset.effective_cpus": "\n", "sys/fs/cgroup/cpu.stat": "usage_usec 1\n",
		}, 42, 2e9},
		"procfs": {map[string]string{"proc/self/mountinfo": rootLine}, time.Second, 2e9},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := usage.NewSource(tree(tt.files))
			for range 2 {
				used, err := s.Used()
				require.NoError(t, err)
				require.Equal(t, tt.used, used)
				limit, err := s.Limit()
				require.NoError(t, err)
				require.InDelta(t, tt.limit, limit, 0.5)
			}
		})
	}
}

func TestSourceErrorsAreNoZeros(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files       map[string]string
		used, limit string // empty: no error
	}{
		"no mount table": {nil, "usage: open proc/self/mountinfo: file does not exist", "usage: open proc/self/mountinfo: file does not exist"},
		"a cgroup without CPU time is no reason for procfs": {
			map[string]string{"proc/self/mountinfo": "25 22 0:23 / /cg/mem rw - cgroup cgroup rw,memory\n", "proc/self/cgroup": ""},
			"a cgroup file system is mounted, but none that accounts for CPU time", "",
		},
		"broken files": {
			map[string]string{
				"proc/self/mountinfo": v2Line, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.stat": "nr_periods 1\n", "sys/fs/cgroup/cpu.max": "x 1\n",
			},
			"usage: /sys/fs/cgroup/cpu.stat: cpu.stat has no line usage_usec",
			`usage: /sys/fs/cgroup/cpu.max: CFS quota: counter "x": strconv.ParseUint: parsing "x": invalid syntax`,
		},
		"broken procfs": {
			map[string]string{"proc/self/mountinfo": rootLine, "proc/stat": "cpu 1 2 3 4 5 6\n"},
			"usage: /proc/stat: the aggregate line of /proc/stat has 6 counters, want at least 7", "usage: /proc/stat: no CPU is listed",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := usage.NewSource(tree(tt.files))
			used, err := s.Used()
			require.EqualError(t, err, tt.used)
			require.Zero(t, used)
			_, err = s.Limit()
			if tt.limit == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.limit)
			}
		})
	}
}

// The real files of the machine the test runs on.
func TestHostSource(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/mountinfo"); err != nil {
		t.Skip("not supported here: no procfs")
	}
	s := usage.HostSource()
	before, err := s.Used()
	require.NoError(t, err)
	x := 1.0
	for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; {
		x = math.Sqrt(x + 1)
	}
	after, err := s.Used()
	require.NoError(t, err)
	require.Greater(t, after, before, "%v", x)
	limit, err := s.Limit()
	require.NoError(t, err)
	require.Positive(t, limit)
	require.LessOrEqual(t, limit, 1e9*float64(max(runtime.NumCPU(), 4096)))
}
