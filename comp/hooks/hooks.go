// Package hooks is what components offer to the lifecycle of a MicroVM: things
// that must be flushed before the platform freezes or ends the instance, and
// things that carry its identity. It lets serverlessfx reach them without
// knowing them.
package hooks

import "context"

// Flusher puts what a component has accepted so far on the wire.
type Flusher interface {
	Name() string
	Flush(ctx context.Context) error
}

// Retagger adds tags to everything a component sends from now on, instead of
// the tags of the call before.
type Retagger interface{ Retag(tags []string) }

// FlushFunc is a Flusher made of a name and a function.
type FlushFunc struct {
	Label string
	Func  func(ctx context.Context) error
}

// Name implements Flusher.
func (f FlushFunc) Name() string { return f.Label }

// Flush implements Flusher.
func (f FlushFunc) Flush(ctx context.Context) error { return f.Func(ctx) }
