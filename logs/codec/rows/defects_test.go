package rows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/pattern"
)

// What is given no pattern is sent as text, and counted.
func TestD20_LinesWithoutPatternAreRaw(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	s.send(recs("", strings.Repeat("a", maxLineBytes+1), strings.Repeat("a ", pattern.MaxTokens/2+1), "once only")...)
	require.EqualValues(t, 4, s.enc.Stats().LinesRaw)
}

// The gauge is the size of what the receiver holds, whatever was added, changed and
// taken back before.
func TestD31_StateBytesDoNotDrift(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{MaxPatterns: 7, MaxDictEntries: 5})
	gen := newGenerator(31)
	for range 60 {
		s.send(gen.records(30)...) // compares encoder, ledger and decoder
		bytes := 0
		for _, p := range s.dec.patterns {
			bytes += len(p.text) + 4*len(p.pos) + EntryBytes
		}
		for _, v := range s.dec.dict {
			bytes += len(v) + EntryBytes
		}
		require.Equal(t, bytes, s.enc.Stats().StateBytes, "counted one by one")
	}
	require.NotZero(t, s.enc.Stats().PatternsRemoved)
	require.NotZero(t, s.enc.Stats().DictRemoved)
}
