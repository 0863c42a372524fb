package debugger

import (
	"errors"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/target"
)

// Errors that callers tell apart.
var (
	// ErrNotSupported is matched when the machine or the agent's privileges
	// cannot carry probes. The error names what is missing and what to do.
	ErrNotSupported = bpf.ErrNotSupported
	// ErrNoProcess is matched when a pid names no running process.
	ErrNoProcess = target.ErrNoProcess
	// ErrPermission is matched when a process may not be looked at.
	ErrPermission = target.ErrPermission
	// ErrNotGo is matched when a process runs something else than a Go program.
	ErrNotGo = binary.ErrNotGo
)

// errStopped is what a second Start after Stop gets.
var errStopped = errors.New("the debugger was stopped: make a new one")
