package pattern

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whether a line was predicted shows neither in its pattern nor in the spans of its
// values.
func TestPredictionChangesNothing(t *testing.T) {
	t.Parallel()
	lines := func(i int) []string {
		return []string{
			fmt.Sprintf("2026-03-09 06:00:%02d,%03d INFO [main] conn from 10.0.%d.1:80 took %dms", i%60, i, i%250, i),
			fmt.Sprintf("Jun %2d 15:16:%02d host sshd[%d]: user u%d from fe80::%x failed", i%28+1, i%60, 300-i, i, i+1),
			fmt.Sprintf(`{"level":"info","msg":"step %s done","n":-%d.5,"path":"/a/b%d"}`, []string{"one", "two", "three and four"}[i%3], i, i),
			fmt.Sprintf("value %d /p/%d -%d +%d x=%d", i, i, i, i, i-5),
		}
	}
	tab := NewTable(wide)
	for i := range 40 {
		tab.Begin()
		for range 3 {
			for _, l := range lines(i) {
				toks, p := tab.File([]Token{{End: 7}}, []byte(l))
				require.Equal(t, Token{End: 7}, toks[0], "tokens are appended")
				want := Tokenize(nil, []byte(l))
				require.Len(t, toks[1:], len(want), l)
				for k, tok := range toks[1:] {
					require.Equal(t, want[k].End, tok.End, l)
					require.Equal(t, want[k].Kind, tok.Kind, l)
				}
				requireRebuilds(t, p, l)
				require.True(t, p.Fits([]byte(l), toks[1:]))
			}
		}
		tab.Commit()
		requireConsistent(t, tab)
	}
	tab.Begin()
	for range 2 {
		for _, l := range lines(99) {
			learn(tab, l)
		}
	}
	require.GreaterOrEqual(t, tab.last.trust, uint8(trusted), "lines in a fixed order are predicted")
}

// Predicted or not, template and values give the line.
func TestAnyPredictedLineRebuilds(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"a", "b1", "12", "-3", "+4", "/x", "/y/2", " ", "  ", "=", ":", "::", "\"", ".", "-", "/", "fe80::1", "Jun", "14", "15:16:01", "é", "\xff", "two words"})
	rapid.Check(t, func(rt *rapid.T) {
		tab := NewTable(wide)
		tab.Begin()
		kinds := rapid.SliceOfN(rapid.SliceOfN(piece, 0, 8), 1, 3).Draw(rt, "lines")
		for range 12 {
			for _, k := range kinds {
				line := ""
				for _, s := range k {
					if rapid.IntRange(0, 5).Draw(rt, "other") == 0 {
						s = piece.Draw(rt, "piece")
					}
					line += s
				}
				toks, p := tab.File(nil, []byte(line))
				if p == nil {
					continue
				}
				requireTiling(t, []byte(line), toks)
				text, pos := p.Template()
				var b []byte
				at := uint32(0)
				for i, s := range p.Slots() {
					b = append(b, text[at:pos[i]]...)
					b = append(b, Span([]byte(line), toks, int(s.From), int(s.To))...)
					at = pos[i]
				}
				require.Equal(t, line, string(append(b, text[at:]...)))
			}
		}
	})
}

func TestFileDoesNotAllocate(t *testing.T) {
	tab := NewTable(wide)
	line := []byte("2026-03-09 06:00:01,123 INFO [main] a.b.C: conn from 10.0.0.1:80 took 30s")
	batch(t, tab, string(line), string(line))
	toks := make([]Token, 0, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		tab.Begin()
		for range 5 {
			if toks, _ = tab.File(toks[:0], line); len(toks) == 0 {
				panic("no tokens")
			}
		}
		tab.Commit()
	}))
}
