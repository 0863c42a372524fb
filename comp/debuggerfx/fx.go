package debuggerfx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/comp/version"
	"github.com/vigil-agent/vigil/debugger"
)

type in struct {
	fx.In

	Agent     config.Config
	Config    debugger.Config
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

// Module provides the Component; it needs a debugger.Config.
func Module() fx.Option {
	return fx.Module(name, fx.Provide(func(i in) (out, error) {
		c, err := New(Deps{Config: i.Config, Log: i.Log, Hostname: i.Agent.Hostname, Version: version.Number()})
		if err != nil {
			return out{}, err
		}
		i.Lifecycle.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
		return out{Component: c, Health: c, Status: c, Telemetry: c.Telemetry()}, nil
	}))
}
