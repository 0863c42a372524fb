package registry

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LockedError means that another running agent owns the run path.
type LockedError struct {
	// Dir is the run path.
	Dir string
	// PID is the owner's process id, 0 when it is not known.
	PID int
}

func (e *LockedError) Error() string {
	owner := "another agent"
	if e.PID > 0 {
		owner = fmt.Sprintf("the agent with pid %d", e.PID)
	}
	return fmt.Sprintf("run path %s is in use by %s: stop it, or give this one its own run_path", e.Dir, owner)
}

// lock takes the advisory lock that keeps two agents from sharing a run path.
// The kernel drops it with the process, so a crash leaves nothing to clean up;
// the file stays, and holds the pid for the error text only.
func lock(dir, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &LockedError{Dir: dir, PID: readPID(f)}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := writePID(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write pid to %s: %w", path, err)
	}
	return f, nil
}

func readPID(f *os.File) int {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}
