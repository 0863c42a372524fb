package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// DefaultSecondaryBytes bounds what waits for a secondary by default.
const DefaultSecondaryBytes = 8 << 20

// Secondary is the second receiver of a dual send: a worker behind a queue of its
// own. Offer never waits, so nothing that happens to it can slow the first one; what
// does not fit is dropped, the oldest first, and counted. Its methods may be called
// concurrently.
type Secondary struct {
	worker *Worker
	wake   chan struct{}
	cancel context.CancelFunc
	ctx    context.Context
	pump   sync.WaitGroup

	startOnce sync.Once

	// mu guards everything declared below.
	mu     sync.Mutex
	queue  queue
	closed bool
	stats  SecondaryStats
}

// SecondaryStats is what a secondary has done, and where it stands.
type SecondaryStats struct {
	// Stream is the worker's part.
	Stream Stats
	// Queued is what waits in front of the worker.
	QueuedBytes, QueuedBatches, QueuedLines int
	// Dropped is what had to make room.
	DroppedBatches, DroppedLines, DroppedBytes uint64
}

// NewSecondary makes a secondary whose queue holds up to bound bytes, or
// DefaultSecondaryBytes for 0, besides what cfg lets its worker hold. Offsets are
// the business of the first receiver: deps.OnDurable is usually nil. It sets
// cfg.Shadow.
func NewSecondary(cfg Config, deps Deps, bound int) (*Secondary, error) {
	if bound < 0 {
		return nil, errors.New("stream: the bound of the secondary is negative: use 0 for the default")
	}
	def(&bound, DefaultSecondaryBytes)
	cfg.Shadow = true
	w, err := New(cfg, deps)
	if err != nil {
		return nil, err
	}
	s := &Secondary{worker: w, queue: queue{bound: bound}, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Start opens the stream in the background.
func (s *Secondary) Start(ctx context.Context) error {
	s.startOnce.Do(func() { s.pump.Go(s.run) })
	return s.worker.Start(ctx)
}

// Offer takes recs as one batch, without keeping anything of them, and never
// waits. A batch that is larger than the bound is dropped at once, as is one that
// comes after Stop.
func (s *Secondary) Offer(recs []record.Record) {
	if len(recs) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.queue.blank()
	b.keep(recs)
	b.at = time.Now()
	if s.closed || b.bytes() > s.queue.bound {
		s.drop(b)
		return
	}
	for s.queue.bytes+b.bytes() > s.queue.bound {
		s.drop(s.queue.pop())
	}
	s.queue.push(b)
	s.signal()
}

func (s *Secondary) drop(b *batch) {
	s.stats.DroppedBatches++
	s.stats.DroppedLines += uint64(len(b.recs))
	s.stats.DroppedBytes += uint64(len(b.text))
	s.queue.recycle(b)
}

func (s *Secondary) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run passes batches on to the worker until the queue is closed and empty, or the
// worker takes no more.
func (s *Secondary) run() {
	for {
		s.mu.Lock()
		if s.queue.len() == 0 {
			closed := s.closed
			s.mu.Unlock()
			if closed {
				return
			}
			select {
			case <-s.wake:
			case <-s.ctx.Done():
				return
			}
			continue
		}
		b := s.queue.pop()
		s.mu.Unlock()
		err := s.worker.Append(s.ctx, b.recs)
		s.mu.Lock()
		if err != nil {
			s.drop(b)
		} else {
			s.queue.recycle(b)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Renew is that of the worker.
func (s *Secondary) Renew() { s.worker.Renew() }

// Stop takes no more, sends what waits until ctx is done, and counts the rest as
// dropped. It may be called without Start and many times.
func (s *Secondary) Stop(ctx context.Context) error {
	s.startOnce.Do(func() {})
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.signal()
	unwatch := context.AfterFunc(ctx, s.cancel)
	s.pump.Wait()
	unwatch()
	s.cancel()
	err := s.worker.Stop(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.queue.len() > 0 {
		s.drop(s.queue.pop())
	}
	return err
}

// Stats says where the secondary stands.
func (s *Secondary) Stats() SecondaryStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Stream = s.worker.Stats()
	out.QueuedBytes, out.QueuedBatches, out.QueuedLines = s.queue.bytes, s.queue.batches, s.queue.lines
	return out
}
