// Package debuggerfx makes a component of the debugger engine.
package debuggerfx

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/vigil-agent/vigil/comp/engine"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/debugger"
)

// name is the component's name and its section of the configuration.
const name = "debugger"

// Deps are what the component is made of.
type Deps struct {
	Config debugger.Config
	Log    *slog.Logger
	// Hostname and Version are named in snapshots.
	Hostname, Version string
}

// Component is the engine under the agent's policy.
type Component struct {
	*engine.Runner
	engine *debugger.Engine // nil when switched off
}

// New returns the component; it does nothing when the engine is switched off.
func New(d Deps) (*Component, error) {
	c := &Component{}
	if d.Config.Enabled {
		var err error
		c.engine, err = debugger.New(d.Config, debugger.Deps{
			Log: d.Log.With("component", name), Stdout: os.Stdout, Hostname: d.Hostname, Version: d.Version,
		})
		if err != nil {
			return nil, fmt.Errorf("debugger: %w", err)
		}
	}
	c.Runner = engine.New(engine.Options{Name: name, Enabled: d.Config.Enabled, Engine: c.engine, Fix: fix, Check: c.check}, d.Log)
	return c, nil
}

func fix(err error) string {
	if errors.Is(err, debugger.ErrNotSupported) {
		return "run the agent as root on a kernel with BPF (`sudo vigil doctor` looks closer), or set debugger.enabled: false"
	}
	return ""
}

// problem is what keeps snapshots from arriving while the engine runs. A probe
// that waits for its process is none.
func problem(s debugger.Status) (reason, fix string) {
	for _, p := range s.Probes {
		if p.State == debugger.StateError {
			return "probe " + p.ID + ": " + p.Message, p.Next
		}
	}
	if s.Output.Error != "" {
		return "snapshots cannot be written: " + s.Output.Error, "make room for debugger.output, or correct it"
	}
	return "", ""
}

func (c *Component) check() (reason, fix string) { return problem(c.engine.Status()) }

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
	return table(func() (debugger.Status, bool) {
		if c == nil || c.engine == nil {
			return debugger.Status{}, false
		}
		return c.engine.Status(), true
	})
}
