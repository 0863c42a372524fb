package target

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ID is the identity of a process.
type ID struct {
	PID int
	// Start is when it was started, in clock ticks after boot.
	Start uint64
}

// File is the identity of an executable on disk.
type File struct{ Dev, Inode uint64 }

// Process is what was found out about a running process.
type Process struct {
	ID
	// Exe is the path of its executable as the process sees it, with
	// " (deleted)" at the end when the file was replaced or removed.
	Exe string
	// File changes when the process executes another program.
	File File
	// stack changes whenever it executes a program, also the same one: a
	// position-independent one is then somewhere else.
	stack uint64
	// Service is DD_SERVICE of its environment when it started, or the name of
	// its executable.
	Service string
	// named says that Service came from the environment.
	named bool
}

// ExePath is a path that opens the executable itself, also from another mount
// namespace and after the file was replaced.
func (p Process) ExePath() string { return procFile(p.PID, "exe") }

// Name is the file name of the executable.
func (p Process) Name() string { return executableName(p.Exe) }

func procFile(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}

// Inspect looks at one process. The error names the pid and matches one of the
// package's errors when it can be told apart.
func Inspect(pid int) (Process, error) {
	p, err := inspect(pid)
	if err != nil {
		return Process{}, fmt.Errorf("pid %d: %w", pid, err)
	}
	return p, nil
}

func inspect(pid int) (Process, error) {
	switch {
	case pid <= 0:
		return Process{}, ErrNoProcess
	case pid == os.Getpid():
		return Process{}, ErrSelf
	}
	if leader, err := threadGroup(pid); err != nil {
		return Process{}, err
	} else if leader != pid {
		return Process{}, fmt.Errorf("a thread of process %d: give that pid", leader)
	}
	st, err := readStat(pid)
	if err != nil {
		return Process{}, err
	}
	exe, err := os.Readlink(procFile(pid, "exe"))
	if err != nil {
		return Process{}, classify(err)
	}
	file, err := fileOf(pid)
	if err != nil {
		return Process{}, err
	}
	p := Process{ID: ID{pid, st.start}, Exe: exe, File: file, stack: st.stack}
	// Without permission to read the environment the executable's name serves.
	env, _ := os.ReadFile(procFile(pid, "environ"))
	p.Service, p.named = lookup(env, "DD_SERVICE")
	p.Service = cmp.Or(p.Service, executableName(exe))
	return p, nil
}

// fileOf is the identity of the executable a process runs at the moment.
func fileOf(pid int) (File, error) {
	var st unix.Stat_t
	if err := unix.Stat(procFile(pid, "exe"), &st); err != nil {
		return File{}, classify(err)
	}
	return File{st.Dev, st.Ino}, nil
}

// executableName is the last element of an executable's path.
func executableName(exe string) string {
	return filepath.Base(strings.TrimSuffix(exe, " (deleted)"))
}

// Running reports whether the process is there and has not executed a program
// since it was looked at.
func (p Process) Running() bool {
	st, err := readStat(p.PID)
	if err != nil || st.start != p.Start || st.stack != p.stack && st.stack != 0 && p.stack != 0 {
		return false
	}
	file, err := fileOf(p.PID)
	return err == nil && file == p.File
}

// lookup finds a variable in an environment as the kernel shows it: NAME=value
// pairs that end in a zero byte.
func lookup(environ []byte, name string) (value string, ok bool) {
	for pair := range bytes.SplitSeq(environ, []byte{0}) {
		if v, found := bytes.CutPrefix(pair, []byte(name+"=")); found && len(v) > 0 {
			return string(v), true
		}
	}
	return "", false
}
