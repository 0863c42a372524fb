package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Path is where the identity is served.
const Path = "/vigil/v1/identity"

const (
	requestTimeout = 5 * time.Second
	maxHeaderBytes = 8 << 10
)

// ErrNotLoopback says that an address can be reached from outside.
var ErrNotLoopback = errors.New("not an address of loopback alone")

// CheckAddress reports whether address is a host:port of loopback.
func CheckAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port: %w", address, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: %q is not a port between 0 and 65535", address, port)
	} else if !loopback(host) {
		return fmt.Errorf("%q: %w; use 127.0.0.1:%d", address, ErrNotLoopback, n)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Server answers GET on Path. It runs once.
type Server struct {
	address string
	book    *Book
	log     *slog.Logger

	mu      sync.Mutex // guards the fields up to the blank line
	http    *http.Server
	stopped bool

	addr    atomic.Pointer[net.Addr]
	serving sync.WaitGroup
}

// NewServer prepares a server for book; log may be nil.
func NewServer(address string, book *Book, log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{address: address, book: book, log: log.With("component", "identity")}
}

// Start binds the address before it returns; a second call does nothing.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.http != nil {
		return nil
	}
	if err := CheckAddress(s.address); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("identity: bind: %w; set serverless.identity_address to a free port of loopback, or to \"\"", err)
	}
	addr := ln.Addr()
	s.addr.Store(&addr)
	s.http = &http.Server{
		Handler: s, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.http.SetKeepAlivesEnabled(false)
	srv := s.http
	s.serving.Go(func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.log.Warn("the identity is no longer served", "err", err)
		}
	})
	return nil
}

// Stop lets requests in progress end; when ctx ends first it cuts them. It is
// safe without Start and more than once.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	srv := s.http
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	err := srv.Shutdown(ctx)
	if err != nil {
		_ = srv.Close()
		err = fmt.Errorf("identity: requests were still in progress: %w", err)
	}
	s.serving.Wait()
	return err
}

// Addr is the bound address, nil before Start.
func (s *Server) Addr() net.Addr {
	if addr := s.addr.Load(); addr != nil {
		return *addr
	}
	return nil
}

// ServeHTTP answers GET and HEAD.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	switch {
	case !loopback(host):
		// A web page in a browser inside the machine must not read the identity
		// under a name of its own that leads to loopback.
		http.Error(w, "ask for a host of loopback", http.StatusForbidden)
	case r.URL.EscapedPath() != Path:
		http.Error(w, "the identity is at "+Path, http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", http.MethodGet+", "+http.MethodHead)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	default:
		text := s.book.Current().document()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = w.Write(text) // the reader may be gone
	}
}
