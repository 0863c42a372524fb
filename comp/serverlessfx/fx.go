package serverlessfx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/metrics"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/serverless"
)

type in struct {
	fx.In

	Config    serverless.Config
	Log       *slog.Logger
	Metrics   metrics.Component
	Flushers  []hooks.Flusher     `group:"flushers"`
	Retaggers []hooks.Retagger    `group:"retaggers"`
	Hygiene   []hooks.Hygiene     `group:"hygiene"`
	Takers    []hooks.OutputTaker `group:"outputtakers"`
	Lifecycle fx.Lifecycle
}

type out struct {
	fx.Out

	Component *Component
	Health    health.Reporter `group:"health"`
	Status    status.Provider `group:"status"`
	Telemetry telemetry.Table `group:"telemetry"`
}

// Module provides the Component; it needs a serverless.Config.
func Module() fx.Option {
	return fx.Module(name, fx.Provide(func(i in) (out, error) {
		c, err := New(Deps{
			Config: i.Config, Log: i.Log, Metrics: i.Metrics,
			Flushers: i.Flushers, Retaggers: i.Retaggers, Hygiene: i.Hygiene, Takers: i.Takers,
		})
		if err != nil {
			return out{}, err
		}
		i.Lifecycle.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
		return out{Component: c, Health: c, Status: c, Telemetry: c.Telemetry()}, nil
	}))
}
