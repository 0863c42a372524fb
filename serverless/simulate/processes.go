package simulate

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is what /proc says about one process.
type process struct {
	pid, parent, session int
	state                byte // R, S, D, T, Z …
	name                 string
}

func (p process) String() string { return fmt.Sprintf("%s (pid %d)", p.name, p.pid) }

// members are the living processes of the machine whose first process is root
// and whose processes inherit mark in their environment. A descendant is found
// although it changed its group, its session or its parent; only one that did
// all of it and cleared its environment is not. Parents come before children.
func members(root int, mark string) []process {
	processes := map[int]process{}
	var order []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // ended meanwhile
		}
		if p, ok := parseStat(string(text)); ok && p.state != 'Z' && p.state != 'X' {
			processes[pid] = p
			order = append(order, pid)
		}
	}
	var found []process
	for _, pid := range order {
		p := processes[pid]
		if descends(processes, p, root) || p.session == root || marked(pid, mark) {
			found = append(found, p)
		}
	}
	return found
}

func descends(all map[int]process, p process, root int) bool {
	for range len(all) { // bounded: the table is no snapshot and may hold a cycle
		if p.pid == root {
			return true
		}
		parent, ok := all[p.parent]
		if !ok {
			return false
		}
		p = parent
	}
	return false
}

// marked reports that the process was started with mark in its environment.
func marked(pid int, mark string) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false // another user's, or ended
	}
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		if string(variable) == mark {
			return true
		}
	}
	return false
}

// parseStat reads /proc/PID/stat. The name is in parentheses and may hold any.
func parseStat(text string) (process, bool) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return process{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(text[:open]))
	fields := strings.Fields(text[end+1:])
	if err != nil || len(fields) < 4 || len(fields[0]) != 1 {
		return process{}, false
	}
	parent, err1 := strconv.Atoi(fields[1])
	session, err2 := strconv.Atoi(fields[3])
	return process{pid: pid, parent: parent, session: session, state: fields[0][0], name: text[open+1 : end]}, err1 == nil && err2 == nil
}

// noRoot stands for an entrypoint that has ended.
const noRoot = -1

// stopRounds bounds how often stopAll looks for processes that were forked while
// it was looking.
const stopRounds = 20

// stopAll stops every member, and those that appear meanwhile, until all of them
// stand still.
func stopAll(root func() int, mark string) {
	for range stopRounds {
		moving := 0
		for _, p := range members(root(), mark) {
			if p.state != 'T' {
				moving++
				_ = syscall.Kill(p.pid, syscall.SIGSTOP) // it may have ended
			}
		}
		if moving == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
