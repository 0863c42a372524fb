// Package logsfx makes a component of the logs engine.
package logsfx

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/vigil-agent/vigil/comp/engine"
	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/logs"
)

// name is the component's name and its section of the configuration.
const name = "logs"

// Deps are what the component is made of.
type Deps struct {
	Config  logs.Config
	Log     *slog.Logger
	Version string
}

// Component is the engine under the agent's policy.
type Component struct {
	*engine.Runner
	engine *logs.Engine // nil when switched off
}

var (
	_ hooks.Flusher     = (*Component)(nil)
	_ hooks.Retagger    = (*Component)(nil)
	_ hooks.OutputTaker = (*Component)(nil)
	_ hooks.Hygiene     = (*Component)(nil)
)

// New returns the component; it does nothing when the engine is switched off.
func New(d Deps) (*Component, error) {
	c := &Component{}
	if d.Config.Enabled {
		var err error
		if c.engine, err = logs.New(d.Config, logs.Deps{Log: d.Log.With("component", name), Version: d.Version}); err != nil {
			return nil, fmt.Errorf("logs: %w", err)
		}
	}
	c.Runner = engine.New(engine.Options{Name: name, Enabled: d.Config.Enabled, Engine: c.engine, Check: c.check}, d.Log)
	return c, nil
}

// problem is what keeps lines from arriving while the engine runs.
func problem(s logs.Status) (reason, fix string) {
	if s.Stream.State == "backoff" {
		return "the endpoint does not take the logs: " + s.Stream.LastError, waits(s)
	}
	if q := s.Spool; q != nil && q.Error != "" {
		return "the spool cannot be written: " + q.Error, "make room in run_path, or make it writable"
	}
	if s.Registry.Error != "" {
		return "read offsets cannot be saved: " + s.Registry.Error, "make room in run_path, or make it writable"
	}
	for _, file := range s.Files {
		if file.Error != "" {
			return file.Path + ": " + file.Error, "let the agent's user read the file, or correct logs.sources"
		}
	}
	return "", ""
}

// waits says where the lines are meanwhile, and what to do.
func waits(s logs.Status) string {
	where := "the lines stay in their files"
	if s.Spool != nil {
		where = "the lines are in the spool"
	}
	return "nothing is lost, " + where + "; `vigil doctor` looks at the endpoint"
}

func (c *Component) check() (reason, fix string) { return problem(c.engine.Status()) }

// Name implements hooks.Flusher.
func (c *Component) Name() string { return name }

// Flush implements hooks.Flusher: everything read so far is acknowledged.
func (c *Component) Flush(ctx context.Context) error {
	if c.engine == nil {
		return nil
	}
	return c.engine.Flush(ctx)
}

// Retag implements hooks.Retagger.
func (c *Component) Retag(tags []string) {
	if c.engine != nil {
		c.engine.Retag(tags)
	}
}

// BeforeSnapshot implements hooks.Hygiene.
func (c *Component) BeforeSnapshot(ctx context.Context) {
	if c.engine != nil {
		c.engine.BeforeSnapshot(ctx)
	}
}

// AfterRestore implements hooks.Hygiene.
func (c *Component) AfterRestore() {
	if c.engine != nil {
		c.engine.AfterRestore()
	}
}

// TakeOutput implements hooks.OutputTaker: with the engine on, what the
// supervised application prints becomes log lines.
func (c *Component) TakeOutput() (stdout, stderr io.Writer) {
	if c.engine == nil {
		return nil, nil
	}
	return c.engine.Output()
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
	return table(func() (logs.Status, bool) {
		if c == nil || c.engine == nil {
			return logs.Status{}, false
		}
		return c.engine.Status(), true
	})
}
