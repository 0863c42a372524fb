package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// DefaultOutputBytes is what an Output holds while its lines cannot be handed
// on. Beyond it lines are dropped: a process whose writes are held up stands
// still.
const DefaultOutputBytes = 4 << 20

// lineCost is what a waiting line takes besides its message, about the size of
// a record.
const lineCost = 128

// outputGroup is how many lines Write cuts at a time: one write rarely has more.
const outputGroup = 32

// OutputConfig describes one stream of text.
type OutputConfig struct {
	// Name is what the stream is called in the status: "stdout".
	Name string
	// Tags go on every line.
	Tags []string
	// MaxLine is the largest record in bytes; longer lines are cut. 0 means
	// DefaultMaxLine.
	MaxLine int
	// MaxBytes bounds the lines that wait to be handed on; 0 means
	// DefaultOutputBytes.
	MaxBytes int
}

// Output is a source that is written to: the output of a process, which nobody
// can read again. Write never fails and never waits; lines for which there is no
// room are dropped and counted. Lines written before Start wait for it.
type Output struct {
	cfg OutputConfig

	wake   chan struct{}      // there is something to hand on
	synced chan chan struct{} // asks for what is queued to be handed on, and closes
	tags   atomic.Pointer[string]

	lines, bytes, dropped, pieces, rests atomic.Int64

	// mu guards what follows.
	mu      sync.Mutex
	rest    []byte          // the last line, not complete
	group   []record.Record // scratch of Write
	queue   []record.Record
	size    int                // of queue, with lineCost
	stop    context.CancelFunc // nil: not running
	drain   chan struct{}      // closed to ask for the end
	done    chan struct{}      // closed when all has been handed on
	stopped bool
}

// NewOutput makes an output; nothing is handed on before Start.
func NewOutput(cfg OutputConfig) *Output {
	orDefault(&cfg.MaxLine, DefaultMaxLine)
	orDefault(&cfg.MaxBytes, DefaultOutputBytes)
	o := &Output{cfg: cfg, wake: make(chan struct{}, 1), synced: make(chan chan struct{})}
	o.group = make([]record.Record, 0, outputGroup)
	o.Retag(nil)
	return o
}

// Start hands lines on in the background until Stop.
func (o *Output) Start(ctx context.Context, sink Sink) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o.stop, o.drain, o.done, o.stopped = cancel, make(chan struct{}), make(chan struct{}), false
	go o.run(ctx, sink, o.drain, o.done)
}

// Stop hands on what was written, the last line without its line feed included,
// until ctx ends. What is written afterwards is dropped, until the next Start.
// It is safe without Start and twice.
func (o *Output) Stop(ctx context.Context) error {
	o.mu.Lock()
	stop, drain, done := o.stop, o.drain, o.done
	if stop == nil {
		o.mu.Unlock()
		return nil
	}
	if !o.stopped {
		o.stopped = true
		if len(o.rest) > 0 {
			o.rests.Add(1)
			o.push([]record.Record{{Time: time.Now().UnixMilli(), Tags: *o.tags.Load(), Message: o.rest}})
			o.rest = nil
		}
		close(drain)
	}
	o.mu.Unlock()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("hand on the last lines of %s: %w", o.cfg.Name, ctx.Err())
	}
	stop()
	<-done // the sink returns when its context ends
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stop = nil
	o.dropped.Add(int64(len(o.queue)))
	o.queue, o.size = nil, 0
	return err
}

// Write implements io.Writer. Text is cut at line feeds.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		o.dropped.Add(int64(bytes.Count(p, []byte{'\n'})))
		return len(p), nil
	}
	if len(o.rest)+len(p) <= o.cfg.MaxLine && bytes.IndexByte(p, '\n') < 0 {
		o.rest = append(o.rest, p...) // no line is complete
		return len(p), nil
	}
	// The records keep this copy: p belongs to the caller.
	text := slices.Concat(o.rest, p)
	like := record.Record{Time: time.Now().UnixMilli(), Tags: *o.tags.Load()}
	for {
		group, used, pieces := cut(o.group[:0], text, 0, o.cfg.MaxLine, like)
		for i := range group {
			group[i].Origin = record.Origin{} // there is no place to read it from again
		}
		o.push(group)
		clear(group)
		o.pieces.Add(int64(pieces))
		text = text[used:]
		if len(group) < cap(group) {
			break
		}
	}
	o.rest = append([]byte(nil), text...) // not more than MaxLine; the records own the rest of the copy
	return len(p), nil
}

// push queues lines as far as there is room. The caller holds mu.
func (o *Output) push(lines []record.Record) {
	for i, line := range lines {
		cost := len(line.Message) + lineCost
		// One line is always taken, or a line above the bound never could be.
		if o.size > 0 && o.size+cost > o.cfg.MaxBytes {
			o.dropped.Add(int64(len(lines) - i))
			break
		}
		o.queue, o.size = append(o.queue, line), o.size+cost
	}
	select {
	case o.wake <- struct{}{}:
	default: // it will look
	}
}

// run hands lines on until drain is closed and nothing is left, or ctx ends.
func (o *Output) run(ctx context.Context, sink Sink, drain <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	var group []record.Record
	for ending := false; ; {
		var asked chan struct{}
		if !ending {
			select {
			case <-o.wake:
			case asked = <-o.synced:
			case <-drain:
				ending = true
			case <-ctx.Done():
				return
			}
		}
		group = o.take(group)
		if len(group) > 0 {
			if err := sink(ctx, group); err != nil {
				if asked != nil {
					close(asked)
				}
				o.giveUp(ctx, group, drain)
				return
			}
			for i := range group {
				o.bytes.Add(int64(len(group[i].Message)))
			}
			o.lines.Add(int64(len(group)))
		}
		if asked != nil {
			close(asked)
		}
		if ending && len(group) == 0 {
			return
		}
	}
}

// giveUp drops what comes after the sink has failed: there is no other way out.
func (o *Output) giveUp(ctx context.Context, group []record.Record, drain <-chan struct{}) {
	for {
		o.dropped.Add(int64(len(group)))
		select {
		case <-o.wake:
		case asked := <-o.synced:
			close(asked)
		case <-drain:
			return
		case <-ctx.Done():
			return
		}
		group = o.take(group)
	}
}

// take swaps the queue for an empty one, made of what was taken before.
func (o *Output) take(before []record.Record) []record.Record {
	clear(before)
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.queue
	o.queue, o.size = before[:0], 0
	return taken
}

// Sync returns when the lines written before the call have been handed on, or
// when ctx ends.
func (o *Output) Sync(ctx context.Context) error {
	o.mu.Lock()
	running, done := o.stop != nil, o.done
	o.mu.Unlock()
	if !running {
		return nil
	}
	asked := make(chan struct{})
	select {
	case o.synced <- asked:
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("hand on the lines of %s: %w", o.cfg.Name, ctx.Err())
	}
	select {
	case <-asked:
		return nil
	case <-done:
		return errors.New("hand on the lines of " + o.cfg.Name + ": stopped")
	case <-ctx.Done():
		return fmt.Errorf("hand on the lines of %s: %w", o.cfg.Name, ctx.Err())
	}
}

// Retag adds tags to every line written from now on, in place of those of an
// earlier call.
func (o *Output) Retag(extra []string) {
	tags := strings.Join(slices.Concat(o.cfg.Tags, extra), ",")
	o.tags.Store(&tags)
}

// OutputStatus describes one output. Counters begin with the output.
type OutputStatus struct {
	Name string `json:"name"`
	// Lines and Bytes were handed on.
	Lines int64 `json:"lines"`
	Bytes int64 `json:"bytes"`
	// Dropped counts lines for which there was no room, or that came after the
	// end.
	Dropped int64 `json:"dropped_lines,omitempty"`
	// CutLines counts records that do not end a line, because it was too long.
	CutLines int64 `json:"cut_lines,omitempty"`
	// Unterminated counts last lines without a line feed.
	Unterminated int64 `json:"unterminated_lines,omitempty"`
}

// Status works in every phase.
func (o *Output) Status() OutputStatus {
	return OutputStatus{
		Name: o.cfg.Name, Lines: o.lines.Load(), Bytes: o.bytes.Load(), Dropped: o.dropped.Load(),
		CutLines: o.pieces.Load(), Unterminated: o.rests.Load(),
	}
}
