package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/logs/internal/disk"
	"github.com/vigil-agent/vigil/logs/record"
)

// FileName is the name of the file inside the quarantine's directory.
const FileName = "lines.ndjson"

// DefaultMaxBytes bounds the file by default.
const DefaultMaxBytes = 256 << 20

// ErrFull is returned when the file has reached its bound.
var ErrFull = errors.New("quarantine is full: deliver or remove its lines")

// header is the first line of a file.
type header struct {
	Replay string `json:"replay"`
}

// Writer appends to the file in one directory. It opens the file for each line:
// lines are rare, and the file may be moved away at any time. Its methods may be
// called concurrently.
type Writer struct {
	dir   string
	bound int64
	mu    sync.Mutex // one line at a time
}

// NewWriter makes a writer for dir, which is made with the first line. The file
// holds up to bound bytes, or DefaultMaxBytes for 0.
func NewWriter(dir string, bound int64) *Writer {
	if bound == 0 {
		bound = DefaultMaxBytes
	}
	return &Writer{dir: dir, bound: bound}
}

// Path is the file.
func (w *Writer) Path() string { return filepath.Join(w.dir, FileName) }

// Put returns once the line survives a crash. After an error the line is not in
// the file, or not all of it, which Read skips.
func (w *Writer) Put(r record.Record, reason string, cause error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	line, err := json.Marshal(entryOf(r, time.Now(), reason, cause))
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	if err := w.write(append(line, '\n')); err != nil {
		return fmt.Errorf("quarantine: write %s: %w", w.Path(), err)
	}
	return nil
}

func (w *Writer) write(line []byte) (err error) {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	f, err := openInPlace(w.Path())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if size+int64(len(line)) > w.bound {
		return ErrFull
	}
	if size == 0 {
		head, err := json.Marshal(header{Replay: "vigil logs replay " + w.Path()})
		if err != nil {
			return err
		}
		line = append(append(head, '\n'), line...)
	} else if last := make([]byte, 1); true {
		// What a crash left half-written ends here.
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if size > 0 {
		return nil
	}
	return errors.Join(disk.SyncDir(w.dir), disk.SyncDir(filepath.Dir(w.dir)))
}

// openInPlace opens the file at path for one line and locks it. Take may have moved
// it away just before: then the line belongs into a new one.
func openInPlace(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		if err = lock(f); err == nil {
			opened, failed := f.Stat()
			named, gone := os.Stat(path)
			switch {
			case failed == nil && gone == nil && os.SameFile(opened, named):
				return f, nil
			case failed != nil:
				err = failed
			case gone != nil && !errors.Is(gone, fs.ErrNotExist):
				err = gone
			}
		}
		if closed := f.Close(); err != nil {
			return nil, errors.Join(err, closed)
		}
	}
}

// Take moves the file at path to aside, which must not exist, and returns when no
// writer adds to it any more. A file that is not there is an error of os.Rename.
func Take(path, aside string) error {
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	f, err := os.Open(aside)
	if err != nil {
		return err
	}
	return errors.Join(lock(f), f.Close()) // a writer holds it for one line
}

// lock waits for the file's lock, which ends with the file.
func lock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
