package source

import (
	"log/slog"

	"github.com/fsnotify/fsnotify"
)

// watchBuffer is how many change reports wait while the loop is busy; the
// kernel keeps 16,384 more and then says that it lost some.
const watchBuffer = 4096

// watcher reports changes in directories, as far as the kernel can.
type watcher struct {
	log      *slog.Logger
	fs       *fsnotify.Watcher // nil: polling only
	reported map[string]bool   // directories whose failure has been logged
}

// newWatcher opens the kernel's notifications; without them polling remains.
func newWatcher(log *slog.Logger, pollOnly bool) *watcher {
	w := &watcher{log: log, reported: make(map[string]bool)}
	if pollOnly {
		return w
	}
	fs, err := fsnotify.NewBufferedWatcher(watchBuffer)
	if err != nil {
		log.Warn("no file notifications, polling instead: raise fs.inotify.max_user_instances for faster reading", "error", err)
		return w
	}
	w.fs = fs
	return w
}

// watch adds directories to those that are watched. It returns false when
// changes in some of want will not be reported.
func (w *watcher) watch(want map[string]bool) bool {
	if w.fs == nil {
		return false
	}
	have := make(map[string]bool)
	for _, dir := range w.fs.WatchList() {
		have[dir] = true
	}
	complete := true
	for dir := range want {
		if have[dir] {
			continue
		}
		err := w.fs.Add(dir)
		if err == nil {
			delete(w.reported, dir)
			continue
		}
		complete = false
		if !w.reported[dir] {
			w.reported[dir] = true
			w.log.Debug("directory is polled, not watched", "dir", dir, "error", err)
		}
	}
	return complete
}

// keep gives up the directories that are not wanted any more.
func (w *watcher) keep(want map[string]bool) {
	if w.fs == nil {
		return
	}
	for _, dir := range w.fs.WatchList() {
		if !want[dir] {
			_ = w.fs.Remove(dir) // it may be gone, which is why it is not wanted
		}
	}
}

// events and errors are nil, and so never ready, without notifications.
func (w *watcher) events() <-chan fsnotify.Event {
	if w.fs == nil {
		return nil
	}
	return w.fs.Events
}

func (w *watcher) errors() <-chan error {
	if w.fs == nil {
		return nil
	}
	return w.fs.Errors
}

func (w *watcher) close() error {
	if w.fs == nil {
		return nil
	}
	return w.fs.Close()
}
