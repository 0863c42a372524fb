package target

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Selector says which processes are meant: those that match every field that
// is set.
type Selector struct {
	// PID is one process; 0 means any.
	PID int
	// Exe is a glob (path.Match) on the path of the executable; one without a
	// slash is matched against the file's name.
	Exe string
	// Service selects by DD_SERVICE when nothing else is set; otherwise it is
	// what the selected processes are called.
	Service string
}

// Validate reports a selector that can match nothing or everything.
func (s Selector) Validate() error {
	if s.PID < 0 {
		return fmt.Errorf("pid: must be a process id, not %d", s.PID)
	}
	if s == (Selector{}) {
		return fmt.Errorf("names no process: set pid, exe or service")
	}
	if _, err := path.Match(s.Exe, ""); err != nil {
		return fmt.Errorf("exe: %q is not a glob pattern: close the bracket or escape it with a backslash", s.Exe)
	}
	return nil
}

// String is the selector in messages: "exe=/srv/*/shop service=tea".
func (s Selector) String() string {
	var parts []string
	if s.PID != 0 {
		parts = append(parts, "pid="+strconv.Itoa(s.PID))
	}
	if s.Exe != "" {
		parts = append(parts, "exe="+s.Exe)
	}
	if s.Service != "" {
		parts = append(parts, "service="+s.Service)
	}
	return strings.Join(parts, " ")
}

// match reports whether the selector means p, and returns p with the service's
// name as the selector has it.
func (s Selector) match(p Process) (Process, bool) {
	if s.PID == 0 && s.Exe == "" {
		return p, p.named && p.Service == s.Service
	}
	exe := strings.TrimSuffix(p.Exe, " (deleted)")
	if !strings.Contains(s.Exe, "/") {
		exe = executableName(exe)
	}
	ok, err := path.Match(s.Exe, exe)
	if s.PID != 0 && s.PID != p.PID || s.Exe != "" && (err != nil || !ok) {
		return p, false
	}
	p.Service = cmp.Or(s.Service, p.Service)
	return p, true
}

// candidates are the pids worth a look: those the selectors name, or all.
func candidates(selectors []Selector) ([]int, error) {
	var pids []int
	for _, s := range selectors {
		if s.PID == 0 {
			return allPIDs()
		}
		pids = append(pids, s.PID)
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// allPIDs lists /proc, in ascending order.
func allPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	defer func() { _ = dir.Close() }() // read only
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}
