package telemetry

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/health"
)

type registryIn struct {
	fx.In

	Tables []Table `group:"telemetry"`
}

type registryOut struct {
	fx.Out

	Registry *Registry
	Route    api.Route `group:"routes"`
}

type listenerIn struct {
	fx.In

	Config    Config
	Log       *slog.Logger
	Lifecycle fx.Lifecycle
}

type listenerOut struct {
	fx.Out

	Listener *Listener
	Health   health.Reporter `group:"health"`
}

// Module provides the Registry of everything in the group "telemetry", and the
// Listener; it needs a Config.
func Module() fx.Option {
	return fx.Module("telemetry", fx.Provide(
		func(i registryIn) (registryOut, error) {
			r, err := New(i.Tables)
			if err != nil {
				return registryOut{}, err
			}
			return registryOut{Registry: r, Route: api.Route{Pattern: "GET /metrics", Handler: r.Handler(), Public: true}}, nil
		},
		func(i listenerIn) listenerOut {
			l := NewListener(i.Config, i.Log)
			i.Lifecycle.Append(fx.Hook{OnStart: l.Start, OnStop: l.Stop})
			return listenerOut{Listener: l, Health: l}
		},
	))
}
