package lifecycle

import (
	"context"
	"log/slog"
	"sync"
)

// Flusher sends out everything it has taken in, open time buckets included,
// before ctx ends. Name appears in logs.
type Flusher interface {
	Name() string
	Flush(ctx context.Context) error
}

// Drainer moves what is still on its way into a Flusher's hands. It must be
// repeatable and obey ctx.
type Drainer interface {
	Name() string
	Drain(ctx context.Context) error
}

// crew is a group of foreign calls that run side by side.
type crew []member

type member struct {
	name string
	call func(context.Context) error
	gate gate
}

func newCrew[T interface{ Name() string }](list []T, call func(T, context.Context) error, calls *sync.WaitGroup) crew {
	var c crew
	for _, one := range list {
		c = append(c, member{
			name: one.Name(),
			call: func(ctx context.Context) error { return call(one, ctx) },
			gate: newGate(calls),
		})
	}
	return c
}

// work has every member do its part and waits until all are done or ctx ends.
func (c crew) work(ctx context.Context, log *slog.Logger, stage string) {
	waits := make([]func(context.Context) error, len(c))
	for i, m := range c {
		waits[i] = m.gate.begin(ctx, m.call)
	}
	for i, m := range c {
		if err := waits[i](ctx); err != nil {
			log.Warn("data may be lost", "stage", stage, "of", m.name, "err", err)
		}
	}
}
