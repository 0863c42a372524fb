package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/internal/follow"
)

// ErrPortTaken means that something else listens on Config.Listen.
var ErrPortTaken = errors.New("the address is in use: stop the program that listens there, or set intake.listen to another one")

const (
	// cutTime is how long streams that were cut may take to end.
	cutTime = time.Second
	// maxHeaderBytes bounds the request headers, which are read before the key is
	// checked; gRPC's default is 16 MiB. handshakeTime bounds what comes before them.
	maxHeaderBytes = 64 << 10
	handshakeTime  = 20 * time.Second
	// maxIdle ends connections without a stream.
	maxIdle = 5 * time.Minute
	// idleProbe and probeTimeout find clients that are gone without a word.
	idleProbe, probeTimeout = time.Minute, 20 * time.Second
)

// Deps is what a Server needs from its surroundings.
type Deps struct {
	// Log takes starts, stops and refused streams; nil discards.
	Log *slog.Logger
	// Sink makes the lines durable; nil means the journal of Config.Journal.
	Sink Sink
	// Listener replaces Config.Listen; the server closes it.
	Listener net.Listener
}

// Server is the receiving side. All methods may be called concurrently.
type Server struct {
	cfg      Config
	deps     Deps
	log      *slog.Logger
	counters counters
	draining chan struct{} // closed by Stop

	startOnce, stopOnce sync.Once
	startErr, stopErr   error

	// mu guards everything declared below.
	mu       sync.Mutex
	stopping bool
	addr     net.Addr
	grpc     *grpc.Server
	journal  *journal.Journal
	sink     Sink
	sessions *sessions
	// Of files that may change; nil without.
	keys        *follow.File[[]string]
	certificate *certificate
	// serving counts the accept loop; streams the handlers and their readers. A
	// handler is added only while stopping is false.
	serving, streams sync.WaitGroup
}

// New makes a server that does not listen yet.
func New(cfg Config, deps Deps) (*Server, error) {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	cfg = cfg.withDefaults()
	if deps.Listener == nil {
		if _, _, err := net.SplitHostPort(cfg.Listen); err != nil {
			return nil, fmt.Errorf("intake: listen address %q: %w: use host:port", cfg.Listen, err)
		}
	}
	return &Server{cfg: cfg, deps: deps, log: deps.Log, sink: deps.Sink, draining: make(chan struct{})}, nil
}

// Start listens, opens the journal and serves in the background. Errors wrap
// ErrPortTaken or journal.ErrInUse where these are the cause. It does nothing
// when the server was started or stopped before.
func (s *Server) Start(ctx context.Context) error {
	s.startOnce.Do(func() { s.startErr = s.start(ctx) })
	return s.startErr
}

func (s *Server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	options, err := s.options()
	if err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	listener := s.deps.Listener
	if listener == nil {
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Listen); err != nil {
			if errors.Is(err, syscall.EADDRINUSE) {
				err = ErrPortTaken
			}
			return fmt.Errorf("intake: listen on %s: %w", s.cfg.Listen, err)
		}
	}
	if s.sink == nil {
		j, err := journal.Open(s.cfg.Journal, s.cfg.journalOptions(), s.log)
		if err != nil {
			_ = listener.Close()
			return fmt.Errorf("intake: %w", err)
		}
		s.journal, s.sink = j, journalSink{j}
	}
	s.sessions = newSessions(s.sink, s.cfg.MaxSessions)
	s.addr = listener.Addr()
	s.grpc = grpc.NewServer(options...)
	statefulpb.RegisterStatefulLogsServiceServer(s.grpc, &service{server: s})
	s.serving.Go(func() {
		if err := s.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			s.log.Error("intake stopped listening", "error", err)
		}
	})
	if s.keys != nil {
		s.keys.Start()
	}
	if s.certificate != nil {
		s.certificate.Start()
	}
	s.log.Info("intake listens", "address", s.addr.String(), "journal", cmp.Or(s.cfg.Journal, "standard output"), "tls", s.certificate != nil)
	return nil
}

// options are those of the gRPC server. They read the files of keys and
// certificates; the caller holds mu.
func (s *Server) options() ([]grpc.ServerOption, error) {
	out := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(s.cfg.MaxMessageSize),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxConcurrentStreams(uint32(s.cfg.MaxStreams)),
		grpc.ConnectionTimeout(handshakeTime),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: s.cfg.MinPingInterval}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: maxIdle, Time: idleProbe, Timeout: probeTimeout}),
	}
	var err error
	if s.cfg.APIKeyFile != "" {
		if s.keys, err = followKeys(s.cfg.APIKeyFile, s.log); err != nil {
			return nil, err
		}
	}
	if s.cfg.TLS.CertFile == "" {
		return out, nil
	}
	if s.certificate, err = followCertificate(s.cfg.TLS, s.log); err != nil {
		return nil, err
	}
	secure, err := serverTLS(s.cfg.TLS, s.certificate.Value)
	if err != nil {
		return nil, err
	}
	return append(out, grpc.Creds(credentials.NewTLS(secure))), nil
}

// accepted are the keys that a client may show; none accepts any.
func (s *Server) accepted() []string {
	switch {
	case s.keys != nil:
		return s.keys.Value()
	case s.cfg.APIKey != "":
		return []string{s.cfg.APIKey}
	default:
		return nil
	}
}

// Stop accepts no more batches, acknowledges those it has, ends the streams so
// that their clients go elsewhere, and closes the journal. When ctx or
// Config.DrainTimeout is done first, connections are cut and what was not acknowledged will be sent again.
// An error says that a write does not return, which nothing can cut short. It
// may be called without Start and many times.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() { s.stopErr = s.stop(ctx) })
	return s.stopErr
}

func (s *Server) stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	server, journal := s.grpc, s.journal
	s.mu.Unlock()
	close(s.draining)
	if server == nil {
		if s.deps.Listener != nil {
			return s.deps.Listener.Close()
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DrainTimeout)
	defer cancel()
	if s.keys != nil {
		defer s.keys.Stop(ctx)
	}
	if s.certificate != nil {
		defer s.certificate.Stop(ctx)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.finish(server, journal) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		server.Stop()
	}
	cut := time.NewTimer(cutTime)
	defer cut.Stop()
	select {
	case err := <-ended:
		return err
	case <-cut.C:
		return fmt.Errorf("intake: the journal does not take what was received, which will be sent again: %w", ctx.Err())
	}
}

// finish waits for all that Start began.
func (s *Server) finish(server *grpc.Server, journal *journal.Journal) error {
	// GracefulStop alone would wait for as long as clients keep streams open;
	// draining ends the streams from this side.
	server.GracefulStop()
	s.serving.Wait()
	s.streams.Wait()
	if journal == nil {
		return nil
	}
	if err := journal.Close(); err != nil {
		return fmt.Errorf("intake: %w", err)
	}
	return nil
}

// Addr is where the server listens, nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Stats says what was received so far.
func (s *Server) Stats() Stats {
	c := &s.counters
	out := Stats{
		Streams: c.streams.Load(), OpenStreams: int(c.open.Load()),
		Batches: c.batches.Load(), Snapshots: c.snapshots.Load(), Lines: c.lines.Load(),
		DataBytes: c.data.Load(), StateBytes: c.state.Load(),
		Repeated: c.repeated.Load(), Fenced: c.fenced.Load(),
	}
	c.mu.Lock()
	out.Rejected = maps.Clone(c.rejected)
	c.mu.Unlock()
	s.mu.Lock()
	journal, sessions := s.journal, s.sessions
	s.mu.Unlock()
	out.Sessions = sessions.count()
	if journal != nil {
		out.Journal = journal.Stats()
	}
	return out
}
