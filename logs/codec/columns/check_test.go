package columns

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/codec/check"
	"github.com/vigil-agent/vigil/logs/record"
)

// checkNext makes the encoder check its next batch.
func (e *Encoder) checkNext() { e.check = check.New(e.mirror, 1) }

// jobs is lines of two patterns.
func jobs(n int) []record.Record {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("worker %d is done with %d items", i, i*i), fmt.Sprintf("other line %d of text", i))
	}
	return messages(lines...)
}

// A batch that would decode to something else goes as text; the receiver gets every
// line, and the patterns are learnt anew.
func TestSelfCheckCatchesAFault(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	p.send(jobs(20))
	p.send(jobs(20))
	// The encoder takes lines for those of a template with another text.
	for _, k := range p.e.known {
		if k.number > 0 {
			text := p.e.state.templates[k.number].text
			text[len(text)-1]++
			break
		}
	}
	resets := p.e.Stats().Resets
	p.e.checkNext()
	_, bs := p.send(jobs(20))
	require.Equal(t, 40, bs.PlainLines)
	st := p.e.Stats()
	require.EqualValues(t, 1, st.Checked)
	require.EqualValues(t, 1, st.CheckFailures)
	require.Equal(t, resets+1, st.Resets)
	require.Positive(t, st.Checker)

	for range 3 {
		p.e.checkNext()
		_, bs = p.send(jobs(20))
		require.Zero(t, bs.PlainLines)
		require.Zero(t, p.e.Stats().CheckFailures)
	}
}

// Models that have learnt something else than the receiver's would show in a later
// batch only: the check sees them in this one.
func TestSelfCheckComparesModels(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	p.send(jobs(20))
	p.e.checkNext()
	p.e.prepareCheck(1)
	recs, raw := jobs(20), 0
	for _, r := range recs {
		raw += len(r.Message)
	}
	out, _, err := p.e.sealed(nil, recs, raw)
	require.NoError(t, err)
	b := p.e.forCheck(out)
	for _, tpl := range b.state.templates[1:] {
		tpl.slots[0].method.words[0]++
	}
	require.EqualError(t, p.e.check.Batch(b, len(recs), func(i int) record.Record { return recs[i] }),
		"self-check: the batch does not decode from line 40 on: encoder and decoder have learnt different things")
}

// A fault of the compressor is found in every batch, checked or not.
func TestSelfCheckFollowsTheText(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{CheckEvery: 1 << 30})
	p.send(jobs(20))
	out, _, err := p.e.Encode(nil, messages("a line of text that nobody knows"))
	require.NoError(t, err)
	m := newMirror()
	require.ErrorIs(t, m.Follow(sealed{data: out, text: []byte("other")}), ErrProtocol, "no window")
	first, _, err := newPair(t, Options{}).e.Encode(nil, messages("a line of text that nobody knows"))
	require.NoError(t, err)
	require.ErrorIs(t, m.Follow(sealed{data: first, text: []byte("other")}), errText)
}

// Whether a batch was checked shows neither in its bytes nor in those of later ones:
// the copy that decodes it shares nothing that changes.
func TestSelfCheckChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			MaxPatterns:   rapid.SampledFrom([]int{1, 3, 100}).Draw(t, "patterns"),
			MaxStateBytes: rapid.SampledFrom([]int{minStateBytes, 1 << 20}).Draw(t, "state"),
		}
		checked, err := NewEncoder(o)
		require.NoError(t, err)
		o.CheckEvery = -1
		plain, err := NewEncoder(o)
		require.NoError(t, err)
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			recs := records().Draw(t, "records")
			checked.checkNext()
			got, _, err := checked.Encode(nil, recs)
			require.NoError(t, err)
			want, _, err := plain.Encode(nil, recs)
			require.NoError(t, err)
			require.Equal(t, want, got)
			st := checked.Stats()
			require.EqualValues(t, 1, st.Checked)
			require.Zero(t, st.CheckFailures)
			require.Equal(t, checked.state.bytes, weigh(checked.state.decoding()))
		}
	})
}

// Long runs change models in ways that random batches are too short for.
func TestSelfCheckOfALongStream(t *testing.T) {
	t.Parallel()
	recs := benchLines(20_000)
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	for i := 0; i < len(recs); i += 500 {
		e.checkNext()
		_, _, err := e.Encode(nil, recs[i:i+500])
		require.NoError(t, err)
		require.Zero(t, e.Stats().CheckFailures)
	}
	e, err = NewEncoder(Options{CheckEvery: 4})
	require.NoError(t, err)
	for i := 0; i < len(recs); i += 20 {
		_, _, err := e.Encode(nil, recs[i:i+20])
		require.NoError(t, err)
	}
	st := e.Stats()
	require.EqualValues(t, 1000, st.Batches)
	require.Less(t, st.Checked, uint64(1000/4), "small batches beside a large state are checked less often")
	require.Greater(t, st.Checked, uint64(1))
}
