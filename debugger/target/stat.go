package target

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// Fields of /proc/PID/stat, counted from 0 at the state, which follows the
// name in parentheses (proc_pid_stat(5)).
const (
	statState     = 0
	statFlags     = 6
	statStartTime = 19
	statStack     = 25
)

// kernelThreadFlag is PF_KTHREAD of linux/sched.h.
const kernelThreadFlag = 0x00200000

// stat is what tells one process, and one program that it runs, from another.
type stat struct {
	// start is when the process was started, in clock ticks after boot.
	start uint64
	// stack is where the stack of the program begins, which is random. 0 when
	// it may not be known.
	stack uint64
}

// readStat fails for a process that has ended but was not waited for, and for
// threads of the kernel.
func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return stat{}, classify(err)
	}
	return parseStat(text)
}

func parseStat(text []byte) (s stat, err error) {
	// The name may hold anything, parentheses and spaces included.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= statStack {
		return stat{}, fmt.Errorf("read the start time: %d fields in %q", len(fields), text)
	}
	switch fields[statState][0] {
	case 'Z', 'X', 'x':
		return stat{}, ErrNoProcess
	}
	flags, err := strconv.ParseUint(string(fields[statFlags]), 10, 64)
	if err == nil && flags&kernelThreadFlag != 0 {
		return stat{}, ErrKernelThread
	}
	if s.start, err = strconv.ParseUint(string(fields[statStartTime]), 10, 64); err != nil {
		return stat{}, fmt.Errorf("read the start time: %w", err)
	}
	if s.stack, err = strconv.ParseUint(string(fields[statStack]), 10, 64); err != nil {
		return stat{}, fmt.Errorf("read where the stack is: %w", err)
	}
	return s, nil
}

// threadGroup is the process that a thread id belongs to; for a process, its
// own pid.
func threadGroup(pid int) (int, error) {
	text, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		return 0, classify(err)
	}
	for line := range bytes.Lines(text) {
		if v, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			return strconv.Atoi(string(bytes.TrimSpace(v)))
		}
	}
	return 0, fmt.Errorf("read the thread group: no Tgid in %s", procFile(pid, "status"))
}
