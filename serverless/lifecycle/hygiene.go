package lifecycle

import (
	"context"
	"sync"
)

// Hygiene is a part of the agent that a snapshot must not take by surprise.
// Every machine made from one snapshot starts with the same memory: what is
// buffered would be sent by each of them, and what is connected is dead.
type Hygiene interface {
	// BeforeSnapshot sends out or drops what is buffered, and closes idle
	// connections, before ctx ends. It is called each time ready is about to be
	// answered with 200; the agent may run on for a while afterwards.
	BeforeSnapshot(ctx context.Context)
	// AfterRestore is called once run or resume has arrived, or whatever hook
	// follows ready: connections are dead now, and what must differ from clone to
	// clone is to be drawn anew. It must be quick, and must not mind being called
	// without a restore.
	AfterRestore()
}

// Restore says how the machine came to life.
type Restore struct {
	// Hook is Run or Resume.
	Hook Hook
	// ID is the instance id, empty while unknown.
	ID string
}

// hygiene calls foreign code, each part behind a gate of its own.
type hygiene []hygienist

type hygienist struct {
	part Hygiene
	gate gate
}

func newHygiene(parts []Hygiene, calls *sync.WaitGroup) hygiene {
	var h hygiene
	for _, part := range parts {
		h = append(h, hygienist{part: part, gate: newGate(calls)})
	}
	return h
}

// each has every part do call and returns the first failure, after all are done
// or ctx has ended.
func (h hygiene) each(ctx context.Context, call func(Hygiene, context.Context)) (err error) {
	waits := make([]func(context.Context) error, len(h))
	for i, one := range h {
		waits[i] = one.gate.begin(ctx, func(ctx context.Context) error {
			call(one.part, ctx)
			return nil
		})
	}
	for _, wait := range waits {
		if failure := wait(ctx); failure != nil && err == nil {
			err = failure
		}
	}
	return err
}
