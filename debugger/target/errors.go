package target

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Errors of Inspect.
var (
	// ErrNoProcess says that the pid names no process, or one that has ended.
	ErrNoProcess = errors.New("no such process: list the running ones with ps")
	// ErrPermission says that the process may not be looked at.
	ErrPermission = errors.New("not permitted to look at the process: run as its user with CAP_SYS_PTRACE, or as root")
	// ErrKernelThread says that the pid is a thread of the kernel.
	ErrKernelThread = errors.New("a kernel thread, which runs no program")
	// ErrSelf says that the pid is this very process.
	ErrSelf = errors.New("the pid of vigil itself, which is not probed")
)

// classify turns the error of reading /proc/PID into one of the above where it
// says the same.
func classify(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		return ErrNoProcess
	case errors.Is(err, fs.ErrPermission):
		return ErrPermission
	}
	return err
}
