package columns

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestD31_StatsAddUp(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{MaxPatterns: 4, MaxStateBytes: 128 << 10})
	recs := benchLines(6000)
	var sum Stats
	for i := 0; i < len(recs); i += 100 {
		if i == 3000 {
			p.e.Reset()
		}
		data, bs := p.send(recs[i : i+100])
		sum.DataBytes += uint64(len(data))
		sum.RawBytes += uint64(bs.RawBytes)
		sum.CodedBytes += uint64(bs.CodedBytes)
		sum.TextBytes += uint64(bs.TextBytes)
		require.Less(t, bs.DataBytes-bs.CodedBytes, 40+bs.TextBytes)

		s := p.e.Stats()
		require.Equal(t, uint64(s.Templates), s.TemplatesAdded-s.TemplatesRemoved)
		require.Equal(t, uint64(s.DictEntries), s.DictAdded-s.DictRemoved)
		require.Equal(t, sum.DataBytes, s.DataBytes)
		require.Equal(t, sum.RawBytes, s.RawBytes)
		require.Equal(t, sum.CodedBytes, s.CodedBytes)
		require.Equal(t, sum.TextBytes, s.TextBytes)
		require.Equal(t, uint64(i+100), s.Lines)
		require.Equal(t, weigh(p.e.state), s.StateBytes, "counted one by one")
		require.Equal(t, entries(p.e.state), s.DictEntries)
	}
	s := p.e.Stats()
	require.Positive(t, s.TemplatesRemoved)
	require.Positive(t, s.Tokenizer)
	require.Positive(t, s.Encoder)
	require.Positive(t, s.Compressor)
}

// weigh counts the state from nothing.
func weigh(s *state) int {
	n := baseBytes
	for _, t := range s.templates[1:] {
		if t != nil {
			n += t.weighs()
		}
	}
	if s.templates[0].next != nil {
		n += sparseBytes(firstLimit)
	}
	for _, third := range s.order.third {
		if third != nil {
			n += sparseBytes(thirdLimit)
		}
	}
	for _, w := range [][]string{s.statuses.list, s.lanes.tags.list} {
		for _, word := range w {
			n += wordBytes + len(word)
		}
	}
	n += laneBytes * (len(s.lanes.list) - 1)
	for _, l := range s.lanes.list {
		for _, r := range l.registers {
			if r.diff != nil {
				n += numberBytes
			}
		}
	}
	return n + layoutBytes*len(s.layouts) + recentBytes*len(s.recent.ring)
}

func entries(s *state) (n int) {
	for _, t := range s.templates {
		if t == nil {
			continue
		}
		for i := range t.slots {
			n += len(t.slots[i].items) - len(t.slots[i].shapes)
		}
	}
	return n
}
