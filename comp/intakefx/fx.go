package intakefx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/logs/intake"
)

type in struct {
	fx.In

	Config    intake.Config
	Log       *slog.Logger
	Lifecycle fx.Lifecycle
}

type out struct {
	fx.Out

	Component *Component
	Health    health.Reporter `group:"health"`
	Status    status.Provider `group:"status"`
	Telemetry telemetry.Table `group:"telemetry"`
}

// Module provides the Component; it needs an intake.Config.
func Module() fx.Option {
	return fx.Module(name, fx.Provide(func(i in) (out, error) {
		c, err := New(i.Config, i.Log)
		if err != nil {
			return out{}, err
		}
		i.Lifecycle.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
		return out{Component: c, Health: c, Status: c, Telemetry: c.Telemetry()}, nil
	}))
}
