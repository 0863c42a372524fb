package columns

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// TestE15_DamagedBatches flips bits and cuts batches: the decoder must either
// refuse with a typed error that names the batch and yield nothing, or decode.
func TestE15_DamagedBatches(t *testing.T) {
	t.Parallel()
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	recs := benchLines(120)
	var stream [][]byte
	for i := 0; i < len(recs); i += 40 {
		data, _, err := e.Encode(nil, recs[i:i+40])
		require.NoError(t, err)
		stream = append(stream, data)
	}
	refused, total := 0, 0
	try := func(damaged []byte) {
		total++
		d := NewDecoder(Limits{})
		for _, data := range stream[:2] {
			require.NoError(t, d.Decode(data, func(Line) error { return nil }))
		}
		yielded := 0
		err := d.Decode(damaged, func(Line) error { yielded++; return nil })
		if err == nil {
			return
		}
		refused++
		require.Zero(t, yielded)
		var protocol *ProtocolError
		var limit *LimitError
		require.True(t, errors.As(err, &protocol) && protocol.Batch == 3 || errors.As(err, &limit) && limit.Batch == 3, err)
		require.Equal(t, err, d.Decode(stream[2], nil), "the stream is over")
	}
	last := stream[2]
	for i := range last {
		for bit := range 8 {
			damaged := append([]byte(nil), last...)
			damaged[i] ^= 1 << bit
			try(damaged)
		}
		try(last[:i])
	}
	try(append(append([]byte(nil), last...), 1))
	require.Greater(t, refused*2, total)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	first, _, err := e.Encode(nil, messages("some 1", "some 2"))
	require.NoError(t, err)
	second, _, err := e.Encode(nil, messages("some 3", "some 4"))
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		limits Limits
		stream [][]byte
		want   string
		is     error
	}{
		{"empty", Limits{}, [][]byte{{}}, "batch 1: empty", ErrProtocol},
		{"version", Limits{}, [][]byte{{0x20}}, "batch 1: unknown version or flags", ErrProtocol},
		{"flags", Limits{}, [][]byte{{0x18}}, "batch 1: unknown version or flags", ErrProtocol},
		{"second first", Limits{}, [][]byte{second}, "batch 1: the first batch of a stream must start from empty state", ErrProtocol},
		{"header cut", Limits{}, [][]byte{{0x11, 0x80}}, "batch 1: the header is cut short", ErrProtocol},
		{"text cut", Limits{}, [][]byte{first[:8]}, "batch 1: the text is cut short", ErrProtocol},
		{"bits cut", Limits{}, [][]byte{{0x11, 64, 0, 3, 1, 2}}, "batch 1: the plain bits are cut short", ErrProtocol},
		{"gap", Limits{}, [][]byte{first, second, second}, "", ErrProtocol},
		{"behind the end", Limits{}, [][]byte{append(append([]byte(nil), first...), make([]byte, 9)...)}, "batch 1: bytes left behind the end", ErrProtocol},
		{"data", Limits{MaxDataBytes: 10}, [][]byte{first}, "batch 1: more than MaxDataBytes allows (10)", ErrLimit},
		{"text", Limits{MaxTextBytes: 3}, [][]byte{first}, "batch 1: more than MaxTextBytes allows (3)", ErrLimit},
		{"state", Limits{MaxStateBytes: 1 << 20}, [][]byte{first}, "batch 1: more than MaxStateBytes allows (1048576)", ErrLimit},
		{"lines", Limits{MaxLines: 1}, [][]byte{first}, "batch 1: more than MaxLines allows (1)", ErrLimit},
		{"rendered", Limits{MaxRendered: 11}, [][]byte{first}, "batch 1: more than MaxRendered allows (11)", ErrLimit},
	} {
		d := NewDecoder(c.limits)
		var err error
		for _, data := range c.stream {
			yielded := 0
			if err = d.Decode(data, func(Line) error { yielded++; return nil }); err != nil {
				require.Zero(t, yielded, c.name)
			}
		}
		require.ErrorIs(t, err, c.is, c.name)
		if c.want != "" {
			require.EqualError(t, err, c.want, c.name)
		}
	}
}

// TestErrorNamesColumn damages state so that a column cannot be decoded.
func TestErrorNamesColumn(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for i := range 3 {
		p.send(messages("user a1 logged in", "user b"+string(rune('0'+i))+" logged in"))
	}
	data, _, err := p.e.Encode(nil, messages("user c99999999 logged in", "user a1 logged in"))
	require.NoError(t, err)
	for i := range p.d.state.templates[1].slots {
		sl := &p.d.state.templates[1].slots[i]
		sl.method = new(pool).symbols(methodItems)
		sl.method.set(methodCopy, 1000)
	}
	var protocol *ProtocolError
	require.ErrorAs(t, p.d.Decode(data, nil), &protocol)
	require.Equal(t, ProtocolError{Batch: 4, Line: protocol.Line, Template: 1, Column: 0, What: "a copy of no value"}, *protocol)
	require.Regexp(t, `^batch 4, line \d, template 1, column 0: a copy of no value$`, protocol.Error())
}

func TestYieldErrorEndsTheBatchOnly(t *testing.T) {
	t.Parallel()
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	d := NewDecoder(Limits{})
	stop := errors.New("stop")
	for i := range 3 {
		recs := messages("some 1", "some 2", "some 3")
		data, _, err := e.Encode(nil, recs)
		require.NoError(t, err)
		if i == 1 {
			require.Equal(t, stop, d.Decode(data, func(Line) error { return stop }))
			continue
		}
		same(t, recs, collect(t, d, data))
	}
}

func TestD6_ResetGoesOnTheSameStream(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for i := range 5 {
		p.send(messages("some 1", "some 2", "some 3"))
		if i == 2 {
			p.e.Reset()
		}
	}
	// And on a new one.
	p.e.Reset()
	p.d = NewDecoder(Limits{})
	p.send(messages("some 1", "some 2", "some 3"))
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]Options{
		"columns options: MaxPatterns is -1: use at least 1, or 0 for the default of 4096":             {MaxPatterns: -1},
		"columns options: MaxPatterns is 16384: use less than 16384":                                   {MaxPatterns: 16384},
		"columns options: MaxStateBytes is 1000: use at least 65536, or 0 for the default of 16777216": {MaxStateBytes: 1000},
		"columns options: MaxDataBytes is -5: use at least 1, or 0 for the default of 3670016":         {MaxDataBytes: -5},
		"columns options: MaxLines is -1: use at least 1, or 0 for the default of 131072":              {MaxLines: -1},
	} {
		_, err := NewEncoder(o)
		require.EqualError(t, err, want)
	}
	e, err := NewEncoder(Options{MaxLines: 1})
	require.NoError(t, err)
	_, _, err = e.Encode(nil, make([]record.Record, 2))
	require.EqualError(t, err, "number of records of 2, at most 1: split the batch")
}

func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	p.send(nil)
	p.send(messages("some 1"))
	data, _ := p.send(nil)
	require.LessOrEqual(t, len(data), 5)
}
