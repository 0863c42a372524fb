package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/disk"
)

// Defaults of Config.
const (
	// DefaultFlushEvery bounds both the writes per second and what a power cut
	// makes the agent send again.
	DefaultFlushEvery = time.Second
	// DefaultRetention outlives a volume that is away for some days; an entry is
	// about 200 bytes.
	DefaultRetention = 30 * 24 * time.Hour
)

// Names of the files in the run path.
const (
	FileName = "logs-registry.json"
	// DeltaName holds the offsets that moved since FileName was written.
	DeltaName = "logs-registry.delta"
	LockName  = "logs-registry.lock"
)

// Config says where the registry lives and how often it is written.
type Config struct {
	// Dir is the run path; it is created when missing.
	Dir string
	// FlushEvery is the least time between two writes; 0 means DefaultFlushEvery.
	FlushEvery time.Duration
	// Retention is how long the offset of a file that is no longer there is
	// kept; 0 means DefaultRetention.
	Retention time.Duration
}

// Deps is what the registry needs from its owner.
type Deps struct {
	// Log may be nil.
	Log *slog.Logger
}

// ErrNotStarted is returned by calls that need the loaded file.
var ErrNotStarted = errors.New("offset registry is not started")

// Registry holds the offsets. Its methods are safe for concurrent use.
type Registry struct {
	cfg  Config
	log  *slog.Logger
	path string

	// writing serialises writers of the two files and guards delta.
	writing sync.Mutex
	delta   delta
	wake    chan struct{} // something is to be saved at once; room for one
	stop    context.CancelFunc
	done    chan struct{}
	lock    *os.File

	// mu guards everything below.
	mu        sync.Mutex
	started   bool
	files     map[string]*file
	patterns  map[string]time.Time // when files were last looked for
	dirty     bool
	writeErr  error
	recovered error
	written   time.Time
	memory    map[string]string // see Remember
	moved     []*file           // since they were last saved
	fresh     bool              // a file is not in the registry file yet
}

// file is an entry with what is on its way from it.
type file struct {
	Entry
	handed int64 // how far lines were handed on, see Begin
	// active means that a source follows the file now.
	active bool
	// gone means that the file cannot be opened again by anyone: the entry is
	// dropped as soon as nothing of it is on its way.
	gone bool
	// moved says that the file is in Registry.moved.
	moved bool
}

// idle says whether nothing is on its way.
func (f *file) idle() bool { return f.handed <= f.Offset }

// New makes a registry; nothing is read or written before Start.
func New(cfg Config, deps Deps) (*Registry, error) {
	if cfg.Dir == "" {
		return nil, errors.New("offset registry: no directory given")
	}
	if cfg.FlushEvery <= 0 {
		cfg.FlushEvery = DefaultFlushEvery
	}
	if cfg.Retention <= 0 {
		cfg.Retention = DefaultRetention
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{cfg: cfg, log: deps.Log, path: filepath.Join(cfg.Dir, FileName), wake: make(chan struct{}, 1)}, nil
}

// Start locks the run path and loads the file. It returns *LockedError when
// another agent owns the run path. A corrupt file is logged, kept aside and
// replaced; Status says so too.
func (r *Registry) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started {
		return nil
	}
	if err := os.MkdirAll(r.cfg.Dir, 0o750); err != nil {
		return fmt.Errorf("create run path: %w", err)
	}
	l, err := disk.LockFile(filepath.Join(r.cfg.Dir, LockName))
	if locked, ok := errors.AsType[*disk.LockedError](err); ok {
		return &LockedError{Dir: r.cfg.Dir, PID: locked.PID}
	}
	if err != nil {
		return fmt.Errorf("take the run path: %w", err)
	}
	c, err := load(r.path, time.Now())
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		r.recovered = corrupt
		r.log.Error("offsets are lost", "error", corrupt)
	} else if err != nil {
		return errors.Join(err, l.Close())
	}
	d, ahead, err := openDelta(filepath.Join(r.cfg.Dir, DeltaName), c.Generation, c.Files)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	r.delta, r.moved, r.fresh = d, nil, false
	r.files = make(map[string]*file, len(c.Files))
	for _, e := range c.Files {
		r.files[e.ID] = &file{Entry: e}
	}
	r.patterns = make(map[string]time.Time, len(c.Patterns))
	for _, p := range c.Patterns {
		r.patterns[p.Path] = p.Looked
	}
	r.memory = make(map[string]string, len(c.Memory))
	maps.Copy(r.memory, c.Memory)
	r.dirty = r.dirty || ahead
	if !ahead { // else with the write that saves what it has
		if err := r.delta.clear(); err != nil {
			r.log.Warn("offsets are saved once a second only", "error", err)
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.lock, r.stop, r.done, r.started = l, cancel, make(chan struct{}), true
	if ahead {
		r.nudge()
	}
	go r.run(ctx, r.done)
	return nil
}

// Stop writes what changed and unlocks the run path. It is safe without Start
// and twice.
func (r *Registry) Stop(ctx context.Context) error {
	r.mu.Lock()
	if !r.started {
		r.mu.Unlock()
		return nil
	}
	r.started = false
	r.dirty = r.dirty || len(r.patterns) > 0
	r.stop()
	l, done := r.lock, r.done
	r.mu.Unlock()
	// The goroutine and the last write each take one file write; ctx bounds only
	// the first, for without the second the run's last offsets would be lost.
	var err error
	select {
	case <-done:
		err = r.write()
	case <-ctx.Done():
		err = fmt.Errorf("save offsets: %w", ctx.Err())
	}
	return errors.Join(err, r.delta.file.Close(), l.Close())
}

// nudge has the run loop save at once.
func (r *Registry) nudge() {
	select {
	case r.wake <- struct{}{}:
	default: // it will
	}
}

// Flush makes every commit so far durable.
func (r *Registry) Flush(context.Context) error {
	r.mu.Lock()
	started := r.started
	r.mu.Unlock()
	if !started {
		return ErrNotStarted
	}
	return r.write()
}

// run saves offsets as they move, and writes the file when it has changed, until
// ctx ends.
func (r *Registry) run(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	tick := time.NewTicker(r.cfg.FlushEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
			if !r.follow() || failing {
				continue
			}
		case <-tick.C:
		}
		err := r.write()
		if err != nil && !failing {
			r.log.Error("offsets cannot be saved: lines may be sent twice after a restart; retrying", "error", err)
		}
		if err == nil && failing {
			r.log.Info("offsets are saved again", "path", r.path)
		}
		failing = err != nil
	}
}

// write saves the registry if it has changed since the last write.
func (r *Registry) write() error {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	if !r.dirty {
		r.mu.Unlock()
		return nil
	}
	c := r.snapshot(time.Now())
	r.collect()
	fresh := r.fresh
	r.dirty, r.fresh = false, false
	r.mu.Unlock()

	r.delta.add() // in case that the write fails
	r.delta.generation++
	c.Generation = r.delta.generation
	text, err := encode(c)
	if err == nil {
		err = save(r.path, text)
	}
	if err == nil {
		err = r.delta.clear()
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.writeErr = err
	if err != nil {
		r.dirty, r.fresh = true, r.fresh || fresh
		return err
	}
	r.written = time.Now()
	return nil
}

// Status describes the registry.
type Status struct {
	// Path is the file.
	Path string `json:"path"`
	// Files counts the entries, of followed files and of those that are away.
	Files int `json:"files"`
	// Saved is when the file was last written by this process; zero when not yet.
	Saved time.Time `json:"saved,omitzero"`
	// Error is why the last write failed; empty when it did not.
	Error string `json:"error,omitempty"`
	// Recovered says that the file was corrupt at start and where it was kept.
	Recovered string `json:"recovered,omitempty"`
}

// Status is the current state; it works in every phase.
func (r *Registry) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{Path: r.path, Files: len(r.files), Saved: r.written}
	if r.writeErr != nil {
		s.Error = r.writeErr.Error()
	}
	if r.recovered != nil {
		s.Recovered = r.recovered.Error()
	}
	return s
}

// snapshot copies what is to be saved and forgets what is past its time. The
// caller holds mu.
func (r *Registry) snapshot(now time.Time) content {
	c := content{Files: make([]Entry, 0, len(r.files)), Patterns: make([]pattern, 0, len(r.patterns))}
	for id, f := range r.files {
		switch {
		case f.active:
			f.Seen = now.UTC()
		case f.idle() && (f.gone || now.Sub(f.Seen) > r.cfg.Retention):
			delete(r.files, id)
			continue
		}
		c.Files = append(c.Files, f.Entry)
	}
	c.Memory = maps.Clone(r.memory)
	for path, looked := range r.patterns {
		c.Patterns = append(c.Patterns, pattern{path, looked})
	}
	return c
}
