// Package batch groups the lines of all sources into batches and hands them on
// one at a time.
//
//	Add --lines--> open batch --sealed--> Next
//	  (many)        one, bounded            (one at a time, in order)
//
// A batch is sealed as soon as it holds Config.MaxLines lines or
// Config.MaxBytes bytes, when its oldest line is Config.MaxWait old, and by
// Flush. While Next blocks, one sealed batch waits and Add blocks, so at most
// three batches are in memory, each with a copy of its messages in one piece.
package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// Config bounds a batch. All bounds must be positive.
type Config struct {
	// MaxLines and MaxBytes bound the lines and the bytes of their messages. A
	// line larger than MaxBytes is a batch of its own.
	MaxLines int
	MaxBytes int
	// MaxWait is the age of the oldest line.
	MaxWait time.Duration
}

// Next takes sealed batches, one at a time. It must keep neither the slice nor the
// messages, whose memory is used again. It blocks while there is no room. After an error nothing more is
// handed on.
type Next func(ctx context.Context, lines []record.Record) error

// ErrStopped is returned for lines that a stopped Batcher cannot take.
var ErrStopped = errors.New("batcher is stopped")

// Batcher seals batches.
type Batcher struct {
	cfg  Config
	next Next

	sealed chan item
	free   chan *group        // to fill again
	opened chan time.Time     // when the open batch got its first line
	stop   context.CancelFunc // gives up what Next has not taken
	ctx    context.Context
	done   chan struct{} // closed when all sealed batches were handed on or given up

	startOnce, closeOnce sync.Once

	// turn holds one token; who has it owns what follows.
	turn   chan struct{}
	open   *group
	first  time.Time
	closed bool

	// mu guards err.
	mu  sync.Mutex
	err error
}

// item is a sealed batch, or a question whether all before it are handed on.
type item struct {
	batch *group
	asked chan<- error
}

// New makes a batcher; it takes lines before Start, as far as there is room.
func New(cfg Config, next Next) (*Batcher, error) {
	if cfg.MaxLines < 1 || cfg.MaxBytes < 1 || cfg.MaxWait <= 0 {
		return nil, fmt.Errorf("batcher: bounds must be positive, not %d lines, %d bytes, %v", cfg.MaxLines, cfg.MaxBytes, cfg.MaxWait)
	}
	if next == nil {
		return nil, errors.New("batcher: nothing to hand batches to")
	}
	b := &Batcher{
		cfg: cfg, next: next,
		sealed: make(chan item, 1), free: make(chan *group, 3), opened: make(chan time.Time, 1),
		done: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	b.open = b.blank()
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b, nil
}

// Start hands batches on in the background until Stop.
func (b *Batcher) Start(context.Context) error {
	b.startOnce.Do(func() {
		var running sync.WaitGroup
		sent := make(chan struct{})
		running.Go(func() {
			defer close(sent)
			b.send()
		})
		running.Go(func() { b.watch(sent) })
		go func() {
			defer close(b.done)
			running.Wait()
		}()
	})
	return nil
}

// Add appends lines, in order and without lines of others in between as far as
// they fit into one batch. It blocks while there is no room, and returns an error
// when ctx ends first, when Next has failed, or when the batcher is stopped; some
// of the lines may have been taken then. It keeps nothing of lines.
func (b *Batcher) Add(ctx context.Context, lines []record.Record) error {
	if err := b.lock(ctx); err != nil {
		return err
	}
	defer b.unlock()
	for i := range lines {
		size := len(lines[i].Message)
		if len(b.open.lines) > 0 && len(b.open.text)+size > b.cfg.MaxBytes {
			if err := b.seal(ctx); err != nil {
				return err
			}
		}
		if len(b.open.lines) == 0 {
			b.begin()
		}
		b.open.add(lines[i])
		if len(b.open.lines) >= b.cfg.MaxLines || len(b.open.text) >= b.cfg.MaxBytes {
			if err := b.seal(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush seals the open batch and returns when Next has taken everything that
// was added before, or when ctx ends.
func (b *Batcher) Flush(ctx context.Context) error {
	asked := make(chan error, 1)
	if err := b.flush(ctx, asked); err != nil {
		return err
	}
	select {
	case err := <-asked:
		return err
	case <-b.done:
		return b.failure()
	case <-ctx.Done():
		return fmt.Errorf("hand on batches: %w", ctx.Err())
	}
}

func (b *Batcher) flush(ctx context.Context, asked chan<- error) error {
	if err := b.lock(ctx); err != nil {
		return err
	}
	defer b.unlock()
	if err := b.seal(ctx); err != nil {
		return err
	}
	return b.push(ctx, item{asked: asked})
}

// Stop takes no more lines, hands on what it has and returns when Next has taken
// it. When ctx ends first, it gives up the rest and says so. It is safe without
// Start and twice.
func (b *Batcher) Stop(ctx context.Context) error {
	b.startOnce.Do(func() { // never started: nothing will be handed on
		b.stop()
		close(b.done)
	})
	err := b.close(ctx)
	if err == nil {
		select {
		case <-b.done:
			return b.failure()
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	// Next gives up, and with it whoever waits for room and has the turn.
	b.stop()
	_ = b.close(context.WithoutCancel(ctx))
	<-b.done
	return fmt.Errorf("hand on the last batches: %w", err)
}

// close seals the last batch, once.
func (b *Batcher) close(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer b.unlock()
	if b.closed {
		return nil
	}
	select {
	case <-b.done: // never started, or failed
	default:
		if err := b.seal(ctx); err != nil && b.failure() == nil {
			return err
		}
	}
	b.closed = true
	b.closeOnce.Do(func() { close(b.sealed) })
	return nil
}

// lock takes the turn to touch the open batch.
func (b *Batcher) lock(ctx context.Context) error {
	if err := b.failure(); err != nil {
		return err
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for room in a batch: %w", ctx.Err())
	}
	if b.closed {
		b.unlock()
		return ErrStopped
	}
	return nil
}

func (b *Batcher) unlock() { <-b.turn }

// begin notes the age of the open batch, for watch.
func (b *Batcher) begin() {
	b.first = time.Now()
	select {
	case <-b.opened: // of a batch that is sealed already
	default:
	}
	b.opened <- b.first
}

// seal closes the open batch and hands it over. The caller holds the turn.
func (b *Batcher) seal(ctx context.Context) error {
	if len(b.open.lines) == 0 {
		return nil
	}
	if err := b.push(ctx, item{batch: b.open}); err != nil {
		return err
	}
	b.open = b.blank()
	return nil
}

// blank returns an empty batch.
func (b *Batcher) blank() *group {
	select {
	case used := <-b.free:
		return used
	default:
		return &group{bound: b.cfg.MaxBytes}
	}
}

func (b *Batcher) push(ctx context.Context, it item) error {
	select {
	case b.sealed <- it:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for room for a batch: %w", ctx.Err())
	case <-b.done:
		if err := b.failure(); err != nil {
			return err
		}
		return ErrStopped
	}
}

// send hands sealed batches to Next until there are no more.
func (b *Batcher) send() {
	defer b.stop()
	for it := range b.sealed {
		err := b.failure()
		if err == nil && it.batch != nil {
			if err = b.next(b.ctx, it.batch.lines); err != nil {
				b.fail(err)
			}
		}
		if it.asked != nil {
			it.asked <- err
			continue
		}
		it.batch.empty()
		select {
		case b.free <- it.batch:
		default:
		}
	}
}

// watch seals the open batch when its time has come, until send has ended.
func (b *Batcher) watch(sent <-chan struct{}) {
	timer := time.NewTimer(b.cfg.MaxWait)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-sent:
			return
		case first := <-b.opened:
			timer.Reset(time.Until(first.Add(b.cfg.MaxWait)))
		case <-timer.C:
			b.sealOld(sent)
		}
	}
}

// sealOld seals the open batch if it is old enough.
func (b *Batcher) sealOld(sent <-chan struct{}) {
	select {
	case b.turn <- struct{}{}:
	case <-sent:
		return
	}
	defer b.unlock()
	if !b.closed && len(b.open.lines) > 0 && time.Since(b.first) >= b.cfg.MaxWait {
		_ = b.seal(b.ctx) // fails only when the batcher ends
	}
}

func (b *Batcher) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

// failure is why Next failed; nil while it has not.
func (b *Batcher) failure() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
