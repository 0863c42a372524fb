// Package serverlessfx makes a component of the serverless engine: its section
// of the configuration in, its health, status and telemetry out.
package serverlessfx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/vigil-agent/vigil/comp/engine"
	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/metrics"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
	"github.com/vigil-agent/vigil/serverless/microvm"
)

// name is the component's name and its section of the configuration.
const name = "serverless"

// Deps are what the component is made of.
type Deps struct {
	Config    serverless.Config
	Log       *slog.Logger
	Metrics   metrics.Component
	Flushers  []hooks.Flusher
	Retaggers []hooks.Retagger
	Hygiene   []hooks.Hygiene
	Takers    []hooks.OutputTaker
}

// Component is the engine under the agent's policy.
type Component struct {
	*engine.Runner
	config serverless.Config
	engine *serverless.Engine // nil when switched off
}

// New returns the component; it does nothing when the engine is switched off.
func New(d Deps) (*Component, error) {
	c := &Component{config: d.Config}
	if d.Config.Enabled {
		flushers := []lifecycle.Flusher{hooks.FlushFunc{Label: "metrics", Func: d.Metrics.Flush}}
		for _, f := range d.Flushers {
			flushers = append(flushers, f)
		}
		hygiene := []lifecycle.Hygiene{flushed{flushers: flushers, log: d.Log.With("component", name)}}
		for _, h := range d.Hygiene {
			hygiene = append(hygiene, h)
		}
		teeStdout, teeStderr := tees(d.Takers)
		var err error
		c.engine, err = serverless.New(d.Config, serverless.Deps{
			Log:      d.Log, // its parts name themselves
			Metrics:  d.Metrics,
			Usage:    d.Metrics.Usage(),
			Flushers: flushers,
			Hygiene:  hygiene,
			OnIdentity: func(id string) {
				tags := microvm.FromEnv(os.LookupEnv).LogTags(id)
				for _, r := range d.Retaggers {
					r.Retag(tags)
				}
			},
			Getenv: os.LookupEnv,
			Stdout: os.Stdout,
			Stderr: os.Stderr,

			TeeStdout: teeStdout, TeeStderr: teeStderr,
		})
		if err != nil {
			return nil, fmt.Errorf("serverless: %w", err)
		}
	}
	c.Runner = engine.New(engine.Options{
		Name: name, Enabled: d.Config.Enabled, Engine: c.engine, Fix: fix,
		// An agent that is the entrypoint of an image must not run on without
		// the application it was asked to start.
		Fatal: func(error) bool { return len(d.Config.Command) > 0 },
	}, d.Log)
	return c, nil
}

// stopReserve is kept of the agent's time to stop for the kill of an application
// that does not end, and for the last flush of the outputs, which stop after the
// engine.
const stopReserve = 4 * time.Second

// Stop stops the engine and leaves some of ctx to what stops after it.
func (c *Component) Stop(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left-min(stopReserve, left/2))
		defer cancel()
	}
	return c.Runner.Stop(ctx)
}

// tees are where the takers want the application's output to go, nil for nowhere.
func tees(takers []hooks.OutputTaker) (stdout, stderr io.Writer) {
	for _, taker := range takers {
		o, e := taker.TakeOutput()
		stdout, stderr = both(stdout, o), both(stderr, e)
	}
	return stdout, stderr
}

func both(a, b io.Writer) io.Writer {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return io.MultiWriter(a, b)
	}
}

func fix(err error) string {
	if errors.Is(err, lifecycle.ErrPortTaken) {
		return "set serverless.lifecycle_address to a free port, and the same port in the image's hooks manifest"
	}
	return ""
}

// Child is closed when the supervised application has ended; nil when there is
// none.
func (c *Component) Child() <-chan struct{} {
	if c.engine == nil {
		return nil
	}
	return c.engine.Done()
}

// ExitCode is the application's exit code after Child is closed, as
// serverless.Engine has it; 0 when the engine is off.
func (c *Component) ExitCode() int {
	if c.engine == nil {
		return 0
	}
	return c.engine.ExitCode()
}

// Status implements status.Provider.
func (c *Component) Status() status.Section {
	if c.engine == nil {
		return status.Off(name)
	}
	s := c.engine.Status()
	return status.Section{Name: name, Data: s, Text: text(s)}
}

// Telemetry is the engine's table; a nil component gives the table without
// values, for the documentation.
func (c *Component) Telemetry() telemetry.Table {
	read := func() (serverless.Status, bool) {
		if c == nil || c.engine == nil {
			return serverless.Status{}, false
		}
		return c.engine.Status(), true
	}
	return table(read)
}
