package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrInUse means that another process writes the same journal.
var ErrInUse = errors.New("journal is in use by another process: stop it or choose another file")

// file is where a journal goes. Regular files are synced, and cut back to the
// last complete write after a failure; pipes and terminals are only written.
type file struct {
	disk    disk
	regular bool
	// size is what was written and synced completely; beyond says that the file
	// may hold more than that.
	size   int64
	beyond bool
}

// disk is the part of *os.File that a journal writes with.
type disk interface {
	io.WriteCloser
	Truncate(size int64) error
	Sync() error
}

// openFile opens the file at path for appending, standard output for "". It
// returns how many bytes of a torn last line were cut off.
func openFile(path string) (_ *file, torn int64, err error) {
	if path == "" {
		return &file{disk: stdout{}}, 0, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	if !info.Mode().IsRegular() {
		return &file{disk: f}, 0, nil
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, 0, fmt.Errorf("open journal %s: %w", path, ErrInUse)
		}
		return nil, 0, fmt.Errorf("lock journal %s: %w", path, err)
	}
	// Again, because the writer before may have added to it until it let go.
	if info, err = f.Stat(); err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	size, err := completeSize(f, info.Size())
	if err != nil {
		return nil, 0, fmt.Errorf("find the last line of journal %s: %w", path, err)
	}
	out := &file{disk: f, regular: true, size: size, beyond: size != info.Size()}
	if err := out.repair(); err != nil {
		return nil, 0, fmt.Errorf("cut the torn last line of journal %s: %w", path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, 0, fmt.Errorf("open journal: %w", err)
	}
	return out, info.Size() - size, nil
}

// completeSize is the offset after the last line feed of the first size bytes.
func completeSize(f *os.File, size int64) (int64, error) {
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

// syncDir makes a new file's name durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// repair cuts what a failed write left behind.
func (f *file) repair() error {
	if !f.beyond || !f.regular {
		return nil
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

// write makes all of texts durable, or none of them in a regular file.
func (f *file) write(texts [][]byte) (n int64, err error) {
	if err := f.repair(); err != nil {
		return 0, fmt.Errorf("repair the journal after a failed write: %w", err)
	}
	defer func() {
		if err != nil {
			// When this fails too, the next write tries again first.
			_ = f.repair()
		}
	}()
	f.beyond = true
	for _, text := range texts {
		written, err := f.disk.Write(text)
		n += int64(written)
		if err != nil {
			return 0, fmt.Errorf("write journal: %w", err)
		}
	}
	if f.regular {
		if err := f.disk.Sync(); err != nil {
			return 0, fmt.Errorf("sync journal: %w", err)
		}
	}
	f.size += n
	f.beyond = false
	return n, nil
}

func (f *file) close() error {
	if err := f.disk.Close(); err != nil {
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
