package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
)

// The client's sizes. The agent emits a few metrics a minute, so the library's
// defaults (2,048 buffers, a wake-up every 100 ms) would only cost memory and
// sleep; a flush does not wait for the interval.
const (
	buffers       = 32
	flushInterval = time.Second
)

// Statsd sends DogStatsD datagrams. It is a no-op before Start, after Stop and
// when no address is configured.
type Statsd struct {
	tagged
	address string
	log     *slog.Logger

	client  atomic.Pointer[statsd.Client]
	turn    chan struct{} // holds one token while a flush or the closing runs
	silence silence
	sent    atomic.Uint64
	muted   atomic.Uint64 // dropped by the silence
	errors  atomic.Uint64

	mu        sync.Mutex
	lastError string // guarded by mu
}

var _ Output = (*Statsd)(nil)

// NewStatsd returns an output that does nothing until it is started.
func NewStatsd(c Config, log *slog.Logger) *Statsd {
	s := &Statsd{address: c.StatsdAddress, log: log.With("component", name), turn: make(chan struct{}, 1)}
	s.tagged = tagged{out: usage{s}, tags: &globalTags{base: slices.Clone(c.Tags)}}
	return s
}

// Start opens the socket. Nobody has to listen: datagrams to nowhere are
// counted, not fatal.
func (s *Statsd) Start(context.Context) error {
	if s.address == "" || s.client.Load() != nil {
		return nil
	}
	client, err := newStatsdClient(s.address,
		statsd.WithoutTelemetry(),
		statsd.WithoutOriginDetection(),
		statsd.WithWorkersCount(1),
		statsd.WithBufferPoolSize(buffers),
		statsd.WithSenderQueueSize(buffers),
		statsd.WithBufferFlushInterval(flushInterval),
		statsd.WithErrorHandler(s.failed))
	if err != nil {
		return fmt.Errorf("open statsd output %q: %w; set metrics.statsd_address to host:port or unix:///path, or to \"\" to switch metrics off", s.address, err)
	}
	s.client.Store(client)
	return nil
}

// Stop sends what is buffered and closes the socket. Where that takes longer
// than ctx allows it goes on in the background.
func (s *Statsd) Stop(ctx context.Context) error {
	client := s.client.Swap(nil)
	if client == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
		done <- client.Close()
	}()
	if err := await(ctx, done); err != nil {
		return fmt.Errorf("close statsd output %q: %w", s.address, err)
	}
	return nil
}

// Usage implements Component.
func (s *Statsd) Usage() Emitter { return s.out }

// Flush implements Component. The client's own flush knows no context, so it
// runs beside the call; one at a time, so that a socket that does not take what
// is written to it leaves no more than one behind, which ends with that write.
func (s *Statsd) Flush(ctx context.Context) error {
	client := s.client.Load()
	if client == nil {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("flush metrics to %q: an earlier flush has not ended: %w", s.address, context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.turn }()
		if s.client.Load() != client {
			done <- nil // closed meanwhile, which flushed it
			return
		}
		done <- client.Flush()
	}()
	if err := await(ctx, done); err != nil {
		return fmt.Errorf("flush metrics to %q: %w", s.address, err)
	}
	return nil
}

func await(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stats implements Component.
func (s *Statsd) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	output := outputStatsd
	if s.address == "" {
		output = outputOff
	}
	stats := Stats{Output: output, Address: s.address, Sent: s.sent.Load(), Errors: s.errors.Load(), LastError: s.lastError}
	if muted := s.muted.Load(); muted > 0 {
		stats.Dropped = map[string]uint64{reasonNames[dropSnapshot]: muted}
	}
	return stats
}

// failed counts a write error and logs the first of a run of equal ones: with
// nobody listening the kernel refuses every datagram.
func (s *Statsd) failed(err error) {
	s.errors.Add(1)
	s.mu.Lock()
	repeated := s.lastError == err.Error()
	s.lastError = err.Error()
	s.mu.Unlock()
	if !repeated {
		s.log.Warn("a metric datagram was not delivered; is something listening on metrics.statsd_address?", "address", s.address, "error", err)
	}
}

// statsdClientMu serialises newStatsdClient, which changes the process's environment
// for the time of a call.
var statsdClientMu sync.Mutex

// newStatsdClient builds a client that adds no tags of its own. The library appends
// DD_ENV, DD_SERVICE, DD_VERSION and DD_ENTITY_ID to every metric and has no
// option against it; here the settings table has read those variables already,
// and metering series must not carry them.
func newStatsdClient(address string, options ...statsd.Option) (*statsd.Client, error) {
	statsdClientMu.Lock()
	defer statsdClientMu.Unlock()
	for _, name := range []string{"DD_ENV", "DD_SERVICE", "DD_VERSION", "DD_ENTITY_ID"} {
		value, ok := os.LookupEnv(name)
		if !ok {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("hide %s from the statsd client: %w", name, err)
		}
		defer os.Setenv(name, value) //nolint:errcheck // it was settable a moment ago
	}
	return statsd.New(address, options...)
}
