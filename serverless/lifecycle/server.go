package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/forward"
	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

// Timeouts of the listener (specification section 2.1).
const (
	readTimeout = 30 * time.Second
	// answerHeadroom lets an answer be written although the hook took its whole
	// budget: 1 s for the heartbeat, 5 s for the write.
	answerHeadroom = 6 * time.Second
	maxHeaderBytes = 64 << 10
)

var (
	// ErrPortTaken says that another process listens on the hook address.
	ErrPortTaken = errors.New("the lifecycle address is taken")
	// ErrStopped says that a stopped server was started again.
	ErrStopped = errors.New("lifecycle: the server was stopped and cannot start again")
)

// Config is what the server needs to know; every duration must be positive.
type Config struct {
	// Address is the host:port to bind.
	Address string
	// Budget bounds a runtime hook, and a build hook that is not forwarded.
	Budget time.Duration
	// ForwardTimeout bounds the application's part of a runtime hook.
	ForwardTimeout time.Duration
	// ReadyTimeout and ValidateTimeout bound the forwarded build hooks.
	ReadyTimeout, ValidateTimeout time.Duration
	// Forward selects the hooks the application answers.
	Forward HookSet
	// EventTags go with every event metric; they are not modified.
	EventTags []string
}

// Deps are the collaborators. Beat is required, everything else may be nil.
type Deps struct {
	Log *slog.Logger
	// Beat is stopped for good by Stop.
	Beat *heartbeat.Beat
	// Events takes the event metrics.
	Events Events
	// Drainers go before Flushers, each group side by side.
	Drainers []Drainer
	Flushers []Flusher
	// OnIdentity is called with each new instance id, before the heartbeat
	// starts under it; never twice at a time.
	OnIdentity func(id string)
	// OnRestore is called when the machine came to life by run or resume, before
	// OnIdentity and never at the same time; a repeated hook does not count.
	OnRestore func(Restore)
	// Hygiene is prepared for the snapshot when ready is answered with 200, and
	// told of the restore at run and resume, or at whatever hook follows ready,
	// before the heartbeat starts.
	Hygiene []Hygiene
	// SignalRun is the first act of a run that is not forwarded, once its body is
	// complete; an error is logged.
	SignalRun func() error
	// Alive reports whether the application runs; it answers ready.
	Alive func() bool
	// App is the application's hook port; nil forwards nothing.
	App *forward.Client
	// Clock reads both clocks; nil is clock.Now.
	Clock func() clock.Reading
}

// Server is the hook server.
type Server struct {
	cfg  Config
	deps Deps
	log  *slog.Logger

	events   events
	identity gate
	drainers crew
	flushers crew
	hygiene  hygiene
	calls    sync.WaitGroup // foreign calls and the watchdog
	large    chan struct{}  // holds a token for each large body in memory

	mu       sync.Mutex // guards the fields up to the blank line
	machine  Machine
	history  History
	prepared bool // a snapshot may be taken, or was
	dog      watchdog
	stopped  bool
	http     *http.Server

	view    atomic.Pointer[view]
	seen    [NumHooks]atomic.Uint64
	odd     [numOddities]atomic.Uint64
	addr    atomic.Pointer[net.Addr]
	serving sync.WaitGroup
}

// view is the part of the machine that status readers get without a lock.
type view struct {
	phase   Phase
	id      string
	history History
}

// New prepares a server.
func New(cfg Config, deps Deps) *Server {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = clock.Now
	}
	s := &Server{cfg: cfg, deps: deps, log: deps.Log.With("component", "lifecycle"), large: make(chan struct{}, largeBodies)}
	s.events = newEvents(deps.Events, cfg.EventTags, &s.calls)
	s.identity = newGate(&s.calls)
	s.drainers = newCrew(deps.Drainers, Drainer.Drain, &s.calls)
	s.flushers = newCrew(deps.Flushers, Flusher.Flush, &s.calls)
	s.hygiene = newHygiene(deps.Hygiene, &s.calls)
	s.dog.calls, s.dog.clock = &s.calls, deps.Clock
	s.view.Store(&view{})
	return s
}

// Start binds the address before it returns; hooks are answered from then on. A
// second call does nothing. The error is ErrPortTaken, ErrStopped, or that of
// the bind.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	if s.http != nil {
		return nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.cfg.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: %s: %w; end the process that holds it (`ss -ltnp` names it), or set serverless.lifecycle_address together with the port in the image's hooks manifest",
			ErrPortTaken, s.cfg.Address, err)
	}
	if err != nil {
		return fmt.Errorf("lifecycle: bind %q: %w; check serverless.lifecycle_address", s.cfg.Address, err)
	}
	addr := ln.Addr()
	s.addr.Store(&addr)
	s.http = s.newHTTP()
	s.serving.Go(func() { s.serve(s.http, ln) })
	return nil
}

func (s *Server) newHTTP() *http.Server {
	srv := &http.Server{
		Handler:        s,
		ReadTimeout:    readTimeout,
		WriteTimeout:   readTimeout + answerHeadroom, // a hook sets its own
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	// A connection kept over a snapshot is dead after the restore.
	srv.SetKeepAlivesEnabled(false)
	return srv
}

func (s *Server) serve(srv *http.Server, ln net.Listener) {
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("hooks are no longer answered", "err", err)
	}
}

// Stop stops the heartbeat for good, then lets the hooks in progress end. If ctx
// ends first it cuts their connections and returns an error. It is safe without
// Start and more than once.
func (s *Server) Stop(ctx context.Context) error {
	beatErr := s.deps.Beat.Close(ctx)
	s.mu.Lock()
	s.stopped = true
	s.dog.disarm()
	srv := s.http
	s.mu.Unlock()
	if srv != nil {
		if err := srv.Shutdown(ctx); err != nil {
			_ = srv.Close()
			s.serving.Wait()
			return errors.Join(fmt.Errorf("lifecycle: hooks were still in progress: %w", err), beatErr)
		}
		s.serving.Wait()
	}
	return errors.Join(s.awaitCalls(ctx), beatErr)
}

// awaitCalls waits for the foreign calls that outlived their hook.
func (s *Server) awaitCalls(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.calls.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("lifecycle: a flush or a metric call is stuck: %w", ctx.Err())
	}
}

// Addr is the bound address, nil before Start.
func (s *Server) Addr() net.Addr {
	if addr := s.addr.Load(); addr != nil {
		return *addr
	}
	return nil
}

// Phase is the machine's phase.
func (s *Server) Phase() Phase { return s.view.Load().phase }

// ID is the instance id, empty while unknown.
func (s *Server) ID() string { return s.view.Load().id }

// History is how the machine's life went so far.
func (s *Server) History() History { return s.view.Load().history }

// Odd is how often o was noticed.
func (s *Server) Odd(o Oddity) uint64 { return s.odd[o].Load() }

// Seen is how many well-formed calls of h have arrived.
func (s *Server) Seen(h Hook) uint64 { return s.seen[h].Load() }
