package target

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// scanner compares the processes of this moment with those of the last scan.
// It is the decisions of a Follower without its waiting.
type scanner struct {
	selectors []Selector
	// live are the processes that were reported and have not ended.
	live map[int]Process
	// ignored are the processes that match no selector, by pid.
	ignored map[int]ignoredProcess
}

// ignoredProcess is a process that matched no selector when it was looked at.
type ignoredProcess struct {
	// inode is that of its directory in /proc, which the kernel makes anew for
	// another process: a cheaper identity than the start time.
	inode uint64
	// file is what it ran; the zero File for a thread of the kernel.
	file File
	// scans is how often it was met since.
	scans int
}

// A process that was just started may be about to execute what is looked for.
// One that has been there for a while rarely does: looking at it costs two
// system calls, and most processes of most machines are ignored.
const (
	youngScans = 5
	oldEvery   = 10
)

// due reports whether the process is worth a look in this scan.
func (p ignoredProcess) due(pid int) bool {
	return p.scans <= youngScans || (p.scans+pid)%oldEvery == 0
}

func newScanner(selectors []Selector) *scanner {
	return &scanner{selectors: selectors, live: map[int]Process{}, ignored: map[int]ignoredProcess{}}
}

// scan returns what changed since the last scan, ends before starts.
func (s *scanner) scan() ([]Change, error) {
	pids, err := candidates(s.selectors)
	if err != nil {
		return nil, err
	}
	var ended, started []Change
	for _, pid := range sorted(s.live) {
		if p := s.live[pid]; !p.Running() {
			ended = append(ended, s.end(pid))
		}
	}
	ignored := make(map[int]ignoredProcess, len(s.ignored))
	for _, pid := range pids {
		if _, ok := s.live[pid]; ok {
			continue
		}
		if p, ok := s.consider(pid, ignored); ok {
			s.live[pid] = p
			started = append(started, Change{Process: p})
		}
	}
	s.ignored = ignored
	return append(ended, started...), nil
}

// end forgets a process.
func (s *scanner) end(pid int) Change {
	p := s.live[pid]
	delete(s.live, pid)
	return Change{Process: p, Ended: true}
}

// consider looks at a process that is not followed. One that was ignored
// before is inspected again only when it has executed another program; those
// that are ignored now are noted.
func (s *scanner) consider(pid int, ignored map[int]ignoredProcess) (Process, bool) {
	was, known := s.ignored[pid]
	was.scans++
	if known && !was.due(pid) {
		ignored[pid] = was
		return Process{}, false
	}
	var st unix.Stat_t
	if err := unix.Stat(procFile(pid, ""), &st); err != nil {
		return Process{}, false
	}
	file, _ := fileOf(pid) // threads of the kernel have none
	if known && was.inode == st.Ino && was.file == file {
		ignored[pid] = was
		return Process{}, false
	}
	p, err := inspect(pid)
	switch {
	case errors.Is(err, ErrKernelThread):
	case err != nil:
		return Process{}, false
	default:
		for _, sel := range s.selectors {
			if p, ok := sel.match(p); ok {
				return p, true
			}
		}
	}
	ignored[pid] = ignoredProcess{inode: st.Ino, file: file}
	return Process{}, false
}

func sorted(m map[int]Process) []int {
	pids := make([]int, 0, len(m))
	for pid := range m {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}
