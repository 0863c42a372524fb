package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/vigil-agent/vigil/test/harness"
)

// Cadences of the terminal.
const (
	summaryEvery = 5 * time.Second
	pollEvery    = 100 * time.Millisecond
	// stopTimeout bounds each process's own shutdown.
	stopTimeout = 10 * time.Second
)

// play starts the service and the agent, shows what arrives until ctx ends, and
// stops both, the service first so that its last lines are still shipped.
func (s *stage) play(ctx context.Context, view *view) (err error) {
	var readers sync.WaitGroup
	readersDone, stopReaders := context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		stopReaders()
		err = errors.Join(err, s.statsd.SetReadDeadline(time.Now()))
		readers.Wait()
	}()

	shop, err := harness.Start(harness.Options{
		Path: s.shop, Args: []string{"-log", s.path("shop.log"), "-rate", fmt.Sprint(s.options.rate)}, Stderr: s.path("shop.stderr"),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.Stop(stopTimeout)) }()
	agent, err := harness.Start(harness.Options{
		Path: s.options.agent, Args: []string{"run", "--config", s.path("vigil.yaml"), "--json"},
		Env: []string{"AWS_LAMBDA_MICROVM_IMAGE_ARN=" + imageARN}, Stderr: s.path("agent.log"), Watch: view.agentLine,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, agent.Stop(stopTimeout)) }()

	readers.Go(func() { readDatagrams(s.statsd, view.metric) })
	readers.Go(func() { follow(readersDone, s.path("journal.ndjson"), view.logLine) })
	readers.Go(func() { follow(readersDone, s.path("snapshots.ndjson"), view.snapshot) })

	if err := s.runHook(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	view.started(shop.PID(), agent.PID())
	if term.IsTerminal(int(os.Stdin.Fd())) {
		go onEnter(os.Stdin, view.stack) // ends with the process: a read of the terminal cannot be interrupted
	}
	summary := time.NewTicker(summaryEvery)
	defer summary.Stop()
	for {
		select {
		case <-ctx.Done():
			// The service first, then the agent, which drains; the readers
			// see the rest before they end.
			err := errors.Join(shop.Stop(stopTimeout), agent.Stop(stopTimeout))
			stopReaders()
			return err
		case <-shop.Ended():
			return fmt.Errorf("the service ended by itself: %w; see %s", shop.Wait(), s.path("shop.stderr"))
		case <-agent.Ended():
			return fmt.Errorf("the agent ended by itself: %w; see %s", agent.Wait(), s.path("agent.log"))
		case <-summary.C:
			view.summary()
		}
	}
}
