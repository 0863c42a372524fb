package quarantine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

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
	f, err := os.OpenFile(w.Path(), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
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
	if size == 0 {
		return syncDir(w.dir)
	}
	return nil
}

// syncDir makes the name of a new file survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
