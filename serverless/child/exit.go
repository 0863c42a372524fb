package child

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// Exit codes that are not the process's own, as shells use them.
const (
	// NotEnded is the exit code of a process that still runs or never started.
	NotEnded = -1
	// exitSignal plus the signal's number is the code of a process it killed.
	exitSignal = 128
	// exitNotFound and exitNotRunnable are the codes of a failed spawn.
	exitNotFound    = 127
	exitNotRunnable = 126
)

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitSignal + int(status.Signal())
	}
	return state.ExitCode()
}

func spawnFailureCode(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitNotRunnable
}
