package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/disk"
)

// ErrInUse means that another process writes the same journal.
var ErrInUse = errors.New("journal is in use by another process: stop it or choose another file")

// file is where a journal goes. Regular files are synced, and cut back to the
// last complete write after a failure; pipes and terminals are only written.
type file struct {
	disk    target
	regular bool
	// size is what was written and synced completely; beyond says that the file
	// may hold more than that.
	size   int64
	beyond bool
	// lazy says that writes are synced later than they return; dirty that some are
	// not synced yet.
	lazy, dirty bool

	// Of regular files that were opened by name:
	path     string
	segment  int   // the number that the file gets when it is put aside
	limit    int64 // the size at which that happens
	most     int64 // bytes of all files together; 0: no bound
	log      *slog.Logger
	sessions *sessions
}

// target is the part of *os.File that a journal writes with.
type target interface {
	io.WriteCloser
	Truncate(size int64) error
	Sync() error
}

// openFile opens the file at path for appending, standard output for "". It
// returns how many bytes of a torn end were cut off.
func openFile(path string, o Options, log *slog.Logger) (_ *file, torn int64, err error) {
	if path == "" {
		return &file{disk: stdout{}}, 0, nil
	}
	f, err := openLocked(path, os.O_CREATE)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	// After the lock, because the writer before may have added until it let go.
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	if !info.Mode().IsRegular() {
		return &file{disk: f}, 0, nil
	}
	sessions, last, known, err := openSessions(path+sessionsSuffix, o)
	if err != nil {
		return nil, 0, err
	}
	out := &file{
		disk: f, regular: true, lazy: o.Sync != SyncBatch, path: path, limit: o.SegmentBytes, most: o.MaxBytes,
		log: log, segment: max(1, last.segment), sessions: sessions,
	}
	if err := undoRotation(path, info); err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	for _, name := range segments(path) {
		out.segment = max(out.segment, segmentNumber(filepath.Clean(path), name)+1)
	}
	size, err := committedSize(f, info.Size(), out.segment, last, known)
	if err != nil {
		return nil, 0, fmt.Errorf("find the end of journal %s: %w", path, err)
	}
	out.size, out.beyond = size, size != info.Size()
	if err := out.repair(); err != nil {
		return nil, 0, fmt.Errorf("cut the torn end of journal %s: %w", path, err)
	}
	if err := disk.SyncDir(filepath.Dir(path)); err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	out.retain()
	return out, info.Size() - size, nil
}

// undoRotation takes the number from the file in use: a crash may end a rotation
// between the two names of the file, and what is put aside is never cut.
func undoRotation(path string, inUse fs.FileInfo) error {
	for _, name := range segments(path) {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if os.SameFile(info, inUse) {
			return os.Remove(name)
		}
	}
	return nil
}

// openLocked opens a file that no other process writes. What is not a regular
// file needs no lock.
func openLocked(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open journal: %w: make the directory, or name a journal elsewhere", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = disk.Lock(f)
	}
	if err == nil {
		return f, nil
	}
	if locked, ok := errors.AsType[*disk.LockedError](err); ok {
		err = fmt.Errorf("%s: %w", locked.Path, ErrInUse)
	}
	return nil, errors.Join(fmt.Errorf("open journal: %w", err), f.Close())
}

// committedSize is how much of a file of the given size was committed: as the last
// commit says, and else all complete lines.
func committedSize(f io.ReaderAt, size int64, segment int, last commit, known bool) (int64, error) {
	if known && last.segment < segment {
		return 0, nil // begun, and nothing committed since
	}
	if known && last.segment == segment && last.size <= size {
		if last.size == 0 {
			return 0, nil
		}
		var end [1]byte
		if _, err := f.ReadAt(end[:], last.size-1); err != nil {
			return 0, err
		}
		// Without its line feed this is not the file that the commit is about.
		if end[0] == '\n' {
			return last.size, nil
		}
	}
	return completeSize(f, size)
}

// completeSize is the offset after the last line feed of the first size bytes.
func completeSize(f io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 1<<16)
	for size > 0 {
		chunk := buf[:min(size, int64(len(buf)))]
		if _, err := f.ReadAt(chunk, size-int64(len(chunk))); err != nil {
			return 0, err
		}
		if at := bytes.LastIndexByte(chunk, '\n'); at >= 0 {
			return size - int64(len(chunk)) + int64(at) + 1, nil
		}
		size -= int64(len(chunk))
	}
	return 0, nil
}

// repair cuts what a failed write left behind. Marks go first: one whose lines are
// gone would have them refused when they come again.
func (f *file) repair() error {
	if !f.beyond || !f.regular {
		return nil
	}
	if f.sessions != nil && f.sessions.stale {
		if err := f.sessions.rewrite(commit{f.segment, f.size}, time.Now()); err != nil {
			return err
		}
	}
	if err := f.disk.Truncate(f.size); err != nil {
		return err
	}
	if err := f.disk.Sync(); err != nil {
		return err
	}
	f.beyond = false
	return nil
}

// write makes all of texts and marks durable, or nothing of them in a regular file.
func (f *file) write(texts [][]byte, marks []Mark) (n int64, err error) {
	if err := f.repair(); err != nil {
		return 0, fmt.Errorf("repair the journal after a failed write: %w", err)
	}
	if f.path != "" && f.size >= f.limit {
		if err := f.rotate(); err != nil {
			return 0, fmt.Errorf("begin another journal file: %w", err)
		}
	}
	if f.sessions != nil && len(marks) > 0 && !f.sessions.active() {
		// Only with a commit of before are lines cut that get no mark.
		if err := f.sessions.rewrite(commit{f.segment, f.size}, time.Now()); err != nil {
			return 0, fmt.Errorf("begin the sessions of the journal: %w", err)
		}
	}
	defer func() {
		if err != nil {
			// When this fails too, the next write tries again first.
			_ = f.repair()
		}
	}()
	f.beyond = true
	for _, text := range texts {
		if len(text) == 0 {
			continue
		}
		written, err := f.disk.Write(text)
		n += int64(written)
		if err != nil {
			return 0, fmt.Errorf("write journal: %w", err)
		}
	}
	switch {
	case !f.regular || n == 0:
	case f.lazy:
		f.dirty = true
	default:
		if err := f.disk.Sync(); err != nil {
			return 0, fmt.Errorf("sync journal: %w", err)
		}
	}
	if f.sessions != nil && (len(marks) > 0 || f.sessions.active()) {
		if err := f.sessions.note(commit{f.segment, f.size + n}, marks, time.Now()); err != nil {
			return 0, fmt.Errorf("write sessions of the journal: %w", err)
		}
	}
	f.size += n
	f.beyond = false
	return n, nil
}

// sync makes what was written lazily survive a power cut.
func (f *file) sync() error {
	if !f.dirty {
		return nil
	}
	f.dirty = false // a kernel that could not write once has dropped the pages
	if err := f.disk.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	if f.sessions != nil {
		if err := f.sessions.sync(); err != nil {
			return fmt.Errorf("sync sessions of the journal: %w", err)
		}
	}
	return nil
}

// retain removes the oldest files beyond the bound.
func (f *file) retain() {
	removed, err := retain(f.path, f.limit, f.most)
	if err != nil {
		f.log.Warn("old files of the journal cannot be removed", "error", err)
	}
	if len(removed) > 0 {
		f.log.Info("removed the oldest files of the journal, which has reached its bound", "bytes", f.most, "files", removed)
	}
}

// rotate puts the file aside under its number and begins another one. At any time
// the name belongs to a locked file.
func (f *file) rotate() error {
	if err := f.sync(); err != nil {
		return err
	}
	next := f.path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := openLocked(next, os.O_CREATE)
	if err != nil {
		return err
	}
	aside := segmentName(f.path, f.segment)
	err = os.Link(f.path, aside)
	if err == nil || errors.Is(err, fs.ErrExist) { // left by a try that failed
		err = os.Rename(next, f.path)
	}
	if err == nil {
		err = disk.SyncDir(filepath.Dir(f.path))
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	_ = f.disk.Close() // all of it is synced
	f.disk, f.size, f.segment = file, 0, f.segment+1
	f.retain()
	return nil
}

func (f *file) close() error {
	err := errors.Join(f.sync(), f.disk.Close())
	if f.sessions != nil {
		err = errors.Join(err, f.sessions.close())
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// stdout is standard output, which stays open for others.
type stdout struct{}

func (stdout) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdout) Truncate(int64) error        { return nil }
func (stdout) Sync() error                 { return nil }
func (stdout) Close() error                { return nil }
