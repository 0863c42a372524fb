package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// Source reads CPU time and limit of the group that this process belongs to, the
// application included: from the cgroup hierarchies if any is mounted, else from
// procfs for the whole machine. It is not safe for concurrent use.
type Source struct {
	root  fs.FS
	files *files // found on first use
}

// files are the paths to read; empty where there is none.
type files struct {
	procfs     bool // no cgroup file system is mounted
	stat       string
	acct       string // version 1
	max        string // version 2
	quota      string // version 1
	period     string
	cpusets    []string // alternatives
	notMounted error    // why there is no usage
}

// NewSource reads below root, which is os.DirFS("/") outside of tests.
func NewSource(root fs.FS) *Source { return &Source{root: root} }

// HostSource reads this machine's files.
func HostSource() *Source { return NewSource(os.DirFS("/")) }

// Used is the CPU time used so far.
func (s *Source) Used() (time.Duration, error) {
	f, err := s.find()
	if err != nil {
		return 0, err
	}
	switch {
	case f.procfs:
		return readAs(s.root, procStat, parseProcStat)
	case f.acct != "":
		return readAs(s.root, f.acct, parseCPUAcct)
	case f.stat != "":
		return readAs(s.root, f.stat, parseCPUStat)
	default:
		return 0, f.notMounted
	}
}

// Limit is how much CPU may be used, in nanocores.
func (s *Source) Limit() (float64, error) {
	f, err := s.find()
	if err != nil {
		return 0, err
	}
	host, err := readAs(s.root, procStat, func(text string) (int, error) {
		if n := countCPUs(text); n > 0 {
			return n, nil
		}
		return 0, errors.New("no CPU is listed")
	})
	if err != nil || f.procfs {
		return limit(host, 0, 0), err
	}
	set, err := s.cpuset(f)
	if err != nil {
		return 0, err
	}
	quota, err := s.quota(f)
	if err != nil {
		return 0, err
	}
	return limit(host, set, quota), nil
}

// cpuset is the number of CPUs of the group, 0 where the kernel does not say.
func (s *Source) cpuset(f *files) (int, error) {
	for _, name := range f.cpusets {
		n, err := readAs(s.root, name, parseCPUList)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return n, err
	}
	return 0, nil
}

// quota is the CFS quota of the group in nanocores, 0 for none. A root group has
// no such file.
func (s *Source) quota(f *files) (q float64, err error) {
	switch {
	case f.quota != "":
		q, err = readAs(s.root, f.quota, func(quota string) (float64, error) {
			return readAs(s.root, f.period, func(period string) (float64, error) { return parseCFS(quota, period) })
		})
	case f.max != "":
		q, err = readAs(s.root, f.max, parseCPUMax)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoLimit) {
		return 0, nil
	}
	return q, err
}

const (
	procStat      = "proc/stat"
	procMounts    = "proc/self/mountinfo"
	procCgroups   = "proc/self/cgroup"
	cpuController = "cpu"
)

// find looks once for the files to read.
func (s *Source) find() (*files, error) {
	if s.files != nil {
		return s.files, nil
	}
	mountinfo, err := read(s.root, procMounts)
	if err != nil {
		return nil, err
	}
	mounts := parseMounts(mountinfo)
	if len(mounts) == 0 {
		s.files = &files{procfs: true}
		return s.files, nil
	}
	cgroups, err := read(s.root, procCgroups)
	if err != nil {
		return nil, err
	}
	f := &files{notMounted: errors.New("a cgroup file system is mounted, but none that accounts for CPU time")}
	// A hierarchy of version 1 wins: where both are mounted, it has the controller.
	for _, m := range mounts {
		dir := s.dir(m, group(cgroups, m))
		if m.v2 {
			f.stat, f.max = path.Join(dir, "cpu.stat"), path.Join(dir, "cpu.max")
			f.cpusets = append(f.cpusets, path.Join(dir, "cpuset.cpus.effective"))
			continue
		}
		if m.has("cpuacct") {
			f.acct = path.Join(dir, "cpuacct.usage")
		}
		if m.has(cpuController) {
			f.quota, f.period = path.Join(dir, "cpu.cfs_quota_us"), path.Join(dir, "cpu.cfs_period_us")
		}
		if m.has("cpuset") {
			f.cpusets = append([]string{path.Join(dir, "cpuset.effective_cpus"), path.Join(dir, "cpuset.cpus")}, f.cpusets...)
		}
	}
	s.files = f
	return f, nil
}

// dir is the directory of the group, or the mount point if this process cannot
// see the group's own.
func (s *Source) dir(m mount, group string) string {
	dir := m.at(group)
	if _, err := fs.Stat(s.root, dir); err != nil {
		return m.at("")
	}
	return dir
}

func readAs[T any](root fs.FS, name string, parse func(string) (T, error)) (T, error) {
	text, err := read(root, name)
	if err != nil {
		var none T
		return none, err
	}
	value, err := parse(text)
	if err != nil && !errors.Is(err, errNoLimit) {
		err = fmt.Errorf("usage: /%s: %w", name, err)
	}
	return value, err
}

func read(root fs.FS, name string) (string, error) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return "", fmt.Errorf("usage: %w", err)
	}
	return strings.ToValidUTF8(string(text), "?"), nil
}
