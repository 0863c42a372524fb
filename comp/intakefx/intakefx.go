// Package intakefx makes a component of the embedded receiving side of the logs
// engine.
package intakefx

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/vigil-agent/vigil/comp/engine"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/logs/intake"
)

// name is the component's name and its section of the configuration.
const name = "intake"

// Component is the receiving side under the agent's policy.
type Component struct {
	*engine.Runner
	server *intake.Server // nil when switched off
}

// New returns the component; it does nothing when it is switched off.
func New(config intake.Config, log *slog.Logger) (*Component, error) {
	c := &Component{}
	if config.Enabled {
		var err error
		if c.server, err = intake.New(config, intake.Deps{Log: log.With("component", name)}); err != nil {
			return nil, fmt.Errorf("intake: %w", err)
		}
	}
	c.Runner = engine.New(engine.Options{Name: name, Enabled: config.Enabled, Engine: c.server, Fix: fix, Check: c.check}, log)
	return c, nil
}

func fix(err error) string {
	if errors.Is(err, intake.ErrPortTaken) {
		return "set intake.listen to a free port, and logs.endpoint.address with it"
	}
	return ""
}

// check reports a journal that takes nothing.
func (c *Component) check() (reason, fix string) {
	if failing := c.server.Stats().Journal.Failing; failing != "" {
		return failing, "make room on the disk of intake.journal, or bound it with intake.journal_max_size; senders keep what they have meanwhile"
	}
	return "", ""
}

// Status implements status.Provider.
func (c *Component) Status() status.Section {
	if c.server == nil {
		return status.Off(name)
	}
	s := c.server.Stats()
	return status.Section{Name: name, Data: s, Text: text(s)}
}

// Telemetry is the table of the receiving side; a nil component gives the table
// without values, for the documentation.
func (c *Component) Telemetry() telemetry.Table {
	return table(func() (intake.Stats, bool) {
		if c == nil || c.server == nil {
			return intake.Stats{}, false
		}
		return c.server.Stats(), true
	})
}
