package spool

import (
	"errors"
	"math"
	"os"

	"github.com/vigil-agent/vigil/logs/internal/disk"
)

// recover brings the state up to what the directory holds. It cuts what a crash
// left of the last batch, and deletes segments that are acknowledged.
func (s *Spool) recover() error {
	m, known, err := openMark(s.cfg.Dir)
	if err != nil {
		return err
	}
	s.mark = m
	old := m.mark
	if s.segments, err = listSegments(s.cfg.Dir); err != nil {
		return err
	}
	odd := false
	kept := s.segments[:0]
	for i, g := range s.segments {
		last, limit := i == len(s.segments)-1, uint64(math.MaxUint64)
		if !last {
			limit = s.segments[i+1].first
		}
		t, err := scanFile(g, limit, last)
		if err != nil {
			return err
		}
		if last {
			s.stats.TornBytes = t.size - t.at
			if odd = t.odd; odd {
				s.stats.Lost.Batches++ // at least: nothing after it tells how many
			}
		}
		// A corrupt file without a readable batch tells nothing; the numbers that
		// are missing do.
		if g.last < g.first || known && g.last <= old.seq {
			if err := os.Remove(g.path); err != nil {
				return err
			}
			continue
		}
		kept = append(kept, g)
	}
	clear(s.segments[len(kept):])
	s.segments = kept

	acked := old.seq
	upto := old.upto
	if len(kept) > 0 {
		// Segments go from the front, and only when they are acknowledged. After a
		// power cut the mark may be older than that.
		if first := kept[0]; first.first > acked+1 {
			acked, upto = first.first-1, first.start
		}
	}
	s.next, s.end, s.cursor, s.lostUpto = acked+1, upto, acked+1, acked
	if n := len(kept); n > 0 {
		s.next, s.end = kept[n-1].last+1, kept[n-1].end
	}

	boot := bootID()
	crashed := known && old.flags&markClean == 0 && (boot == 0 || boot != old.boot)
	synced := old.flags&markAllSync != 0
	switch {
	case !known:
		s.newSession = true
	case crashed:
		s.newSession = !synced
	default:
		s.newSession = odd
	}
	if s.stats.TornBytes > 0 || s.newSession && known {
		s.log.Warn("spool was not closed in order", "torn_bytes", s.stats.TornBytes, "numbers_may_repeat", s.newSession)
	}
	m.mark = mark{count: old.count, seq: acked, upto: upto, boot: boot}
	if s.cfg.Sync == SyncBatch && (!known || synced || len(kept) == 0) {
		m.mark.flags = markAllSync
	}
	if err := m.write(); err != nil {
		return err
	}
	return errors.Join(m.file.Sync(), disk.SyncDir(s.cfg.Dir))
}

// scanFile scans a segment and, of the last one, cuts what follows its frames.
func scanFile(g *segment, limit uint64, last bool) (t tail, err error) {
	f, err := os.OpenFile(g.path, os.O_RDWR, 0)
	if err != nil {
		return tail{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return tail{}, err
	}
	if t, err = g.scan(f, info.Size(), limit); err != nil || !last || t.at == t.size {
		return t, err
	}
	return t, errors.Join(f.Truncate(t.at), f.Sync())
}
