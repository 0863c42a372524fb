package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ErrClosed is given to appends that a closed journal cannot take.
var ErrClosed = errors.New("journal is closed")

// maxQueuedBytes bounds what waits for the disk: Append blocks beyond it.
const maxQueuedBytes = 64 << 20

// Bounds of the memory for formatted batches that is kept for reuse.
const (
	maxIdleBuffers     = 16
	maxIdleBufferBytes = 1 << 20
)

// Stats is what a journal has written since it was opened.
type Stats struct {
	// Lines and Bytes are durable; Commits is how many syncs that took.
	Lines   uint64 `json:"lines"`
	Bytes   uint64 `json:"bytes"`
	Commits uint64 `json:"commits"`
	// Failures counts commits that failed; their batches were not kept. Failing is
	// why the last one did, empty when it did not.
	Failures uint64 `json:"failures"`
	Failing  string `json:"failing,omitempty"`
}

// Journal appends to a file. All methods may be called concurrently.
type Journal struct {
	file   *file
	log    *slog.Logger
	every  time.Duration // between syncs; 0: none is timed
	opened []Mark
	done   chan struct{} // closed when the writer has ended

	// mu guards everything declared below; cond is signalled when any of it
	// changes.
	mu     sync.Mutex
	cond   *sync.Cond
	queue  []*entry
	queued int
	closed bool
	due    bool // a timed sync
	idle   []*entry
	stats  Stats
}

// entry is one batch on its way to the disk.
type entry struct {
	stream *Stream
	mark   Mark
	text   []byte
	lines  int
	done   func(error)
}

// Open opens the journal at path, standard output for "". A last line that a
// crash left without its line feed is cut off and logged, and so are lines that did
// not become durable together with their mark. Errors wrap ErrInUse when another
// process has the file.
func Open(path string, o Options, log *slog.Logger) (*Journal, error) {
	o = o.withDefaults()
	f, torn, err := openFile(path, o, log)
	if err != nil {
		return nil, err
	}
	if torn > 0 {
		log.Warn("cut the journal where a crash tore it; what is gone was not acknowledged, so its sender sends it again", "path", path, "bytes", torn)
	}
	j := &Journal{file: f, log: log, done: make(chan struct{})}
	if o.Sync == SyncInterval {
		j.every = syncEvery
	}
	if f.sessions != nil {
		j.opened = f.sessions.list()
	}
	j.cond = sync.NewCond(&j.mu)
	go j.run()
	return j, nil
}

// Close makes everything appended durable and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	first := !j.closed
	j.closed = true
	j.cond.Broadcast()
	j.mu.Unlock()
	<-j.done
	if !first {
		return nil
	}
	return j.file.close()
}

// Sessions are the marks that were durable when the journal was opened, by
// session.
func (j *Journal) Sessions() []Mark { return j.opened }

// Stats says what was written so far.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats
}

// Stream returns an appender for batches that belong together: once one of them
// failed, none after it is written.
func (j *Journal) Stream() *Stream { return &Stream{journal: j} }

// Stream appends batches in order. It is not safe for concurrent use.
type Stream struct {
	journal *Journal
	format  formatter
	failed  error // owned by the writer
}

// Append queues lines as one batch and keeps nothing of them. They become durable
// together with mark, unless that is zero. done is called once, from another
// goroutine, when they are durable or failed; it must not block. Append blocks
// while too much is queued.
func (s *Stream) Append(lines []Line, mark Mark, done func(error)) {
	j := s.journal
	e := j.blank()
	e.stream, e.mark, e.lines, e.done = s, mark, len(lines), done
	for i := range lines {
		e.text = s.format.append(e.text, &lines[i])
	}
	j.mu.Lock()
	for j.queued > maxQueuedBytes && !j.closed {
		j.cond.Wait()
	}
	closed := j.closed
	if !closed {
		j.queue = append(j.queue, e)
		j.queued += len(e.text)
		j.cond.Broadcast()
	}
	j.mu.Unlock()
	if closed {
		done(ErrClosed)
	}
}

func (j *Journal) blank() *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.idle); n > 0 {
		e := j.idle[n-1]
		j.idle = j.idle[:n-1]
		return e
	}
	return &entry{}
}

// run is the writer: whatever is queued when a commit ends is the next one.
func (j *Journal) run() {
	defer close(j.done)
	var (
		group []*entry
		texts [][]byte
		marks []Mark
	)
	// The timer runs while something is not synced.
	var timer *time.Timer
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for {
		var due bool
		group, due = j.next(group[:0])
		if due {
			timer = nil
			if err := j.file.sync(); err != nil {
				j.log.Error("the journal cannot be made to survive a power cut", "error", err)
			}
		}
		if len(group) == 0 {
			if due {
				continue
			}
			return
		}
		texts, marks = texts[:0], marks[:0]
		lines := 0
		for _, e := range group {
			if e.stream.failed == nil {
				texts = append(texts, e.text)
				lines += e.lines
				if e.mark != (Mark{}) {
					marks = append(marks, e.mark)
				}
			}
		}
		var (
			n   int64
			err error
		)
		if len(texts) > 0 {
			n, err = j.file.write(texts, marks)
		}
		for _, e := range group {
			if e.stream.failed == nil {
				e.stream.failed = err
			} else if err == nil {
				e.done(fmt.Errorf("a batch before it failed: %w", e.stream.failed))
				continue
			}
			e.done(err)
		}
		j.settle(group, uint64(lines), uint64(n), len(texts) > 0, err)
		if j.every > 0 && j.file.dirty && timer == nil {
			timer = time.AfterFunc(j.every, j.expire)
		}
	}
}

// expire says that a sync is due.
func (j *Journal) expire() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.due = true
	j.cond.Broadcast()
}

// next waits for batches and returns them in group, and whether a sync is due;
// neither after Close.
func (j *Journal) next(group []*entry) ([]*entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.queue) == 0 && !j.due && !j.closed {
		j.cond.Wait()
	}
	due := j.due
	j.due = false
	group = append(group, j.queue...)
	clear(j.queue)
	j.queue = j.queue[:0]
	return group, due
}

// settle counts a commit and takes its buffers back.
func (j *Journal) settle(group []*entry, lines, bytes uint64, wrote bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err != nil:
		j.stats.Failures++
		j.stats.Failing = err.Error()
	case wrote:
		j.stats.Failing = ""
		j.stats.Lines += lines
		j.stats.Bytes += bytes
		j.stats.Commits++
	}
	for _, e := range group {
		j.queued -= len(e.text)
		if len(j.idle) < maxIdleBuffers && cap(e.text) <= maxIdleBufferBytes {
			*e = entry{text: e.text[:0]}
			j.idle = append(j.idle, e)
		}
	}
	j.cond.Broadcast()
}
