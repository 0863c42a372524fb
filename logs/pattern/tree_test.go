package pattern

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/internal/octets"
)

// matchLine is Match, or else what finds a pattern without it.
func matchLine(tab *Table, line string) (spans []uint32, p *Pattern) {
	if spans, p = tab.Match([]uint32{7}, []byte(line)); p != nil {
		return spans[1:], p
	}
	if p = learn(tab, line); p != nil {
		tab.Define(p)
	}
	return nil, p
}

// requireSpans asserts that a template and the values between spans are the line.
func requireSpans(t require.TestingT, p *Pattern, line string, spans []uint32) {
	text, pos := p.Template()
	require.Len(t, spans, 2*len(pos))
	var b []byte
	at := uint32(0)
	for i, offset := range pos {
		b = append(append(b, text[at:offset]...), line[spans[2*i]:spans[2*i+1]]...)
		at = offset
	}
	require.Equal(t, line, string(append(b, text[at:]...)))
}

// A known line is matched, by a pattern that its tokens fit, with the same values.
func TestMatchFindsWhatTokensFind(t *testing.T) {
	t.Parallel()
	lines := func(i int) []string {
		return []string{
			fmt.Sprintf("2026-03-09 06:00:%02d,%03d INFO [main] conn from 10.0.%d.1:80 took %dms", i%60, i, i%250, i),
			fmt.Sprintf("2026-03-09 06:00:%02d,%03d INFO [main] id %016x%016x", i%60, i, i*7919, i*31),
			fmt.Sprintf("Jun %2d 15:16:%02d host sshd[%d]: user u%d", i%28+1, i%60, 300-i, i),
			fmt.Sprintf(`{"level":"info","msg":"step %s done","n":-%d.5,"path":"/a/b%d"}`, []string{"one", "two", "three and four"}[i%3], i, i),
			fmt.Sprintf("%d", i),
			fmt.Sprintf("value %d /p/%d -%d +%d x=%d", i, i, i, i, i-5),
		}
	}
	tab := NewTable(wide)
	matched := 0
	for i := range 60 {
		tab.Begin()
		for _, l := range lines(i) {
			spans, p := matchLine(tab, l)
			if spans == nil {
				continue
			}
			matched++
			toks := Tokenize(nil, []byte(l))
			require.True(t, p.Fits([]byte(l), toks), l)
			for k, s := range p.Slots() {
				require.Equal(t, string(Span([]byte(l), toks, int(s.From), int(s.To))), l[spans[2*k]:spans[2*k+1]], l)
			}
			requireSpans(t, p, l, spans)
		}
		tab.Commit()
		requireConsistent(t, tab)
	}
	require.Greater(t, matched, 300)
}

// Digits that are skipped at once are like those that are not.
func TestDigitsAreSkipped(t *testing.T) {
	t.Parallel()
	slow := func(line []byte, i int) int {
		for ; i < len(line) && marks[line[i]] == digit; i++ {
		}
		return i
	}
	rapid.Check(t, func(rt *rapid.T) {
		line := []byte(rapid.StringMatching(`[0-9a.:,/é-]{0,24}[0-9]{0,20}[ ]?`).Draw(rt, "line"))
		for i := range line {
			end := i + octets.Digits(octets.At(line, i))
			require.Equal(rt, min(slow(line, i), i+8), end)
			if n := end - i; n > 0 && n < 8 {
				to, _ := wordGoesOn(line, end, digit)
				require.Equal(rt, to > end, goesOn(line, end))
			}
		}
	})
}

// Whatever is matched gives the line, while patterns are widened, evicted and rolled
// back.
func TestAnyMatchedLineRebuilds(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"a", "b1", "12", "-3", "+4", "/x", "/y/2", " ", "  ", "=", ":", "::", "\"", ".", "-", "/", "fe80::1", "Jun", "14", "15:16:01", "é", "\xff", "\x00", "two words", "0123456789abcdef0"})
	rapid.Check(t, func(rt *rapid.T) {
		tab := NewTable(Limits{MaxPatterns: 3, MaxStateBytes: 1 << 16, MaxLineBytes: 1 << 10})
		kinds := rapid.SliceOfN(rapid.SliceOfN(piece, 0, 8), 1, 6).Draw(rt, "lines")
		for range 12 {
			tab.Begin()
			for _, k := range kinds {
				line := ""
				for _, s := range k {
					if rapid.IntRange(0, 5).Draw(rt, "other") == 0 {
						s = piece.Draw(rt, "piece")
					}
					line += s
				}
				if spans, p := matchLine(tab, line); spans != nil {
					requireSpans(rt, p, line, spans)
					require.True(rt, p.Defined())
				}
			}
			if rapid.IntRange(0, 3).Draw(rt, "undo") == 0 {
				tab.Rollback()
			} else {
				tab.Commit()
			}
		}
	})
}

// The tree forgets patterns that have changed or are gone, and what it cannot hold.
func TestTreeIsBounded(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 16, MaxStateBytes: 1 << 20, MaxLineBytes: 1 << 10})
	for i := range 3000 {
		tab.Begin()
		for range 2 {
			matchLine(tab, fmt.Sprintf("kind%c%c%c of %d with %d", 'a'+i%26, 'a'+i/26%26, 'a'+i/676, i, i))
		}
		tab.Commit()
		require.LessOrEqual(t, tab.tree.stale, maxStale+1)
		require.LessOrEqual(t, tab.tree.edges, 3*(maxStale+32))
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	tab := NewTable(wide)
	line := "2026-03-09 06:00:01,123 INFO [main] a.b.C: conn from 10.0.0.1:80 took 30s"
	tab.Begin()
	for i := range 4 {
		matchLine(tab, line+fmt.Sprint(" ", i))
	}
	tab.Commit()
	last := []byte(line + " 9")
	spans := make([]uint32, 0, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		tab.Begin()
		var p *Pattern
		if spans, p = tab.Match(spans[:0], last); p == nil {
			panic("no pattern")
		}
		tab.Commit()
	}))
}
