package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/vigil-agent/vigil/logs/record"
)

// Batch is one batch as it was appended. Its memory is used again when it is given
// to Next again, and only then.
type Batch struct {
	// Seq is the number.
	Seq uint64
	// Lost says that the batch was dropped or is corrupt: it has no records, and
	// its number must still be sent and acknowledged.
	Lost bool
	// Records have all that was appended.
	Records []record.Record
	// Bytes is the sum of the message bytes.
	Bytes int

	body []byte
}

// reader is where reading is.
type reader struct {
	path string
	file *os.File
	at   int64
	seq  uint64 // of the frame at at, or lower
}

func (r *reader) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	*r = reader{}
	return err
}

// Next hands out the next batch, from the oldest unacknowledged one on, and waits
// for one. Errors are ctx's, ErrClosed, or the disk's, after which Next may be
// called again.
func (s *Spool) Next(ctx context.Context, b *Batch) error {
	if err := s.take(ctx, s.reading); err != nil {
		return err
	}
	defer func() { <-s.reading }()
	for {
		done, err := s.read(b)
		if err != nil {
			return fmt.Errorf("read spool: %w", err)
		}
		if done {
			return nil
		}
		select {
		case <-s.readable:
		case <-s.closed:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Rewind makes Next begin again with the oldest unacknowledged batch.
func (s *Spool) Rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor = s.mark.mark.seq + 1
	s.handed = s.handed[:0]
	signal(s.readable)
}

// read reads the batch at the cursor; false means that there is none yet.
func (s *Spool) read(b *Batch) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.cursor < s.next {
		seq := s.cursor
		i := s.segmentOf(seq)
		switch {
		case i == len(s.segments):
			s.lose(b, seq, s.next-1, s.end)
		case seq < s.segments[i].first:
			s.lose(b, seq, s.segments[i].first-1, s.segments[i].start)
		case s.segments[i].dropped:
			s.lostUpto = max(s.lostUpto, s.segments[i].last) // counted as dropped
			s.lose(b, seq, s.segments[i].last, s.segments[i].end)
		default:
			// The cursor is in the segment, and so keeps it from being dropped, while
			// this one reads without mu.
			g := *s.segments[i]
			s.cursor++
			s.mu.Unlock()
			h, ok, err := s.fetch(b, &g, seq)
			s.mu.Lock()
			if s.cursor != seq+1 {
				continue // Rewind was called
			}
			s.cursor--
			switch {
			case err != nil:
				return false, err
			case ok:
				s.hand(seq, h.after())
			case h.seq == seq:
				s.lose(b, seq, seq, h.after())
			case h.seq > seq:
				s.lose(b, seq, h.seq-1, h.before)
			default:
				s.lose(b, seq, g.last, g.end)
			}
		}
		return true, nil
	}
	return false, nil
}

// segmentOf is the index of the segment that holds a number, or of the one after
// it. The caller holds mu.
func (s *Spool) segmentOf(seq uint64) int {
	i, _ := slices.BinarySearchFunc(s.segments, seq, func(g *segment, seq uint64) int { return cmp.Compare(g.last, seq) })
	return i
}

// hand moves the cursor past a number; upto counts up to and with it. The caller
// holds mu.
func (s *Spool) hand(seq uint64, upto count) {
	s.handed = append(s.handed, upto)
	s.cursor = seq + 1
}

// lose hands out a number whose batch is gone with all up to number last; end
// counts up to and with that. The caller holds mu.
func (s *Spool) lose(b *Batch, seq, last uint64, end count) {
	if last > s.lostUpto {
		s.lostUpto = last
		before := s.mark.mark.upto
		if n := len(s.handed); n > 0 {
			before = s.handed[n-1]
		}
		lost := end.sub(before)
		s.stats.Lost.add(last-seq+1, lost)
		s.log.Error("spool is corrupt: batches are lost", "first", seq, "last", last, "lines", lost.lines, "bytes", lost.bytes)
	}
	b.Seq, b.Lost, b.Records, b.Bytes = seq, true, b.Records[:0], 0
	s.hand(seq, end)
}

// fetch reads a batch from its segment. Without error it says whether the batch is
// intact; else h is the next readable frame, or zero.
func (s *Spool) fetch(b *Batch, g *segment, seq uint64) (h frame, ok bool, err error) {
	s.fetching.Lock()
	defer s.fetching.Unlock()
	r := &s.reader
	if r.path != g.path || r.seq > seq {
		if err := r.close(); err != nil {
			return frame{}, false, err
		}
		f, err := os.Open(g.path)
		if errors.Is(err, fs.ErrNotExist) {
			return frame{}, false, nil
		}
		if err != nil {
			return frame{}, false, err
		}
		*r = reader{path: g.path, file: f, at: segmentHeaderSize, seq: g.first}
	}
	for r.at < g.size {
		var at int64
		at, h, ok, err = nextFrame(r.file, s.head[:], r.at, g.size, g.salt, r.seq)
		if err != nil || !ok {
			return frame{}, false, notCut(err)
		}
		r.at, r.seq = at, h.seq
		if h.seq > seq {
			return h, false, nil
		}
		r.at, r.seq = at+h.size(), h.seq+1
		if h.seq == seq {
			ok, err = s.readBody(b, &h, at, g.salt)
			return h, ok, notCut(err)
		}
	}
	return frame{}, false, nil
}

// notCut takes the end of a file that was cut since for what it is: corrupt.
func notCut(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// readBody fills b from the frame at at, and says whether its bytes are intact.
func (s *Spool) readBody(b *Batch, h *frame, at int64, salt uint32) (bool, error) {
	n := int(h.length)
	b.body = slices.Grow(b.body[:0], n)[:n]
	if _, err := s.reader.file.ReadAt(b.body, at+frameHeaderSize); err != nil {
		return false, err
	}
	if crc32.Update(salt, castagnoli, b.body) != h.crc {
		return false, nil
	}
	clear(b.Records)
	var err error
	b.Records, err = s.decoder.decode(b.Records[:0], b.body)
	b.Seq, b.Lost, b.Bytes = h.seq, false, int(h.bytes)
	return err == nil && len(b.Records) == int(h.lines), nil
}

// Ack notes, so that it survives the death of the process, that all batches up to
// and with a number are durable elsewhere, and deletes segments that hold no other.
// Numbers acknowledged before are ignored. After a power cut an acknowledgement may
// be forgotten: then a batch is handed out again under its number.
func (s *Spool) Ack(seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.mark.mark
	if seq <= m.seq {
		return nil
	}
	select {
	case <-s.closed:
		return ErrClosed
	default:
	}
	n := seq - m.seq
	if n > uint64(len(s.handed)) {
		return fmt.Errorf("acknowledge %d: %w", seq, ErrNotRead)
	}
	m.seq, m.upto = seq, s.handed[n-1]
	s.handed = append(s.handed[:0], s.handed[n:]...)
	err := s.mark.write()
	s.deleteAcked()
	signal(s.room)
	return err
}

// deleteAcked deletes the segments in front that are acknowledged, except the one
// that is written. The caller holds mu.
func (s *Spool) deleteAcked() {
	n := 0
	for _, g := range s.segments {
		if g.last > s.mark.mark.seq || s.active != nil && n == len(s.segments)-1 {
			break
		}
		n++
	}
	s.remove(0, n)
}

// remove deletes segments. A file that cannot be deleted is found at the next start.
// The caller holds mu.
func (s *Spool) remove(from, to int) {
	for _, g := range s.segments[from:to] {
		if err := os.Remove(g.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.failed(fmt.Errorf("delete spool segment: %w", err))
		}
	}
	// An open file keeps its room. While this one reads, it is in a later file.
	if from < to && s.fetching.TryLock() {
		if slices.ContainsFunc(s.segments[from:to], func(g *segment) bool { return g.path == s.reader.path }) {
			_ = s.reader.close() // was only read
		}
		s.fetching.Unlock()
	}
	s.segments = slices.Delete(s.segments, from, to)
}
