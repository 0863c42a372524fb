package hooks

import "context"

// Hygiene is a component that a snapshot must not take by surprise: every
// machine made from one snapshot starts with the same memory.
type Hygiene interface {
	// BeforeSnapshot sends out or drops what is buffered, and closes idle
	// connections, before ctx ends. A snapshot may follow, or not.
	BeforeSnapshot(ctx context.Context)
	// AfterRestore is quick, and called without a restore at times: connections
	// are dead now, and what must differ from clone to clone is to be drawn anew.
	AfterRestore()
}
