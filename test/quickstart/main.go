// Command quickstart is what `make run` starts: a small Go service that serves
// itself traffic and logs to a file, and the agent watching it: a heartbeat, a
// log stream into the embedded intake, and a probe on one of the service's
// functions. The terminal shows what arrives.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.agent, "agent", "bin/vigil", "the agent's binary")
	flag.StringVar(&o.dir, "dir", "", "folder for the configuration, logs and journal (default: a new temporary one, removed at the end)")
	flag.DurationVar(&o.length, "for", 0, "end by itself after this long (default: at Ctrl-C)")
	flag.BoolVar(&o.stacks, "stacks", false, "show the stack under every snapshot")
	flag.Float64Var(&o.rate, "rate", 20, "orders a second that the service gets")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends it at once
	err := run(ctx, o)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	agent, dir string
	length     time.Duration
	stacks     bool
	rate       float64
}

func run(ctx context.Context, o options) (err error) {
	if o.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.length)
		defer cancel()
	}
	s, err := newStage(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.close(); err == nil {
			err = closeErr
		}
	}()
	view := newView(os.Stdout, o.stacks)
	if err := s.play(ctx, view); err != nil {
		return err
	}
	view.total(s.dir, o.dir != "")
	return nil
}
