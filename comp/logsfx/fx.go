package logsfx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/comp/version"
	"github.com/vigil-agent/vigil/logs"
)

type in struct {
	fx.In

	Config    logs.Config
	Log       *slog.Logger
	Lifecycle fx.Lifecycle
}

type out struct {
	fx.Out

	Component *Component
	Health    health.Reporter   `group:"health"`
	Status    status.Provider   `group:"status"`
	Telemetry telemetry.Table   `group:"telemetry"`
	Flusher   hooks.Flusher     `group:"flushers"`
	Retagger  hooks.Retagger    `group:"retaggers"`
	Taker     hooks.OutputTaker `group:"outputtakers"`
	Hygiene   hooks.Hygiene     `group:"hygiene"`
}

// Module provides the Component; it needs a logs.Config.
func Module() fx.Option {
	return fx.Module(name, fx.Provide(func(i in) (out, error) {
		c, err := New(Deps{Config: i.Config, Log: i.Log, Version: version.Number()})
		if err != nil {
			return out{}, err
		}
		i.Lifecycle.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
		return out{Component: c, Health: c, Status: c, Telemetry: c.Telemetry(), Flusher: c, Retagger: c, Taker: c, Hygiene: c}, nil
	}))
}
