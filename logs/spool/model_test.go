package spool

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// model is what a spool must do, without a disk.
type model struct {
	batches [][]record.Record // by number, from 1
	gone    map[uint64]bool   // dropped
	cursor  uint64
	acked   uint64
}

// TestSpoolModel walks a spool at random through appends, reads, acknowledgements,
// rewinds, orderly restarts and crashes.
func TestSpoolModel(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		dir := filepath.Join(temp, fmt.Sprint(round))
		cfg := Config{
			Dir: dir, MaxBytes: minBytes,
			Sync: rapid.SampledFrom([]Sync{SyncInterval, SyncOff}).Draw(t, "sync"),
			Full: rapid.SampledFrom([]Full{Block, DropOldest}).Draw(t, "full"),
		}
		s, err := Open(cfg, Deps{})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		m := &model{gone: map[uint64]bool{}, cursor: 1}
		var b Batch
		reopen := func(dir string) {
			require.NoError(t, s.Close())
			cfg.Dir = dir
			s, err = Open(cfg, Deps{})
			require.NoError(t, err)
			require.False(t, s.NeedsNewSession())
			m.cursor = m.acked + 1
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				recs := records(t)
				if rapid.Bool().Draw(t, "large") {
					recs = append(recs, record.Record{Message: make([]byte, minBytes/7)})
				}
				if cfg.Full == Block && s.Stats().DiskBytes > minBytes/2 {
					t.Skip("would wait")
				}
				before := s.Stats()
				seq, err := s.Append(t.Context(), recs)
				after := s.Stats()
				if err != nil {
					require.ErrorIs(t, err, ErrDropped)
					require.Equal(t, before.Dropped.Batches+1, after.Dropped.Batches)
					return
				}
				m.batches = append(m.batches, recs)
				require.Equal(t, uint64(len(m.batches)), seq)
				// What was dropped is the oldest that was not handed out.
				first := m.cursor
				for n := after.Dropped.Batches - before.Dropped.Batches; n > 0; first++ {
					if !m.gone[first] && s.isDropped(first) {
						m.gone[first] = true
						n--
					}
					require.Less(t, first, seq)
				}
				require.LessOrEqual(t, after.DiskBytes, int64(minBytes))
			},
			"next": func(t *rapid.T) {
				if m.cursor > uint64(len(m.batches)) {
					t.Skip("nothing to read")
				}
				require.NoError(t, s.Next(t.Context(), &b))
				require.Equal(t, m.cursor, b.Seq)
				require.Equal(t, m.gone[b.Seq], b.Lost)
				if !b.Lost {
					require.Len(t, b.Records, len(m.batches[b.Seq-1]))
					for i, r := range m.batches[b.Seq-1] {
						require.Equal(t, r.Origin, b.Records[i].Origin)
						require.Equal(t, string(r.Message), string(b.Records[i].Message))
					}
				}
				m.cursor++
			},
			"ack": func(t *rapid.T) {
				seq := rapid.Uint64Range(m.acked, m.cursor).Draw(t, "seq")
				err := s.Ack(seq)
				if seq == m.cursor {
					require.ErrorIs(t, err, ErrNotRead)
					return
				}
				require.NoError(t, err)
				m.acked = seq
			},
			"rewind": func(*rapid.T) {
				s.Rewind()
				m.cursor = m.acked + 1
			},
			"restart": func(*rapid.T) { reopen(cfg.Dir) },
			"crash": func(t *rapid.T) {
				// What a process that dies now leaves, and half of a frame.
				round++
				left := filepath.Join(temp, fmt.Sprint(round))
				require.NoError(t, os.CopyFS(left, os.DirFS(cfg.Dir)))
				if names, _ := filepath.Glob(filepath.Join(left, "*.seg")); len(names) > 0 && rapid.Bool().Draw(t, "torn") {
					f, err := os.OpenFile(names[len(names)-1], os.O_APPEND|os.O_WRONLY, 0)
					require.NoError(t, err)
					_, err = f.Write(make([]byte, frameHeaderSize-1))
					require.NoError(t, err)
					require.NoError(t, f.Close())
				}
				reopen(left)
			},
			"": func(t *rapid.T) {
				stats := s.Stats()
				require.Equal(t, m.acked, stats.Acked)
				require.Equal(t, uint64(len(m.batches))+1, stats.Next)
				require.Zero(t, stats.Lost)
				if m.gone[m.acked] && m.gone[m.acked+1] {
					return // in the middle of a run, whose counts go with its first number
				}
				var lines uint64
				for _, recs := range m.batches[m.acked:] {
					lines += uint64(len(recs))
				}
				require.Equal(t, lines, stats.Pending.Lines)
			},
		})
	})
}

// isDropped says whether a number belongs to a dropped segment.
func (s *Spool) isDropped(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.segmentOf(seq)
	return i < len(s.segments) && s.segments[i].first <= seq && s.segments[i].dropped
}
