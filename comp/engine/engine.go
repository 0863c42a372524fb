// Package engine runs one engine under the agent's policy: an enabled engine
// that the environment cannot carry is degraded, with the reason and the fix in
// its health report and in one log line, while the others run.
package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/comp/health"
)

// Engine is the lifecycle every engine has.
type Engine interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Options describe how one engine is run.
type Options struct {
	// Name is the section of the configuration.
	Name string
	// Enabled is false for an engine nobody asked for; it is not started.
	Enabled bool
	// Engine is what runs; it may be nil when Enabled is false.
	Engine Engine
	// Fix says what a user can do about a failed start; nil or "" means that
	// the error says it.
	Fix func(error) string
	// Fatal says whether a failed start must end the agent; nil means never.
	Fatal func(error) bool
	// Check reports a problem that came up while running; nil means none can.
	Check func() (reason, fix string)
}

// Runner is an engine with its health.
type Runner struct {
	options Options
	log     *slog.Logger

	mu     sync.Mutex
	report health.Report // guarded by mu
}

var _ health.Reporter = (*Runner)(nil)

// New returns a runner that has not started.
func New(o Options, log *slog.Logger) *Runner {
	report := health.Report{Name: o.Name, State: health.Off}
	if o.Enabled {
		report.State = health.Starting
	}
	return &Runner{options: o, log: log.With("component", o.Name), report: report}
}

// Start starts the engine. It fails only where Options.Fatal says so.
func (r *Runner) Start(ctx context.Context) error {
	if !r.options.Enabled {
		return nil
	}
	err := r.options.Engine.Start(ctx)
	if err == nil {
		r.set(health.OK, "", "")
		return nil
	}
	if r.options.Fatal != nil && r.options.Fatal(err) {
		return err
	}
	fix := ""
	if r.options.Fix != nil {
		fix = r.options.Fix(err)
	}
	r.set(health.Degraded, err.Error(), fix)
	r.log.Error(r.options.Name+" is degraded, the rest runs", "reason", err, "fix", fix)
	return nil
}

// lastWords is how much earlier than the agent an engine has to be done: one that
// runs out of time still says what it leaves behind, and the others still stop.
const lastWords = 250 * time.Millisecond

// Stop stops the engine. It is safe without Start and after a failed one.
func (r *Runner) Stop(ctx context.Context) error {
	if !r.options.Enabled {
		return nil
	}
	if at, bounded := ctx.Deadline(); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at.Add(-lastWords))
		defer cancel()
	}
	err := r.options.Engine.Stop(ctx)
	r.set(health.Stopped, "", "")
	return err
}

func (r *Runner) set(state health.State, reason, fix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.State, r.report.Reason, r.report.Fix = state, reason, fix
}

// Health implements health.Reporter.
func (r *Runner) Health() health.Report {
	r.mu.Lock()
	report := r.report
	r.mu.Unlock()
	if report.State == health.OK && r.options.Check != nil {
		if reason, fix := r.options.Check(); reason != "" {
			report.State, report.Reason, report.Fix, report.Running = health.Degraded, reason, fix, true
		}
	}
	return report
}
