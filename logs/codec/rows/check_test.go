package rows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/pattern"
	"github.com/vigil-agent/vigil/logs/record"
)

// learnt is the pattern the encoder files a line under.
func learnt(t *testing.T, e *Encoder, line string) *pattern.Pattern {
	t.Helper()
	e.table.Begin()
	p := e.table.Learn([]byte(line), pattern.Tokenize(nil, []byte(line)))
	e.table.Rollback()
	require.NotNil(t, p)
	return p
}

// A fault of the encoder is found before the batch leaves, costs that batch its
// encoding, and goes with the pattern that was to blame.
func TestSelfCheckCatchesAFault(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{CheckEvery: 2})
	job := recs("worker 1 is done", "worker 2 is done", "other line 1 of text", "other line 2 of text")
	for i := range job {
		job[i].Tags, job[i].Status = "service:jobs", "info"
	}
	s.send(job...)
	// The slots of a pattern are the table's own: this one now starts a token early.
	learnt(t, s.enc, "worker 3 is done").Slots()[0].From--
	before := s.enc.Stats()
	for range 2 {
		_, err := s.enc.Encode(job)
		require.NoError(t, err)
	}
	st := s.enc.Stats()
	require.EqualValues(t, 1, st.CheckFailures-before.CheckFailures, "the second batch of two is checked")
	require.EqualValues(t, 1, st.PatternsRemoved)
}

func TestSelfCheckSendsTheBatchAsText(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{CheckEvery: 1})
	job := recs("worker 1 is done", "worker 2 is done", "other line 1 of text", "other line 2 of text")
	for i := range job {
		job[i].Tags, job[i].Status = "service:jobs", "info"
	}
	job[3].Tags, job[3].Status = "", ""
	healthy := s.send(job...)
	learnt(t, s.enc, "worker 3 is done").Slots()[0].From--
	require.Equal(t, `pattern 1 deleted
log 1000 raw "worker 1 is done" tags "service:jobs" status "info"
log 1000 raw "worker 2 is done" tags "service:jobs" status "info"
log 1000 raw "other line 1 of text" tags "service:jobs" status "info"
log 1000 raw "other line 2 of text" tags ""
`, s.send(job...))
	st := s.enc.Stats()
	require.EqualValues(t, 1, st.CheckFailures)
	require.EqualValues(t, 1, st.PatternsRemoved)
	require.EqualValues(t, 4, st.LinesRaw)
	require.EqualValues(t, 2, st.Payloads)
	require.Equal(t, st.StateBytes, s.dec.StateBytes())

	// The pattern is learnt anew, under a new id; the others were not touched.
	again := s.send(job...)
	require.Contains(t, healthy, "pattern 1 \"worker  is done\" [7]\n")
	require.Contains(t, again, "pattern 3 \"worker  is done\" [7]\n")
	require.Contains(t, again, "log 1000 pattern 2 1 status #2\n")
	require.EqualValues(t, 1, s.enc.Stats().CheckFailures)
}

// A receiver that would refuse a state change is found without reading a line.
func TestSelfCheckFollowsUncheckedBatches(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{CheckEvery: 1000})
	gen := newGenerator(30)
	for range 10 {
		s.send(gen.records(50)...)
	}
	in := gen.records(50)
	p := encode(t, s.enc, in)
	m := newMirror(s.enc.opts)
	err := m.Follow(Payload{Changes: Changes{ops: []change{{kind: patternDelete, id: 77}}}})
	require.ErrorIs(t, err, ErrProtocol)
	m.Undo()
	require.Empty(t, m.dec.patterns)
	require.NoError(t, m.Follow(Payload{Changes: Changes{ops: p.Changes.ops[:0]}}))
	require.Zero(t, s.enc.Stats().CheckFailures)
}

// Undo restores exactly what a payload changed.
func TestMirrorUndo(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, Options{MaxPatterns: 7, MaxDictEntries: 5, CheckEvery: -1})
	m := newMirror(e.opts)
	gen := newGenerator(31)
	for i := range 60 {
		p := encode(t, e, gen.records(30))
		if i%3 == 0 {
			patterns, dict, state := len(m.dec.patterns), len(m.dec.dict), m.dec.state
			require.NoError(t, m.Read(p, func(record.Record) error { return nil }))
			m.Undo()
			require.Equal(t, []int{patterns, dict, state}, []int{len(m.dec.patterns), len(m.dec.dict), m.dec.state})
		}
		require.NoError(t, m.Follow(p))
		require.Equal(t, e.Stats().StateBytes, m.dec.StateBytes())
	}
	require.NotZero(t, e.Stats().PatternsRemoved)
}

// Whether a batch was checked does not show in its bytes.
func TestSelfCheckDoesNotChangeBytes(t *testing.T) {
	t.Parallel()
	checked, plain := newEncoder(t, Options{CheckEvery: 1}), newEncoder(t, Options{CheckEvery: -1})
	gen := newGenerator(32)
	for range 20 {
		in := gen.records(40)
		in[3].Message = []byte("bad \xff byte")
		require.Equal(t, encode(t, plain, in), encode(t, checked, in))
	}
	st := checked.Stats()
	require.EqualValues(t, 20, st.Checked)
	require.Zero(t, st.CheckFailures)
	require.Zero(t, plain.Stats().Checked)
}
