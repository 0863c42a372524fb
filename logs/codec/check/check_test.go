package check

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// batch is records as a receiver would read them, and an error at their end.
type batch struct {
	recs []record.Record
	err  error
}

// mirror logs what it is asked to do.
type mirror struct{ calls []string }

func (m *mirror) Follow(b batch) error {
	m.calls = append(m.calls, "follow")
	return b.err
}

func (m *mirror) Read(b batch, yield func(record.Record) error) error {
	m.calls = append(m.calls, "read")
	for _, r := range b.recs {
		if err := yield(r); err != nil {
			return err
		}
	}
	return b.err
}

func (m *mirror) Undo() { m.calls = append(m.calls, "undo") }

func rec(msg string) record.Record {
	return record.Record{Time: 1, Status: "s", Tags: "t", Message: []byte(msg)}
}

func TestOneBatchInSoManyIsRead(t *testing.T) {
	t.Parallel()
	m := &mirror{}
	c := New[batch](m, 3)
	recs := []record.Record{rec("a"), rec("b")}
	for range 7 {
		c.Due(1, 1)
		require.NoError(t, c.Batch(batch{recs: recs}, 2, func(i int) record.Record { return recs[i] }))
	}
	require.Equal(t, []string{"read", "follow", "follow", "read", "follow", "follow", "read"}, m.calls)
	require.EqualValues(t, 3, c.Counts().Checked)
	require.Zero(t, c.Counts().Failures)
}

func TestEveryDifferenceIsFound(t *testing.T) {
	t.Parallel()
	broken := errors.New("unknown pattern")
	good := []record.Record{rec("a"), rec("b"), rec("c")}
	changed := func(edit func(*record.Record)) []record.Record {
		out := append([]record.Record(nil), good...)
		edit(&out[1])
		return out
	}
	for name, c := range map[string]struct {
		got  batch
		line int
		want string
	}{
		"message":      {batch{recs: changed(func(r *record.Record) { r.Message = []byte("x") })}, 1, "self-check: line 1 decodes to something else"},
		"time":         {batch{recs: changed(func(r *record.Record) { r.Time++ })}, 1, "self-check: line 1 decodes to something else"},
		"tags":         {batch{recs: changed(func(r *record.Record) { r.Tags = "" })}, 1, "self-check: line 1 decodes to something else"},
		"status":       {batch{recs: changed(func(r *record.Record) { r.Status = "" })}, 1, "self-check: line 1 decodes to something else"},
		"a line less":  {batch{recs: good[:2]}, 2, "self-check: line 2 decodes to something else"},
		"a line more":  {batch{recs: append(good[:3:3], rec("d"))}, 3, "self-check: line 3 decodes to something else"},
		"broken":       {batch{err: broken}, 0, "self-check: the batch does not decode from line 0 on: unknown pattern"},
		"broken later": {batch{recs: good[:1], err: broken}, 1, "self-check: the batch does not decode from line 1 on: unknown pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mirror{}
			k := New[batch](m, 1)
			require.True(t, k.Due(1, 1), "the first")
			err := k.Batch(c.got, 3, func(i int) record.Record { return good[i] })
			var e *MismatchError
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.line, e.Line)
			require.EqualError(t, err, c.want)
			require.Equal(t, c.got.err, errors.Unwrap(err))
			require.Equal(t, []string{"read", "undo"}, m.calls)
			require.EqualValues(t, 1, k.Counts().Checked)
			require.EqualValues(t, 1, k.Counts().Failures)
		})
	}
}

func TestRefusedStateChangesAreFailures(t *testing.T) {
	t.Parallel()
	m := &mirror{}
	c := New[batch](m, 2)
	want := func(int) record.Record { return record.Record{} }
	require.True(t, c.Due(1, 1))
	require.NoError(t, c.Batch(batch{}, 0, want))
	require.False(t, c.Due(1, 1))
	require.EqualError(t, c.Batch(batch{err: errors.New("no id")}, 0, want), "self-check: the batch does not decode: no id")
	require.NoError(t, c.Follow(batch{}))
	require.Equal(t, []string{"read", "follow", "undo", "follow"}, m.calls)
	require.EqualValues(t, 1, c.Counts().Checked)
	require.EqualValues(t, 1, c.Counts().Failures)
	require.Positive(t, c.Counts().Busy)
}

// What checks cost stays within its share, however the batches differ.
func TestChecksAreAsRareAsTheyAreDear(t *testing.T) {
	t.Parallel()
	c := New[batch](&mirror{}, 4)
	due := ""
	for _, work := range []int{10, 10, 10, 10, 10, 40, 1, 1, 1000, 1} {
		due += map[bool]string{true: "x", false: "."}[c.Due(work, work+5)]
	}
	require.Equal(t, "x.....x..x", due)
}
