package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
)

// DefaultQueueBytes is the size of the queue: some thousand snapshots of the
// usual size.
const DefaultQueueBytes = 8 << 20

// Config says where to write.
type Config struct {
	// Path is a file that is created if need be and appended to; its mode is
	// 0600, because snapshots hold what the program handles. Empty means
	// Deps.Writer.
	Path string
	// QueueBytes bounds what waits to be written; 0 means DefaultQueueBytes.
	// A second buffer of the same size is in the hands of the writer.
	QueueBytes int
}

// Deps are what a sink is connected to.
type Deps struct {
	Log *slog.Logger
	// Writer receives the lines when Config.Path is empty. It is not closed.
	Writer io.Writer
}

// Stats counts what became of the snapshots that were put.
type Stats struct {
	// Lines and Bytes were written.
	Lines uint64 `json:"lines"`
	Bytes uint64 `json:"bytes"`
	// Dropped snapshots found the queue full, or were put after Stop.
	Dropped uint64 `json:"dropped"`
	// Lost snapshots were in a write that failed.
	Lost uint64 `json:"lost"`
	// Error is what the last write failed with; empty since one succeeded.
	Error string `json:"error,omitempty"`
}

// NDJSON is a sink. Put may be called from any goroutine.
//
//	Put --> pending --swap--> writing --> file
//	       (bounded)         (run's own)
type NDJSON struct {
	cfg  Config
	deps Deps

	mu      sync.Mutex // guards everything declared below it
	pending []byte
	lines   uint64 // in pending
	stats   Stats
	open    bool

	ready chan struct{} // holds one token when pending is not empty or Stop was called
	done  chan struct{} // closed by the goroutine that run is
}

// New makes a sink; it opens nothing.
func New(cfg Config, deps Deps) (*NDJSON, error) {
	if cfg.QueueBytes < 0 {
		return nil, fmt.Errorf("queue_bytes: must not be negative, not %d", cfg.QueueBytes)
	}
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = DefaultQueueBytes
	}
	if cfg.Path == "" && deps.Writer == nil {
		return nil, errors.New("ndjson sink: neither a path nor a writer to write to")
	}
	return &NDJSON{cfg: cfg, deps: deps, ready: make(chan struct{}, 1)}, nil
}

// Start opens the file and begins to write. It must be called at most once.
func (s *NDJSON) Start(context.Context) error {
	out := &lineWriter{w: s.deps.Writer}
	if s.cfg.Path != "" {
		f, err := openAppend(s.cfg.Path)
		if err != nil {
			return fmt.Errorf("open the snapshot file: %w", err)
		}
		out = f
	}
	s.mu.Lock()
	s.open = true
	s.mu.Unlock()
	s.done = make(chan struct{})
	go s.run(out)
	return nil
}

// Put queues a line, which must not hold a line end, and reports whether it
// did; it never waits. The bytes are copied.
func (s *NDJSON) Put(line []byte) bool {
	s.mu.Lock()
	ok := s.open && len(s.pending)+len(line)+1 <= s.cfg.QueueBytes
	if ok {
		s.pending = append(append(s.pending, line...), '\n')
		s.lines++
	} else {
		s.stats.Dropped++
	}
	s.mu.Unlock()
	if ok {
		s.wake()
	}
	return ok
}

func (s *NDJSON) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Stats are the counters so far.
func (s *NDJSON) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Stop writes what is queued and closes the file. When ctx ends first it
// returns ctx's error; a write that hangs then goes on until it fails. It is
// safe without Start and to call again.
func (s *NDJSON) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.open = false
	s.mu.Unlock()
	if s.done == nil {
		return nil
	}
	s.wake()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write the last snapshots: %w", ctx.Err())
	}
}

// run writes whatever is pending as soon as the last write is over: one
// snapshot at a time when they are rare, many in one write when they are not.
func (s *NDJSON) run(out *lineWriter) {
	defer close(s.done)
	defer out.close()
	var writing []byte
	for range s.ready {
		for {
			s.mu.Lock()
			lines, open := s.lines, s.open
			writing, s.pending, s.lines = s.pending, writing[:0], 0
			s.mu.Unlock()
			if lines == 0 {
				if !open {
					return
				}
				break
			}
			s.account(out, writing, lines)
		}
	}
}

// account writes a batch and counts what became of it.
func (s *NDJSON) account(out *lineWriter, batch []byte, lines uint64) {
	whole, written, err := out.write(batch)
	s.mu.Lock()
	broken := s.stats.Error != ""
	s.stats.Lines += whole
	s.stats.Bytes += written
	s.stats.Lost += lines - whole
	s.stats.Error = ""
	if err != nil {
		s.stats.Error = err.Error()
	}
	s.mu.Unlock()
	switch {
	case err != nil && !broken:
		s.deps.Log.Error("snapshots cannot be written; the following ones are tried", "path", s.cfg.Path, "error", err)
	case err == nil && broken:
		s.deps.Log.Info("snapshots can be written again", "path", s.cfg.Path)
	}
}

func openAppend(path string) (*lineWriter, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	torn, err := endsMidLine(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("look at the end of %s: %w", path, err), f.Close())
	}
	return &lineWriter{w: f, file: f, torn: torn}, nil
}
