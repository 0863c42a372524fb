package health

import (
	"net/http"

	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/api"
)

type in struct {
	fx.In

	Reporters []Reporter `group:"health"`
}

type out struct {
	fx.Out

	Registry *Registry
	Routes   []api.Route `group:"routes,flatten"`
}

// Module provides the Registry of everything in the group "health".
func Module() fx.Option {
	return fx.Module("health", fx.Provide(func(i in) out {
		r := New(i.Reporters)
		return out{Registry: r, Routes: []api.Route{
			{Pattern: "GET /live", Handler: http.HandlerFunc(r.Live), Public: true},
			{Pattern: "GET /ready", Handler: http.HandlerFunc(r.Ready), Public: true},
			{Pattern: "GET /health", Handler: http.HandlerFunc(r.Health), Public: true},
		}}
	}))
}
