package registry

import "fmt"

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
