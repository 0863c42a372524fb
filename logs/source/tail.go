package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
)

// minPoll is the first wait at the end of a file; it doubles up to longestWait
// while nothing comes. It also lets a fast writer fill more than a line between
// two reads.
const minPoll = 10 * time.Millisecond

// errSink wraps what the Sink said, to tell it from trouble with the file.
var errSink = errors.New("lines cannot be handed on")

// tail reads one open file. Files.loop opens it and says what happens to its
// name; its own goroutine, run, reads it and closes it.
type tail struct {
	files   *Files
	file    *os.File
	fd      int
	key     registry.Key
	pattern int
	name    string // for the filename: tag: the name it was first seen under
	// after is closed when the file that stood at this name before is read.
	after <-chan struct{}

	wake    chan struct{}      // something may have changed
	syncs   chan chan struct{} // each is closed when everything written before is handed on
	drained chan struct{}      // closed at the end of a file that lost its name
	done    chan struct{}      // closed when run has returned

	local    bool        // see isLocal
	reported atomic.Bool // the directory is watched
	listed   atomic.Bool // a pattern leads to the file
	replaced atomic.Bool // its name leads to another file
	tags     atomic.Pointer[string]
	counters

	// mu guards what follows; run writes it, status and the loop read it.
	mu    sync.Mutex
	id    string
	path  string
	real  string // path without symbolic links, as notifications name it
	fault string

	// What follows belongs to run.
	rest     []byte // read and not handed on: the beginning of a line
	again    int    // bytes after rest that were read and not kept
	pos      int64  // offset after both
	head     []byte
	headRoom [registry.FingerprintSize]byte
	stat     unix.Stat_t
	modified unix.Timespec
	waiting  []syncRequest
	isDry    bool // drained is closed
}

// syncRequest waits until everything up to target, the size of the file when
// the request was seen, is handed on; -1 means not seen yet.
type syncRequest struct {
	done   chan struct{}
	target int64
}

// run reads until the file is given up or ctx ends.
func (t *tail) run(ctx context.Context) {
	defer close(t.done)
	defer func() { _ = t.file.Close() }() // only read
	defer t.dry()
	defer t.forget()
	if !t.turn(ctx) {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	wait, quiet := minPoll, time.Time{}
	for {
		// Looked up before reading: an end found after the name was lost is the
		// end of everything written under that name.
		last := t.replaced.Load() || !t.listed.Load()
		atEnd, err := t.step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errSink):
			t.fail(err)
			t.files.log.Error("file is not read any more", "path", t.where(), "error", err)
			return
		case err != nil:
			t.fail(err)
			t.answer(true)
		case !atEnd:
			t.fail(nil)
			wait, quiet = minPoll, time.Time{}
			t.poll()
			if t.pos < t.stat.Size {
				continue
			}
		case last:
			t.dry()
		}
		if t.listed.Load() {
			quiet = time.Time{}
		} else if quiet.IsZero() {
			quiet = time.Now()
		} else if time.Since(quiet) >= t.files.cfg.Linger && t.finish(ctx) {
			return
		}
		wait = min(wait, t.longestWait())
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case s := <-t.syncs:
			t.waiting = append(t.waiting, syncRequest{s, -1})
		case <-timer.C:
			wait *= 2
			t.checkName()
		}
	}
}

// longestWait is the longest time between two looks at the end of the file.
func (t *tail) longestWait() time.Duration {
	if t.local && t.reported.Load() && t.listed.Load() && !t.replaced.Load() {
		return t.files.cfg.Scan
	}
	return min(t.files.cfg.Poll, t.files.cfg.Scan)
}

// turn waits until the file that came before this one is read.
func (t *tail) turn(ctx context.Context) bool {
	if t.after == nil {
		return true
	}
	select {
	case <-t.after:
		return true
	case <-ctx.Done():
		return false
	}
}

// step reads what one chunk holds and hands its lines on, or finds the end of
// the file as it is now.
func (t *tail) step(ctx context.Context) (atEnd bool, err error) {
	if err := unix.Fstat(t.fd, &t.stat); err != nil {
		return false, fmt.Errorf("stat: %w", err)
	}
	t.size.Store(t.stat.Size)
	t.aim()
	if t.stat.Size < t.pos {
		return false, t.restart(ctx)
	}
	if t.stat.Size == t.pos && t.stat.Mtim == t.modified {
		t.answer(false)
		return true, nil
	}
	n := 0
	var lent *chunk
	if t.stat.Size > t.pos {
		if lent, err = t.files.chunks.borrow(ctx, t.local, len(t.rest)+t.again); err != nil {
			return false, err
		}
		defer t.files.chunks.giveBack(lent)
		if n, err = t.file.ReadAt(lent.room(t.rest, t.again, t.stat.Size-t.pos), t.pos-int64(t.again)); err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("read: %w", err)
		}
	}
	// A file that was emptied and filled again past the old offset begins
	// differently. Looked at after reading, so that bytes from both lives of the
	// file never meet in one line.
	head, err := readHead(t.file, t.headRoom[:])
	if err != nil {
		return false, fmt.Errorf("read: %w", err)
	}
	if !bytes.HasPrefix(head, t.head) {
		return false, t.restart(ctx)
	}
	if len(head) > len(t.head) {
		t.head = append(t.head, head[len(t.head):]...)
		t.files.registry.Grow(t.id, t.head)
	}
	if n <= t.again { // less than before: it was emptied after the look at its size
		t.modified = t.stat.Mtim
		t.answer(false)
		return true, nil
	}
	fresh := int64(n - t.again)
	t.pos += fresh
	t.bytes.Add(fresh)
	if err := t.hand(ctx, lent.text(n), lent.lines); err != nil {
		return false, err
	}
	t.answer(false)
	return false, nil
}

// hand gives the complete lines in text, which ends at pos, to the sink, as many at
// once as group has room for, and keeps what follows them.
func (t *tail) hand(ctx context.Context, text []byte, group []record.Record) error {
	like := record.Record{
		Time:   time.Now().UnixMilli(),
		Tags:   *t.tags.Load(),
		Origin: record.Origin{Source: t.id},
	}
	for {
		start := t.pos - int64(len(text))
		lines, used, pieces := cut(group[:0], text, start, t.files.cfg.MaxLine, like)
		if len(lines) == 0 {
			t.keep(text)
			return nil
		}
		err := t.files.sink(ctx, lines)
		count := len(lines)
		clear(lines)
		if err != nil {
			return fmt.Errorf("%w: %w", errSink, err)
		}
		text = text[used:]
		t.lines.Add(int64(count))
		t.pieces.Add(int64(pieces))
		t.read.Store(start + int64(used))
	}
}

// keep copies the beginning of a line, which ends at pos, and holds little memory
// besides. It leaves the line to be read again when all files together hold too much.
func (t *tail) keep(text []byte) {
	if len(text) > cap(t.rest) || cap(t.rest) > 2*len(text)+spareRest {
		t.forget()
		// Twice, so that a line that arrives in crumbs is not copied for each of them.
		if size := min(2*len(text), t.files.cfg.MaxLine); t.files.chunks.hold(size) {
			t.rest = make([]byte, 0, size)
		} else {
			t.again = len(text)
			return
		}
	}
	t.rest, t.again = append(t.rest[:0], text...), 0
}

// forget gives up what is held.
func (t *tail) forget() {
	t.files.chunks.hold(-cap(t.rest))
	t.rest, t.again = nil, 0
}

// handRest gives on a last line that will not be completed.
func (t *tail) handRest(ctx context.Context) error {
	known := len(t.rest) + t.again
	if known == 0 {
		return nil
	}
	lent, err := t.files.chunks.borrow(ctx, t.local, known)
	if err != nil {
		return err
	}
	defer t.files.chunks.giveBack(lent)
	if _, err := t.file.ReadAt(lent.room(t.rest, t.again, 1)[:t.again], t.pos-int64(t.again)); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	message := lent.text(t.again)
	t.forget()
	line := append(lent.lines, record.Record{
		Time:    time.Now().UnixMilli(),
		Tags:    *t.tags.Load(),
		Message: message,
		Origin:  record.Origin{Source: t.id, End: t.pos},
	})
	err = t.files.sink(ctx, line)
	clear(line)
	if err != nil {
		return fmt.Errorf("%w: %w", errSink, err)
	}
	t.lines.Add(1)
	t.rests.Add(1)
	t.read.Store(t.pos)
	return nil
}

// restart reads a file that was emptied from its beginning. What it holds now
// is another source: offsets of the old content mean nothing in it.
func (t *tail) restart(ctx context.Context) error {
	if t.again > 0 { // it is not in the file any more
		t.forget()
	}
	if err := t.handRest(ctx); err != nil {
		return err
	}
	head, err := readHead(t.file, t.headRoom[:])
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	path := t.where()
	entry := t.files.registry.Add(path, t.key, head, 0)
	t.files.registry.Close(t.id, true)
	t.mu.Lock()
	t.id = entry.ID
	t.mu.Unlock()
	t.files.log.Warn("file was truncated, reading it from its beginning", "path", path, "read", t.pos, "size", t.stat.Size)
	t.head = append(t.head[:0], head...)
	t.pos, t.modified = 0, unix.Timespec{}
	t.read.Store(0)
	t.truncations.Add(1)
	for i := range t.waiting {
		t.waiting[i].target = -1
	}
	t.kick()
	return nil
}

// finish gives up a file without a name, unless it got one just now.
func (t *tail) finish(ctx context.Context) bool {
	if err := t.handRest(ctx); err != nil {
		t.fail(err)
		return true // the offset stays before the rest
	}
	return t.files.retire(t)
}

// checkName asks for a look at all names when this file's leads elsewhere: the
// only news of a rotation where the kernel reports nothing.
func (t *tail) checkName() {
	if !t.listed.Load() || t.replaced.Load() {
		return
	}
	if info, err := os.Stat(t.where()); err != nil || keyOf(info) != t.key {
		t.files.look()
	}
}

// poll takes sync requests without waiting.
func (t *tail) poll() {
	for {
		select {
		case s := <-t.syncs:
			t.waiting = append(t.waiting, syncRequest{s, -1})
		default:
			return
		}
	}
}

// aim sets how far to read for those who have begun to wait.
func (t *tail) aim() {
	for i := range t.waiting {
		if t.waiting[i].target < 0 {
			t.waiting[i].target = t.stat.Size
		}
	}
}

// answer tells those who wait that the place they asked for was reached, or all
// of them that it cannot be.
func (t *tail) answer(all bool) {
	t.waiting = slices.DeleteFunc(t.waiting, func(s syncRequest) bool {
		if !all && (s.target < 0 || s.target > t.pos) {
			return false
		}
		close(s.done)
		return true
	})
}

// dry lets the file that comes after this one begin.
func (t *tail) dry() {
	if !t.isDry {
		t.isDry = true
		close(t.drained)
	}
}

// kick makes run look at the file now.
func (t *tail) kick() {
	select {
	case t.wake <- struct{}{}:
	default: // it will look already
	}
}

func (t *tail) where() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.path
}

func (t *tail) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = ""
	if err != nil {
		t.fault = err.Error()
	}
}
