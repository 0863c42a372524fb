// Package follow keeps a value that stands in files, and reads it again when the
// first of them changes: keys and certificates that are replaced without a restart.
package follow

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Interval is how often the file is looked at.
const Interval = 250 * time.Millisecond

// File is a value read from a file. Value may be called at any time and never waits
// for the disk: only the follower's own goroutine does.
type File[T any] struct {
	path   string
	read   func() (T, error)
	failed func(error)
	value  atomic.Pointer[T]
	stop   chan struct{}
	done   chan struct{} // closed when the goroutine has ended
	once   sync.Once
	began  sync.Once
}

// Open reads the value for the first time. read is called again when the file at
// path has changed; while it fails the value stays, and failed is told once.
func Open[T any](path string, read func() (T, error), failed func(error)) (*File[T], error) {
	v, err := read()
	if err != nil {
		return nil, err
	}
	f := &File[T]{path: path, read: read, failed: failed, stop: make(chan struct{}), done: make(chan struct{})}
	f.value.Store(&v)
	return f, nil
}

// Value is what was read last.
func (f *File[T]) Value() T { return *f.value.Load() }

// Start follows the file until Stop.
func (f *File[T]) Start() { f.began.Do(func() { go f.follow() }) }

// Stop is safe without Start and twice. It waits for a read that is under way until
// ctx is done: a network file system may never answer.
func (f *File[T]) Stop(ctx context.Context) {
	f.began.Do(func() { close(f.done) })
	f.once.Do(func() { close(f.stop) })
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

func (f *File[T]) follow() {
	defer close(f.done)
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	var seen os.FileInfo
	failed := false
	for {
		select {
		case <-f.stop:
			return
		case <-tick.C:
		}
		info, err := os.Stat(f.path)
		if err == nil && !failed && seen != nil && os.SameFile(info, seen) && info.ModTime().Equal(seen.ModTime()) && info.Size() == seen.Size() {
			continue
		}
		v, err := f.read()
		if err != nil {
			if !failed {
				f.failed(err)
			}
			failed = true
			continue
		}
		seen, failed = info, false
		f.value.Store(&v)
	}
}
