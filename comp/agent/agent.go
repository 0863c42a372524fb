// Package agent assembles the application: which components there are, in which
// order they start, and what a failed start looks like to a person.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/serverlessfx"
)

// Bounds of the life of the application.
const (
	// startTimeout is generous: constructors do no I/O and a start only binds,
	// opens and spawns.
	startTimeout = 30 * time.Second
	// stopTimeout is what draining may take. The platform's shutdown budget
	// outside hooks is about 9 s (serverless specification, section 9).
	stopTimeout = 9 * time.Second
	// settled is when the work of the start is over: files are found, probes are
	// placed.
	settled = 4 * time.Second
)

// engines are the components a person switches on; the agent is of no use when
// none of those that were asked for could start.
var engines = []string{"serverless", "debugger", "logs", "intake"}

// ErrNothingEnabled means that no engine is switched on.
var ErrNothingEnabled = errors.New("no engine is switched on: set serverless.enabled, debugger.enabled, logs.enabled or intake.enabled to true (`vigil config explain logs.enabled` shows how)")

// Agent is the assembled application.
type Agent struct {
	app        *fx.App
	log        *slog.Logger
	health     *health.Registry
	serverless *serverlessfx.Component
	bound      int64  // see memoryBound
	early      bool   // see givesBackEarly
	unbound    func() // takes the bound back; nil before Start
	settle     func() // ends the timer of Start, or waits for its work; nil before Start
}

// New assembles the agent; nothing is bound or started. The agent's own log
// goes to logOutput.
func New(loaded *config.Loaded, logOutput io.Writer) (*Agent, error) {
	c := loaded.Config
	if !c.Serverless.Enabled && !c.Debugger.Enabled && !c.Logs.Enabled && !c.Intake.Enabled {
		return nil, ErrNothingEnabled
	}
	a := &Agent{bound: memoryBound(&c), early: givesBackEarly(&c)}
	a.app = fx.New(
		Options(loaded, logOutput),
		fx.Populate(&a.log, &a.health, &a.serverless),
		fx.StartTimeout(startTimeout),
		fx.StopTimeout(stopTimeout),
	)
	if err := a.app.Err(); err != nil {
		return nil, fmt.Errorf("assemble the agent: %w", rootCause(err))
	}
	return a, nil
}

// Start starts every component. It fails when the platform cannot carry the
// agent, or when no engine that was asked for can run; what had started is
// stopped again.
func (a *Agent) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	a.unbound = boundMemory(a.bound)
	if err := a.app.Start(ctx); err != nil {
		a.unbound()
		return fmt.Errorf("start the agent: %w", err)
	}
	if reason := useless(a.health.Reports()); reason != "" {
		return errors.Join(errors.New(reason), a.Stop(ctx))
	}
	settle := func(giveBack func() error) {
		if err := giveBack(); err != nil {
			a.log.Debug("memory of the start was not given back", "error", err)
		}
	}
	if a.early {
		settle(giveBackFile)
	}
	a.settle = afterwards(settled, func() { settle(giveBack) })
	a.log.Info("vigil is running", "ready", health.Ready(a.health.Reports()))
	return nil
}

// useless says why not a single engine runs, or "". One that runs and cannot do
// its job yet, because its endpoint refuses for example, is of use as soon as that
// passes.
func useless(reports []health.Report) string {
	var reasons []string
	for _, report := range reports {
		if !slices.Contains(engines, report.Name) {
			continue
		}
		switch report.State {
		case health.OK, health.Starting:
			return ""
		case health.Degraded:
			if report.Running {
				return ""
			}
			reason := report.Name + ": " + report.Reason
			if report.Fix != "" {
				reason += "; fix: " + report.Fix
			}
			reasons = append(reasons, reason)
		case health.Off, health.Stopped:
		}
	}
	return "no engine can run: " + strings.Join(reasons, "\n")
}

// Child is closed when the supervised application has ended; nil when there is
// none.
func (a *Agent) Child() <-chan struct{} { return a.serverless.Child() }

// ExitCode is the supervised application's exit code after Child is closed, or
// after a Start that could not spawn it; 0 when there is none.
func (a *Agent) ExitCode() int { return a.serverless.ExitCode() }

// Stop drains and stops every component, the last started first.
func (a *Agent) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if a.unbound != nil {
		defer a.unbound()
	}
	if a.settle != nil {
		a.settle()
		if a.Child() == nil {
			a.log.Info("vigil is stopping; a second signal ends it at once")
		} else { // the supervisor of an application takes signals to the end
			a.log.Info("vigil is stopping")
		}
	}
	if err := a.app.Stop(ctx); err != nil {
		return fmt.Errorf("stop the agent: %w", err)
	}
	return nil
}

// rootCause is the innermost error: fx wraps a constructor's error in the
// signature of every function that led to it.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// afterwards calls f after a time. The function it returns calls it off, or
// waits for f to return.
func afterwards(wait time.Duration, f func()) (settle func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(wait, func() {
		defer close(done)
		f()
	})
	return sync.OnceFunc(func() {
		if !timer.Stop() {
			<-done
		}
	})
}
