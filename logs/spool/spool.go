package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/vigil-agent/vigil/logs/internal/disk"
)

// Spool is an open spool. Its methods may be called concurrently; calls of Append
// wait for each other, and so do calls of Next.
type Spool struct {
	cfg        Config
	log        *slog.Logger
	files      files
	lock       *os.File
	newSession bool

	// appending and reading are tokens: who holds one may append or read, and owns
	// the fields below it.
	appending chan struct{}
	encoder   encoder
	buf       []byte

	reading chan struct{}
	decoder decoder

	// fetching guards reader and head, which is memory for a frame's header.
	fetching sync.Mutex
	reader   reader
	head     [frameHeaderSize]byte

	// readable and room are signalled when there is something to read, and when a
	// writer that waits for room should look again.
	readable, room chan struct{}
	closed         chan struct{}
	closeOnce      sync.Once
	closeErr       error
	syncing        sync.WaitGroup

	// mu guards everything declared below.
	mu       sync.Mutex
	segments []*segment // ascending; the last one is written when active is set
	active   file       // nil: the next batch makes a new segment
	unsynced bool       // active holds batches that were not synced
	mark     *markFile
	next     uint64  // number of the next batch
	end      count   // up to the last batch
	cursor   uint64  // number handed out next
	handed   []count // upto each number that was handed out and is not acknowledged
	lostUpto uint64  // lost numbers up to here are counted
	stats    Stats
}

// Stats is the state of a spool and what it has done since it was opened.
type Stats struct {
	// Acked is the highest acknowledged number, Next the number of the next batch.
	Acked uint64 `json:"acked"`
	Next  uint64 `json:"next"`
	// Pending is what is appended and not acknowledged. Dropped and lost batches are
	// part of it; lines and bytes of a run of them go with its first number.
	Pending Amount `json:"pending"`
	// DiskBytes is what the segments take, MaxBytes what they may.
	DiskBytes int64 `json:"disk_bytes"`
	MaxBytes  int64 `json:"max_bytes"`
	Segments  int   `json:"segments"`
	// Appended were taken.
	Appended Amount `json:"appended"`
	// Dropped made room for later ones, or found none: see DropOldest.
	Dropped Amount `json:"dropped"`
	// Lost could not be read, because their bytes are corrupt or gone.
	Lost Amount `json:"lost"`
	// TornBytes is what a crash left of a batch that Append had not returned.
	TornBytes int64 `json:"torn_bytes"`
	// Syncs counts those of segments.
	Syncs uint64 `json:"syncs"`
	// Waiting says that Append waits for room, Failures how many writes failed, and
	// Error why the last write failed, empty after one that did not.
	Waiting  bool   `json:"waiting"`
	Failures uint64 `json:"failures"`
	Error    string `json:"error,omitempty"`
}

// Amount counts batches, their lines and the bytes of their messages.
type Amount struct {
	Batches uint64 `json:"batches"`
	Lines   uint64 `json:"lines"`
	Bytes   uint64 `json:"bytes"`
}

func (a *Amount) add(batches uint64, c count) {
	a.Batches += batches
	a.Lines += c.lines
	a.Bytes += c.bytes
}

// Open opens the spool in cfg.Dir and finds what is not acknowledged in it. The
// error wraps *disk.LockedError when another process has it open.
func Open(cfg Config, deps Deps) (*Spool, error) { return open(cfg, deps, osFiles{}) }

func open(cfg Config, deps Deps, fsys files) (_ *Spool, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s := &Spool{
		cfg: cfg, log: deps.Log, files: fsys,
		appending: make(chan struct{}, 1), reading: make(chan struct{}, 1),
		readable: make(chan struct{}, 1), room: make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("create spool: %w", err)
	}
	if s.lock, err = disk.LockFile(filepath.Join(cfg.Dir, "lock")); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer func() {
		if err != nil {
			if s.mark != nil {
				_ = s.mark.file.Close()
			}
			_ = s.lock.Close()
		}
	}()
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if cfg.Sync == SyncInterval {
		s.syncing.Go(s.syncLoop)
	}
	return s, nil
}

// NeedsNewSession says that numbers may have been used before for other batches,
// because the spool is new or a power cut took batches that were not synced. A
// receiving side that knows the numbers would take new batches for repeated ones:
// give them a new session.
func (s *Spool) NeedsNewSession() bool { return s.newSession }

// Stats says how it stands.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Acked, out.Next, out.MaxBytes, out.Segments = s.mark.mark.seq, s.next, s.cfg.MaxBytes, len(s.segments)
	out.DiskBytes = s.diskBytes()
	out.Pending = Amount{}
	out.Pending.add(s.next-1-s.mark.mark.seq, s.end.sub(s.mark.mark.upto))
	return out
}

// diskBytes is what the segments take. The caller holds mu.
func (s *Spool) diskBytes() int64 {
	n := int64(0)
	for _, g := range s.segments {
		n += g.size
	}
	return n
}

// Close syncs what was appended, unless SyncOff, and lets the directory go. Calls
// that wait return ErrClosed. It may be called many times.
func (s *Spool) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Spool) close() error {
	close(s.closed)
	s.appending <- struct{}{}
	s.reading <- struct{}{}
	s.syncing.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.seal()
	s.mark.mark.flags |= markClean
	err = errors.Join(err, s.mark.write())
	if s.cfg.Sync != SyncOff {
		err = errors.Join(err, s.mark.file.Sync())
	}
	err = errors.Join(err, s.reader.close(), s.mark.file.Close(), s.lock.Close())
	if err != nil {
		return fmt.Errorf("close spool: %w", err)
	}
	return nil
}

// signal wakes who waits on c, now or next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
