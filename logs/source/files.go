package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/vigil-agent/vigil/logs/registry"
)

// groupSize is how many lines are handed on at once.
const groupSize = 512

// eventPause lets reports of a busy directory pile up, so that a line per
// microsecond costs one look per pause and not one each.
const eventPause = 10 * time.Millisecond

// scanShare bounds what looking for files costs while names keep changing: one
// part in so many of the time.
const scanShare = 20

// Files follows the files that its patterns lead to.
type Files struct {
	cfg      Config
	registry *registry.Registry
	sink     Sink
	log      *slog.Logger
	chunks   *chunks

	looks chan struct{}      // asks loop to look at the names
	syncs chan chan struct{} // the same, and closes when done

	// The loop goroutine owns what follows, and Start before it exists.
	watcher *watcher
	holders map[string]holder
	newOnes []bool // by pattern: files never seen are new, whatever FromEnd says
	readers sync.WaitGroup
	full    bool              // MaxFiles was reached, and that was logged
	moved   bool              // a name changed hands while it was looked at
	faulty  map[string]string // faults of the scan before

	// naming is held while the names are looked at, which may take any time in a
	// directory on a network. Only who holds it changes tails, byName and faults.
	naming sync.Mutex

	// mu guards everything below, and is never held during a system call.
	mu     sync.Mutex
	stop   context.CancelFunc // nil: not running
	done   chan struct{}      // closed when loop and all readers have returned
	tails  map[registry.Key]*tail
	byName map[string]*tail
	faults map[string]string // files that cannot be opened, and why
	extra  []string
}

// holder is the file that a name led to when it was last looked at.
type holder struct {
	key     registry.Key
	changed time.Time
	tail    *tail // nil when it is not open any more
}

// New makes a follower of files; nothing is opened before Start.
func New(cfg Config, deps Deps) (*Files, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if deps.Registry == nil || deps.Sink == nil {
		return nil, errors.New("file source: a registry and a sink are required")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Patterns = slices.Clone(cfg.Patterns)
	for i := range cfg.Patterns {
		cfg.Patterns[i].Path = filepath.Clean(cfg.Patterns[i].Path)
	}
	f := &Files{
		cfg: cfg, registry: deps.Registry, sink: deps.Sink, log: deps.Log,
		looks: make(chan struct{}, 1), syncs: make(chan chan struct{}), chunks: newChunks(),
	}
	return f, nil
}

// Start looks for files once, so that everything that appears after it returns
// is new, and then follows them in the background until Stop.
func (f *Files) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	f.naming.Lock()
	defer f.naming.Unlock()
	f.mu.Lock()
	if f.stop != nil {
		f.mu.Unlock()
		cancel()
		return nil
	}
	f.stop, f.done = cancel, done
	f.tails = make(map[registry.Key]*tail)
	f.faults = make(map[string]string)
	f.mu.Unlock()
	f.holders = make(map[string]holder)
	f.watcher = newWatcher(f.log, f.cfg.PollOnly)
	f.newOnes = f.newOnes[:0]
	known := f.registry.Idle()
	for _, p := range f.cfg.Patterns {
		looked, before := f.registry.Follow(p.Path)
		f.newOnes = append(f.newOnes, before)
		if before && !slices.ContainsFunc(known, func(e registry.Entry) bool { return e.Path == p.Path }) {
			f.expect(p.Path, looked)
		}
	}
	f.resume(ctx, known)
	now := fileTime()
	complete := f.scan(ctx)
	for _, p := range f.cfg.Patterns {
		f.expect(p.Path, now)
	}
	for i := range f.newOnes {
		f.newOnes[i] = true
	}
	go f.loop(ctx, complete, done)
	return nil
}

// Stop stops reading. Lines that were handed on stay handed on; what was not is
// read again after the next start. It is safe without Start and twice.
func (f *Files) Stop(ctx context.Context) error {
	f.mu.Lock()
	stop, done := f.stop, f.done
	f.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("stop reading files: %w", ctx.Err())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == done {
		f.stop = nil
	}
	return nil
}

// Sync returns when everything written to the files before the call has been
// handed on, or when ctx ends. A last line without its line feed is not waited
// for.
func (f *Files) Sync(ctx context.Context) error {
	f.mu.Lock()
	running, done := f.stop != nil, f.done
	f.mu.Unlock()
	if !running {
		return nil
	}
	looked := make(chan struct{})
	select {
	case f.syncs <- looked:
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("look for files: %w", ctx.Err())
	}
	select {
	case <-looked:
	case <-done:
		return nil
	case <-ctx.Done(): // a directory on a network may take any time
		return fmt.Errorf("look for files: %w", ctx.Err())
	}
	f.mu.Lock()
	tails := make([]*tail, 0, len(f.tails))
	for _, t := range f.tails {
		tails = append(tails, t)
	}
	f.mu.Unlock()
	for _, t := range tails {
		if err := t.sync(ctx); err != nil {
			return fmt.Errorf("read %s to its end: %w", t.where(), err)
		}
	}
	return nil
}

// sync returns when what the file holds now has been handed on, when the file
// is given up, or when ctx ends.
func (t *tail) sync(ctx context.Context) error {
	reached := make(chan struct{})
	select {
	case t.syncs <- reached:
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-reached:
	case <-t.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Retag adds tags to every line read from now on, in place of those of an
// earlier call.
func (f *Files) Retag(extra []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.extra = slices.Clone(extra)
	for _, t := range f.tails {
		tags := f.tagsOf(t)
		t.tags.Store(&tags)
	}
}

// tagsOf joins the tags of a file, once per file: records share the string. The
// caller holds mu.
func (f *Files) tagsOf(t *tail) string {
	tags := slices.Concat(f.cfg.Patterns[t.pattern].Tags, f.extra, []string{"filename:" + t.name})
	return strings.Join(tags, ",")
}

// look asks for a look at all names.
func (f *Files) look() {
	select {
	case f.looks <- struct{}{}:
	default: // one is due already
	}
}

// loop looks for files until ctx ends, and then waits for the readers.
func (f *Files) loop(ctx context.Context, complete bool, done chan<- struct{}) {
	defer close(done)
	defer f.release()
	defer f.readers.Wait()
	defer f.closeWatcher()
	timer := time.NewTimer(f.interval(complete))
	defer timer.Stop()
	var notBefore time.Time // of the next look that nobody waits for
	for {
		look := false
		var synced chan struct{}
		select {
		case <-ctx.Done():
			return
		case e := <-f.watcher.events():
			look = f.report(e)
		case err := <-f.watcher.errors():
			// Reports were lost: everything may have changed.
			f.log.Debug("file notifications", "error", err)
			look = true
			f.kickAll()
		case <-f.looks:
			look = true
		case <-timer.C:
			look = true
		case synced = <-f.syncs:
			look = true
		}
		if f.drainEvents() {
			look = true
		}
		if early := time.Until(notBefore); look && early > 0 && synced == nil {
			look = false
			timer.Reset(early)
		}
		if look {
			began := time.Now()
			f.naming.Lock()
			complete := f.scan(ctx)
			f.naming.Unlock()
			timer.Reset(f.interval(complete))
			notBefore = time.Now().Add(min(scanShare*time.Since(began), f.cfg.Poll))
		}
		if synced != nil {
			close(synced)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(eventPause):
		}
	}
}

// release leaves the entries of all open files to the next start.
func (f *Files) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tails {
		f.registry.Close(t.id, false)
	}
}

func (f *Files) closeWatcher() {
	if err := f.watcher.close(); err != nil {
		f.log.Debug("close file notifications", "error", err)
	}
}

// interval is the time to the next look when nothing asks for one.
func (f *Files) interval(complete bool) time.Duration {
	if complete {
		return f.cfg.Scan
	}
	return min(f.cfg.Scan, f.cfg.Poll)
}

// report acts on one notification and says whether names have changed.
func (f *Files) report(e fsnotify.Event) bool {
	if e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
		return true
	}
	if e.Has(fsnotify.Write) {
		f.mu.Lock()
		t := f.byName[e.Name]
		f.mu.Unlock()
		if t != nil {
			t.kick()
		}
	}
	return false
}

// drainEvents acts on all notifications that are there now.
func (f *Files) drainEvents() (look bool) {
	for {
		select {
		case e := <-f.watcher.events():
			look = f.report(e) || look
		default:
			return look
		}
	}
}

func (f *Files) kickAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tails {
		t.kick()
	}
}

// retire forgets a file whose name is gone and closes its entry, unless a scan
// has found it again.
func (f *Files) retire(t *tail) bool {
	f.naming.Lock()
	defer f.naming.Unlock()
	if t.listed.Load() {
		return false
	}
	f.mu.Lock()
	delete(f.tails, t.key)
	f.mu.Unlock()
	f.registry.Close(t.id, t.stat.Nlink == 0)
	return true
}
