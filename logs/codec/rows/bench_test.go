package rows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// steady is an encoder that has seen everything its batches hold, several times.
func steady(tb testing.TB) (*Encoder, [][]record.Record) {
	tb.Helper()
	gen := newGenerator(12)
	batches := make([][]record.Record, 3)
	for i := range batches {
		batches[i] = gen.records(1000)
	}
	e := newEncoder(tb, Options{})
	for range 4 {
		for _, b := range batches {
			encode(tb, e, b)
		}
	}
	return e, batches
}

func TestSteadyStateHardlyAllocates(t *testing.T) {
	e, batches := steady(t)
	i := 0
	perBatch := testing.AllocsPerRun(12, func() {
		_, _ = e.Encode(batches[i%len(batches)])
		i++
	})
	// The payload itself, and what the rare change of state needs.
	require.Less(t, perBatch, 50.0, "for 1000 lines")
}

func TestDecodeHardlyAllocates(t *testing.T) {
	d, p := settled(t)
	require.Less(t, testing.AllocsPerRun(40, func() {
		_ = d.Decode(1, p.Data, func(Line) error { return nil })
	}), 10.0, "for 1000 lines")
}

// settled is a decoder, and a payload that changes none of its state.
func settled(tb testing.TB) (*Decoder, Payload) {
	tb.Helper()
	in := newGenerator(12).records(1000)
	e, d := newEncoder(tb, Options{}), newDecoder(tb, "zstd")
	for range 4 {
		decode(tb, d, 1, encode(tb, e, in).Data)
	}
	p := encode(tb, e, in)
	require.Zero(tb, p.Changes.Len())
	return d, p
}

func BenchmarkEncode(b *testing.B) {
	e, batches := steady(b)
	b.ReportAllocs()
	i, lines, raw := 0, 0, 0
	for b.Loop() {
		p, err := e.Encode(batches[i%len(batches)])
		require.NoError(b, err)
		i, lines, raw = i+1, lines+p.Lines, raw+p.RawBytes
	}
	b.SetBytes(int64(raw / i))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
}

func BenchmarkDecode(b *testing.B) {
	d, p := settled(b)
	b.ReportAllocs()
	b.SetBytes(int64(p.RawBytes))
	lines := 0
	for b.Loop() {
		require.NoError(b, d.Decode(1, p.Data, func(Line) error {
			lines++
			return nil
		}))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
}
