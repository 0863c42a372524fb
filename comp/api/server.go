// Package api serves the agent's local HTTP API: everything on a unix socket
// that only the agent's own user can open, and the harmless part (metrics and
// health) on a TCP address as well, when one is configured.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Route is one path a component serves.
type Route struct {
	// Pattern is the method and path, as http.ServeMux takes them.
	Pattern string
	Handler http.Handler
	// Public routes are served on the TCP address too. They must neither
	// change anything nor show configuration.
	Public bool
}

// Server serves routes on one listener.
type Server struct {
	listen func(context.Context) (net.Listener, error)
	public bool
	mux    *http.ServeMux
	http   *http.Server

	mu       sync.Mutex
	listener net.Listener  // guarded by mu; nil until started
	done     chan struct{} // guarded by mu; closed when the serving goroutine ends
}

// NewLocal returns a server of all routes on the unix socket at path.
func NewLocal(path string, log *slog.Logger) *Server {
	return newServer(false, log, func(ctx context.Context) (net.Listener, error) { return listenUnix(ctx, path) })
}

// NewPublic returns a server of the public routes on a TCP host:port.
func NewPublic(address string, log *slog.Logger) *Server {
	return newServer(true, log, func(ctx context.Context) (net.Listener, error) {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("serve metrics and health: %w", err)
		}
		return listener, nil
	})
}

func newServer(public bool, log *slog.Logger, listen func(context.Context) (net.Listener, error)) *Server {
	mux := http.NewServeMux()
	return &Server{listen: listen, public: public, mux: mux, http: &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.With("component", "api").Handler(), slog.LevelDebug),
	}}
}

// Mount adds the routes that this server serves. It comes apart from the
// constructor so that the server can start before, and stop after, the
// components whose routes it serves.
func (s *Server) Mount(routes []Route) error {
	for _, route := range routes {
		if s.public && !route.Public {
			continue
		}
		if err := s.handle(route); err != nil {
			return err
		}
	}
	return nil
}

// handle registers a route; ServeMux panics on a bad or doubled pattern.
func (s *Server) handle(route Route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("register route %q: %v", route.Pattern, p)
		}
	}()
	s.mux.Handle(route.Pattern, route.Handler)
	return nil
}

// Start binds and serves. It returns once the listener accepts connections.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	s.listener, s.done = listener, done
	go func() { // owned by Stop
		defer close(done)
		s.http.Serve(listener) //nolint:errcheck // it ends with ErrServerClosed; there is no other way out
	}()
	return nil
}

// Stop answers what is in flight, then closes the listener.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop the local api: %w", err), s.http.Close())
	}
	<-s.done
	return err
}

// Addr is where the server listens, or nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}
