package spool

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/disk"
	"github.com/vigil-agent/vigil/logs/record"
)

// retryWrite is how often a write that failed is tried again while Append waits.
const retryWrite = 500 * time.Millisecond

// Append keeps a batch, and nothing of recs, and returns its number. Without room
// it waits or drops, as Config.Full says: ErrDropped means that this batch was
// dropped. A write that fails is treated like a full disk. Other errors are ctx's,
// ErrTooLarge and ErrClosed.
func (s *Spool) Append(ctx context.Context, recs []record.Record) (seq uint64, err error) {
	if err := s.take(ctx, s.appending); err != nil {
		return 0, err
	}
	defer func() { <-s.appending }()
	h, err := s.encode(recs)
	if err != nil {
		return 0, err
	}
	for {
		err := s.store(h)
		if err == nil {
			return h.seq, nil
		}
		s.note(err)
		if s.cfg.Full == DropOldest {
			if s.dropOldest() {
				continue
			}
			s.mu.Lock()
			s.stats.Dropped.add(1, count{uint64(h.lines), uint64(h.bytes)})
			s.mu.Unlock()
			return 0, fmt.Errorf("%w: %w", ErrDropped, err)
		}
		if err := s.wait(ctx); err != nil {
			return 0, err
		}
	}
}

// take takes a token.
func (s *Spool) take(ctx context.Context, token chan struct{}) error {
	select {
	case <-s.closed:
		return ErrClosed
	default:
	}
	select {
	case token <- struct{}{}:
	case <-s.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-s.closed:
		<-token
		return ErrClosed
	default:
		return nil
	}
}

// encode makes a frame in buf, complete but for its salt.
func (s *Spool) encode(recs []record.Record) (frame, error) {
	if cap(s.buf) > maxSegmentBytes {
		s.buf = nil
	}
	s.buf = append(s.buf[:0], make([]byte, frameHeaderSize)...)
	var bytes int
	s.buf, bytes = s.encoder.append(s.buf, recs)
	length := len(s.buf) - frameHeaderSize
	if int64(len(s.buf))+segmentHeaderSize > s.cfg.MaxBytes || length > math.MaxInt32 {
		return frame{}, fmt.Errorf("%d lines, %d bytes: %w", len(recs), length, ErrTooLarge)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return frame{length: uint32(length), seq: s.next, before: s.end, lines: uint32(len(recs)), bytes: uint32(bytes)}, nil
}

var errFull = errors.New("no room: the spool has reached its size")

// store writes the frame in buf to the active segment, or to a new one when that
// is full, and makes it readable.
func (s *Spool) store(h frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.segmentFor(h)
	if err != nil {
		return err
	}
	h.crc = crc32.Update(g.salt, castagnoli, s.buf[frameHeaderSize:])
	h.put(s.buf, g.salt)
	// The file beyond size is nobody's, and is written without mu: a reader or an
	// acknowledgement does not wait for the disk.
	f, at := s.active, g.size
	s.mu.Unlock()
	_, err = f.WriteAt(s.buf, at)
	if err == nil && s.cfg.Sync == SyncBatch {
		err = f.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(at))
	}
	s.mu.Lock()
	if err != nil {
		// What a failed write or sync left in this file is not known for sure.
		return errors.Join(fmt.Errorf("write spool: %w", err), s.seal())
	}
	if s.cfg.Sync == SyncBatch {
		s.stats.Syncs++
	} else {
		s.unsynced = true
	}
	g.size += int64(len(s.buf))
	g.last, g.end = h.seq, h.after()
	s.next, s.end = h.seq+1, g.end
	s.stats.Appended.add(1, count{uint64(h.lines), uint64(h.bytes)})
	s.stats.Error = ""
	signal(s.readable)
	return nil
}

// segmentFor is where a frame goes. The caller holds mu.
func (s *Spool) segmentFor(h frame) (*segment, error) {
	n := len(s.segments)
	if s.active != nil {
		g := s.segments[n-1]
		full := g.size+h.size() > s.cfg.segmentBytes()
		// What is acknowledged in it stands in the way of what is new.
		useless := g.last <= s.mark.mark.seq && s.diskBytes()+h.size() > s.cfg.MaxBytes
		if g.last >= g.first && (full || useless) {
			if err := s.seal(); err != nil {
				return nil, err
			}
			s.deleteAcked()
		}
	}
	need := h.size()
	if s.active == nil {
		need += segmentHeaderSize
	}
	if s.diskBytes()+need > s.cfg.MaxBytes {
		return nil, errFull
	}
	if s.active == nil {
		g, f, err := newSegment(s.files, s.cfg.Dir, h.seq, h.before)
		if err == nil && s.cfg.Sync == SyncBatch {
			err = disk.SyncDir(s.cfg.Dir)
		}
		if err != nil {
			if f != nil {
				_ = f.Close()
				_ = os.Remove(g.path)
			}
			return nil, fmt.Errorf("new spool segment: %w", err)
		}
		s.segments, s.active = append(s.segments, g), f
	}
	return s.segments[len(s.segments)-1], nil
}

// seal ends the active segment. One without a batch is removed. The caller holds
// mu.
func (s *Spool) seal() error {
	f := s.active
	if f == nil {
		return nil
	}
	var err error
	if s.unsynced && s.cfg.Sync != SyncOff {
		err = s.sync(f)
	}
	s.active, s.unsynced = nil, false
	err = errors.Join(err, f.Close())
	if n := len(s.segments); s.segments[n-1].last < s.segments[n-1].first {
		err = errors.Join(err, os.Remove(s.segments[n-1].path))
		s.segments[n-1] = nil
		s.segments = s.segments[:n-1]
	}
	if err != nil {
		return fmt.Errorf("end spool segment: %w", err)
	}
	return nil
}

// dropOldest gives up the oldest segment of which nothing was handed out. It
// returns false when there is none.
func (s *Spool) dropOldest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, g := range s.segments {
		if g.first < s.cursor || g.dropped {
			continue
		}
		if i == len(s.segments)-1 && s.active != nil {
			if g.last < g.first {
				return false
			}
			if err := s.seal(); err != nil {
				s.failed(err)
			}
		}
		gone, batches := g.end.sub(g.start), g.last-g.first+1
		if err := g.drop(); err != nil {
			s.failed(err)
			return false
		}
		s.stats.Dropped.add(batches, gone)
		s.log.Warn("spool is full: its oldest batches were dropped", "batches", batches, "lines", gone.lines, "bytes", gone.bytes)
		s.mergeDropped(i)
		return true
	}
	return false
}

// mergeDropped lets one file tell of a run of dropped segments. The caller holds
// mu.
func (s *Spool) mergeDropped(i int) {
	if i == 0 || !s.segments[i-1].dropped || s.segments[i-1].last+1 != s.segments[i].first {
		return
	}
	before, g := *s.segments[i-1], s.segments[i]
	before.last, before.end = g.last, g.end
	if err := before.drop(); err != nil {
		s.failed(err) // two files tell it as well
		return
	}
	*s.segments[i-1] = before
	s.remove(i, i+1)
}

// wait waits until writing is worth another try.
func (s *Spool) wait(ctx context.Context) error {
	s.waiting(true)
	defer s.waiting(false)
	retry := time.NewTimer(retryWrite)
	defer retry.Stop()
	select {
	case <-s.room:
	case <-retry.C:
	case <-s.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (s *Spool) waiting(now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Waiting = now
}

// note remembers why there was no room; only what the disk says is a failure.
func (s *Spool) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, errFull) {
		s.stats.Error = err.Error()
		return
	}
	s.failed(err)
}

// failed notes a failed write. The caller holds mu.
func (s *Spool) failed(err error) {
	if s.stats.Error == "" {
		s.log.Error("spool cannot be written: retrying", "error", err)
	}
	s.stats.Failures++
	s.stats.Error = err.Error()
}

// sync syncs a segment and counts it. The caller holds mu.
func (s *Spool) sync(f file) error {
	s.stats.Syncs++
	return f.Sync()
}

// syncLoop syncs what was appended and acknowledged every SyncEvery, until Close.
func (s *Spool) syncLoop() {
	tick := time.NewTicker(s.cfg.SyncEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.closed:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		f, unsynced := s.active, s.unsynced
		s.unsynced = false
		s.mu.Unlock()
		if !unsynced {
			continue
		}
		// Without mu: appending goes on meanwhile. A segment that ends at the same
		// time was synced when this finds it closed.
		if err := errors.Join(f.Sync(), s.mark.file.Sync()); err != nil && !errors.Is(err, os.ErrClosed) {
			s.mu.Lock()
			s.unsynced = s.active == f
			s.failed(fmt.Errorf("sync spool: %w", err))
			s.mu.Unlock()
			continue
		}
		s.mu.Lock()
		s.stats.Syncs++
		s.mu.Unlock()
	}
}
