package metrics

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
)

type in struct {
	fx.In

	Config    Config
	Log       *slog.Logger
	Lifecycle fx.Lifecycle
}

type out struct {
	fx.Out

	Component Component
	Health    health.Reporter `group:"health"`
	Hygiene   hooks.Hygiene   `group:"hygiene"`
	Retagger  hooks.Retagger  `group:"retaggers"`
	Status    status.Provider `group:"status"`
	Telemetry telemetry.Table `group:"telemetry"`
}

// Module provides the Component; it needs a Config.
func Module() fx.Option {
	return fx.Module(name, fx.Provide(func(i in) (out, error) {
		o, err := New(i.Config, i.Log)
		if err != nil {
			return out{}, err
		}
		i.Lifecycle.Append(fx.Hook{OnStart: o.Start, OnStop: o.Stop})
		return out{Component: o, Health: o, Hygiene: o, Retagger: o, Status: o, Telemetry: Telemetry(o)}, nil
	}))
}
