package rows

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// rec is a record without status and tags.
func rec(ms int64, msg string) record.Record {
	return record.Record{Time: ms, Message: []byte(msg)}
}

// recs are records a second apart.
func recs(msgs ...string) []record.Record {
	out := make([]record.Record, len(msgs))
	for i, m := range msgs {
		out[i] = rec(int64(1000*(i+1)), m)
	}
	return out
}

func newEncoder(t testing.TB, o Options) *Encoder {
	t.Helper()
	e, err := NewEncoder(o)
	require.NoError(t, err)
	return e
}

func newDecoder(t testing.TB, encoding string) *Decoder {
	t.Helper()
	d, err := NewDecoder(encoding, Limits{})
	require.NoError(t, err)
	return d
}

func encode(t testing.TB, e *Encoder, in []record.Record) Payload {
	t.Helper()
	p, err := e.Encode(in)
	require.NoError(t, err)
	return p
}

// decode is what a decoder yields, in memory of its own.
func decode(t testing.TB, d *Decoder, id uint32, data []byte) []record.Record {
	t.Helper()
	out, err := tryDecode(d, id, data)
	require.NoError(t, err)
	return out
}

func tryDecode(d *Decoder, id uint32, data []byte) ([]record.Record, error) {
	var out []record.Record
	err := d.Decode(id, data, func(l Line) error {
		l.Message = bytes.Clone(l.Message)
		out = append(out, l.Record)
		return nil
	})
	return out, err
}

// requireSame compares records, where a nil message is an empty one.
func requireSame(t testing.TB, want, got []record.Record) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		w, g := want[i], got[i]
		require.Equal(t, string(w.Message), string(g.Message), "message of line %d", i)
		w.Message, g.Message = nil, nil
		require.Equal(t, w, g, "line %d", i)
	}
}
