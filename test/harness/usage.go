package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Usage is what a process has used of the machine so far.
type Usage struct {
	// CPU is user and system time of all its threads, in steps of 10 ms.
	CPU time.Duration
	// Peak is the most resident memory it had at any time, in bytes.
	Peak int64
}

// Usage reads what the process has used. It fails once the process has ended.
func (p *Process) Usage() (u Usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return u, fmt.Errorf("read the CPU time: %w", err)
	}
	// The name may hold spaces and brackets; field 3 follows its last bracket.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const utime, stime, perSecond = 14 - 3, 15 - 3, 100 // proc_pid_stat(5); USER_HZ is 100 on every architecture of Go
	for _, i := range []int{utime, stime} {
		if i >= len(fields) {
			return u, errors.New("read the CPU time: too few fields")
		}
		ticks, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return u, fmt.Errorf("read the CPU time: %w", err)
		}
		u.CPU += time.Duration(ticks) * time.Second / perSecond
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return u, fmt.Errorf("read the peak of memory: %w", err)
	}
	_, rest, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	if _, err := fmt.Sscanf(string(rest), "%d kB", &u.Peak); err != nil {
		return u, fmt.Errorf("read the peak of memory: %w", err)
	}
	u.Peak *= 1024
	return u, nil
}
