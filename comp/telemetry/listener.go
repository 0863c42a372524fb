package telemetry

import (
	"log/slog"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/engine"
)

// Config says where metrics and health are served besides the local socket.
type Config struct {
	// Listen is a host:port; empty means nowhere.
	Listen string
}

// Listener serves the public routes over TCP, under the policy of an engine: a
// port that is taken degrades it and stops nothing else.
type Listener struct {
	*engine.Runner
	server *api.Server
}

// NewListener returns a listener that does nothing when c.Listen is empty.
func NewListener(c Config, log *slog.Logger) *Listener {
	s := api.NewPublic(c.Listen, log)
	return &Listener{server: s, Runner: engine.New(engine.Options{
		Name: "telemetry", Enabled: c.Listen != "", Engine: s,
		Fix: func(error) string { return "set telemetry.listen to a free host:port" },
	}, log)}
}

// Mount adds the public ones of the routes.
func (l *Listener) Mount(routes []api.Route) error { return l.server.Mount(routes) }

// Server is the listening side; its Addr is nil before the start.
func (l *Listener) Server() *api.Server { return l.server }
