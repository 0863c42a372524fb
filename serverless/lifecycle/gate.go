package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// errLate says that foreign code had not returned when its time was over.
var errLate = errors.New("did not finish in its share of the hook budget")

// gate stands before code that may block for ever. One call at a time gets
// through; those behind it give up with their context, so however often a hook
// is retried at most one goroutine stays behind.
type gate struct {
	turn  chan struct{}
	calls *sync.WaitGroup // counts every goroutine until it ends
}

func newGate(calls *sync.WaitGroup) gate {
	return gate{turn: make(chan struct{}, 1), calls: calls}
}

// begin calls f in its own goroutine as soon as it is f's turn. f has until the
// deadline of ctx, even if ctx is cancelled before; the returned function waits
// for the result until its own context ends.
func (g gate) begin(ctx context.Context, f func(context.Context) error) (wait func(context.Context) error) {
	result := make(chan error, 1)
	ctx, cancel := keepDeadline(ctx)
	g.calls.Go(func() {
		defer cancel()
		if !g.enter(ctx) {
			result <- errLate
			return
		}
		defer func() { <-g.turn }()
		result <- safely(ctx, f)
	})
	return func(ctx context.Context) error {
		select {
		case err := <-result:
			return err
		case <-ctx.Done():
		}
		select {
		case err := <-result:
			return err
		default:
			return errLate
		}
	}
}

func keepDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	detached := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(detached, deadline)
	}
	return context.WithCancel(detached)
}

func (g gate) enter(ctx context.Context) bool {
	select {
	case g.turn <- struct{}{}:
		return true
	default:
	}
	select {
	case g.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func safely(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panicked: %v", p)
		}
	}()
	return f(ctx)
}
