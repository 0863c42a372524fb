package target

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// sleeper runs a copy of sleep under a name of the test's own.
func sleeper(t *testing.T, name string) int {
	t.Helper()
	path, err := exec.LookPath("sleep")
	require.NoError(t, err)
	exe := filepath.Join(t.TempDir(), name)
	// Not written by this process: a child that is started at the same time
	// would hold the file open for writing until it executes.
	require.NoError(t, exec.Command("cp", path, exe).Run())
	cmd := exec.Command(exe, "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func scan(t *testing.T, s *scanner) []Change {
	t.Helper()
	changes, err := s.scan()
	require.NoError(t, err)
	return changes
}

// TestScanPIDUsedAgain gives a pid another start time, as when the process
// ended and another got its number between two scans.
func TestScanPIDUsedAgain(t *testing.T) {
	t.Parallel()
	pid := sleeper(t, "reused")
	s := newScanner([]Selector{{PID: pid}})
	first := scan(t, s)
	require.Len(t, first, 1)
	require.Empty(t, scan(t, s), "nothing changed")

	old := first[0].Process
	old.Start--
	s.live[pid] = old
	require.Equal(t, []Change{{old, true}, {first[0].Process, false}}, scan(t, s), "ends before starts")
}

// TestScanForgets keeps nothing of processes that are gone.
func TestScanForgets(t *testing.T) {
	t.Parallel()
	other := sleeper(t, "ignored-by-scan")
	s := newScanner([]Selector{{Exe: "matches-nothing-at-all"}})
	require.Empty(t, scan(t, s))
	require.Contains(t, s.ignored, other)
	s.ignored[1<<30] = ignoredProcess{} // ended since
	require.Empty(t, scan(t, s))
	require.Contains(t, s.ignored, other)
	require.NotContains(t, s.ignored, 1<<30)
}

// TestScanLooksAgain: a process that was ignored for long is still found when it
// executes what is looked for, and so is another one with its pid.
func TestScanLooksAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ignoredProcess){
		"another program": func(p *ignoredProcess) { p.file.Inode++ },
		"another process": func(p *ignoredProcess) { p.inode++ },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pid := sleeper(t, "looked-at-again")
			s := newScanner([]Selector{{Exe: "matches-nothing-at-all"}})
			require.Empty(t, scan(t, s))
			was := s.ignored[pid]
			change(&was)
			was.scans = 1000
			s.ignored[pid] = was
			s.selectors = []Selector{{Exe: "looked-at-again", Service: "x"}}
			var found []int
			for range oldEvery {
				for _, c := range scan(t, s) {
					found = append(found, c.Process.PID)
				}
			}
			require.Contains(t, found, pid)
		})
	}
}

// TestScanYoung: what has just been started is looked at each time.
func TestScanYoung(t *testing.T) {
	t.Parallel()
	for pid := range oldEvery {
		var looks int
		for scans := 1; scans <= youngScans+10*oldEvery; scans++ {
			if (ignoredProcess{scans: scans}).due(pid) {
				looks++
			}
			if scans == youngScans {
				require.Equal(t, youngScans, looks)
			}
		}
		require.Equal(t, youngScans+10, looks)
	}
}

// TestScanSecondSelector lets the first selector that matches name the service.
func TestScanSecondSelector(t *testing.T) {
	t.Parallel()
	pid := sleeper(t, "named")
	s := newScanner([]Selector{{PID: 1 << 30}, {PID: pid, Service: "first"}, {PID: pid, Service: "second"}})
	changes := scan(t, s)
	require.Len(t, changes, 1)
	require.Equal(t, "first", changes[0].Process.Service)
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	pids, err := candidates([]Selector{{PID: 7}, {PID: 3}, {PID: 7, Exe: "x"}})
	require.NoError(t, err)
	require.Equal(t, []int{3, 7}, pids)
	pids, err = candidates([]Selector{{PID: 7}, {Exe: "x"}})
	require.NoError(t, err)
	require.Contains(t, pids, os.Getpid())
	require.IsIncreasing(t, pids)
	pids, err = candidates(nil)
	require.NoError(t, err)
	require.Empty(t, pids)
}

func TestScanNeverFindsItself(t *testing.T) {
	t.Parallel()
	s := newScanner([]Selector{{Exe: "*"}})
	for _, c := range scan(t, s) {
		require.NotEqual(t, os.Getpid(), c.Process.PID)
	}
}

// BenchmarkScan looks at the processes of this machine, none of which match.
func BenchmarkScan(b *testing.B) {
	s := newScanner([]Selector{{Exe: "matches-nothing-at-all"}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.scan(); err != nil {
			b.Fatal(err)
		}
	}
	pids, err := allPIDs()
	require.NoError(b, err)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pids)), "ns/process")
}
