package columns

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// fuzzLimits are small, so that a hostile batch that takes much memory fails.
var fuzzLimits = Limits{MaxDataBytes: 1 << 16, MaxTextBytes: 1 << 18, MaxStateBytes: 1 << 20, MaxLines: 1 << 10, MaxRendered: 1 << 20}

// fuzzStream is good batches; columns of the later ones are settled.
func fuzzStream(f *testing.F) [][]byte {
	f.Helper()
	e, err := NewEncoder(Options{MaxStateBytes: 1 << 20})
	require.NoError(f, err)
	recs := benchLines(90)
	var stream [][]byte
	for i, n := range []int{150, 20, 20} {
		data, _, err := e.Encode(nil, append(numbered(200*i, n), recs[30*i:30*i+30]...))
		require.NoError(f, err)
		stream = append(stream, data)
	}
	return stream
}

// FuzzDecode decodes a stream of two batches of any bytes after a good one. It must
// not panic, and what it accepts must encode and decode again to the same.
func FuzzDecode(f *testing.F) {
	stream := fuzzStream(f)
	f.Add(stream[1], stream[2])
	f.Add(stream[0], stream[1])
	f.Add([]byte{version<<4 | flagFresh, 64, 3}, []byte{version << 4, 200, 1, 0x80, 0xff, 0x77})
	again, err := NewEncoder(Options{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		d := NewDecoder(fuzzLimits)
		require.NoError(t, d.Decode(stream[0], func(Line) error { return nil }))
		again.Reset()
		back := NewDecoder(Limits{})
		for _, data := range [][]byte{one, two} {
			var got []record.Record
			err := d.Decode(data, func(l Line) error {
				r := l.Record
				r.Message = bytes.Clone(r.Message)
				got = append(got, r)
				return nil
			})
			if err != nil {
				require.Empty(t, got)
				require.True(t, errors.Is(err, ErrProtocol) || errors.Is(err, ErrLimit), err)
				return
			}
			require.LessOrEqual(t, d.StateBytes(), fuzzLimits.MaxStateBytes)
			data, _, err := again.Encode(nil, got)
			require.NoError(t, err)
			same(t, got, collect(t, back, data))
		}
	})
}

// FuzzRoundTrip encodes any bytes as lines, several times in batches of several
// sizes, and decodes them.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("user 1 in\nuser 22 in\nuser 333 in\r\n\n\x00\xff\n{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}"), "service:a", uint8(3))
	f.Add([]byte("2026-09-21 06:16:43,837 from 10.1.2.3:80\n2026-09-21 06:16:44,001 from 10.1.2.4:81\n2026-09-21 06:16:44,001 from 10.1.2.4:81"), "", uint8(1))
	f.Add([]byte("id 550e8400-e29b-41d4-a716-446655440000 0xDEADBEEF 00012 -7\nid 550e8400-e29b-41d4-a716-446655440001 0xDEADBEE0 00013 -8"), "\xff", uint8(7))
	var many []byte
	for _, r := range numbered(0, 80) {
		many = append(append(many, r.Message...), '\n')
	}
	f.Add(many, "", uint8(49))
	e, err := NewEncoder(Options{MaxStateBytes: minStateBytes, MaxPatterns: 8})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte, tags string, size uint8) {
		lines := bytes.Split(text, []byte("\n"))
		var recs []record.Record
		for round := range 3 {
			for i, l := range lines {
				recs = append(recs, record.Record{Time: int64(round*1000 + i*int(size)), Status: tags[:min(len(tags), i%3)], Tags: tags, Message: l})
			}
		}
		e.Reset()
		d := NewDecoder(Limits{})
		step := int(size)%50 + 1
		for i := 0; i < len(recs); i += step {
			part := recs[i:min(i+step, len(recs))]
			data, _, err := e.Encode(nil, part)
			require.NoError(t, err)
			same(t, part, collect(t, d, data))
			require.Equal(t, e.Stats().StateBytes, d.StateBytes())
		}
	})
}
