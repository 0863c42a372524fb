package status

import (
	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/version"
)

type in struct {
	fx.In

	Health    *health.Registry
	Providers []Provider `group:"status"`
}

type out struct {
	fx.Out

	Page  *Page
	Route api.Route `group:"routes"`
}

// Module provides the Page of everything in the group "status".
func Module() fx.Option {
	return fx.Module("status", fx.Provide(func(i in) out {
		page := New(version.Number(), i.Health, i.Providers)
		return out{Page: page, Route: api.Route{Pattern: "GET /v1/status", Handler: page}}
	}))
}
