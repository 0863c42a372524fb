package api

import (
	"log/slog"

	"go.uber.org/fx"
)

// Config says where the local API is served.
type Config struct {
	// Socket is the path of the unix socket.
	Socket string
}

type in struct {
	fx.In

	Config    Config
	Log       *slog.Logger
	Lifecycle fx.Lifecycle
}

type out struct {
	fx.Out

	Local    *Server
	Profiles []Route `group:"routes,flatten"`
}

// Module provides the local Server; it needs a Config.
func Module() fx.Option {
	return fx.Module("api", fx.Provide(func(i in) out {
		local := NewLocal(i.Config.Socket, i.Log)
		i.Lifecycle.Append(fx.Hook{OnStart: local.Start, OnStop: local.Stop})
		return out{Local: local, Profiles: profiles()}
	}))
}
