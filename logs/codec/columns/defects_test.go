package columns

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/pattern"
	"github.com/vigil-agent/vigil/logs/record"
)

// A batch that does not leave has no effect on those that do: nothing of it is
// coded before all of it is at hand, and the receiver never hears of it.
func TestD5_D6_RefusedBatchLeavesNoTrace(t *testing.T) {
	t.Parallel()
	o := Options{MaxRawBytes: 4000}
	plain, disturbed := newPair(t, o), newPair(t, o)
	recs := benchLines(1000)
	for i := 0; i < len(recs); i += 20 {
		want, _ := plain.send(recs[i : i+20])
		_, _, err := disturbed.e.Encode(nil, recs[:100])
		var large *TooLargeError
		require.ErrorAs(t, err, &large)
		got, _ := disturbed.send(recs[i : i+20])
		require.Equal(t, want, got)
	}
}

// A batch that turns out too large when it is compressed has changed the models: the
// next one starts afresh, on the same stream.
func TestD6_FailedBatchIsNotReferredTo(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{MaxDataBytes: 1200})
	recs := benchLines(200)
	p.send(recs[:20])
	_, _, err := p.e.Encode(nil, recs)
	var large *TooLargeError
	require.ErrorAs(t, err, &large)
	require.Equal(t, "compressed batch", large.What)
	for i := 0; i < len(recs); i += 20 {
		p.send(recs[i : i+20])
	}
	require.EqualValues(t, 1, p.e.Stats().Resets)
}

// Tags and status are told for every line, none included.
func TestD17_NoTagsAreNotInherited(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for range 3 {
		recs := messages("a 1", "a 2", "a 3", "a 4", "a 5")
		for i, tags := range []string{"A", "A", "B", "", "B"} {
			recs[i].Tags, recs[i].Status = tags, strings.ToLower(tags)
		}
		p.send(recs)
	}
}

// More patterns come in one batch than the table holds: none that the batch uses is
// taken from it.
func TestP7_D18_PatternsOfTheBatchAreNotEvicted(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{MaxPatterns: 3})
	lines := []string{"one, two %", "three; four %", "(five) six %", "[seven] eight %", "nine: ten %", "eleven! twelve %"}
	for round := range 60 {
		var batch []string
		for i := range 12 {
			line := lines[(i%4+2*round)%len(lines)]
			batch = append(batch, strings.Replace(line, "%", strings.Repeat("7", i+1), 1))
		}
		p.send(messages(batch...))
	}
	require.Positive(t, p.e.Stats().TemplatesRemoved)
}

// What is given no pattern is sent as text, and counted.
func TestD20_LinesWithoutPatternAreText(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	lines := messages("", strings.Repeat("a", maxLineBytes+1), strings.Repeat("a ", pattern.MaxTokens/2+1), "once only")
	_, bs := p.send(append(lines, record.Record{Message: nil}))
	require.Equal(t, 5, bs.PlainLines)
	require.EqualValues(t, 5, p.e.Stats().PlainLines)
}

// JSON is text like any other: order, duplicates, lexemes and white space come back.
func TestD29_JSONIsExact(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for _, n := range []string{"1", "1.0", "12345678901234567890", "-0", "1e3"} {
		p.send(messages(
			`{"b":`+n+`,"a":"<x>&\u003c","a":null, "c,d":[ 1,2 ],"e.f":{"z":1,"y":`+n+`}}`,
			`{ "msg" : "m `+n+`" }`,
		))
	}
}

// The order of a batch follows that of its lines, never that of a map: see also
// TestE14_Deterministic.
func TestD33_ResetStreamsAreEqual(t *testing.T) {
	t.Parallel()
	a, b := newPair(t, Options{MaxPatterns: 4}), newPair(t, Options{MaxPatterns: 4})
	recs := benchLines(2000)
	b.send(recs[1000:1500])
	b.e.Reset()
	for i := 0; i < len(recs); i += 100 {
		want, _ := a.send(recs[i : i+100])
		got, _ := b.send(recs[i : i+100])
		require.Equal(t, want, got)
	}
}
