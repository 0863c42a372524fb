package rows

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// Damage anywhere in a batch gives an error that a caller can classify, and then
// no line at all, or a batch that still means something.
func TestDamagedBatches(t *testing.T) {
	t.Parallel()
	in := newGenerator(21).records(30)
	data := encode(t, newEncoder(t, Options{Compression: Identity}), in).Data
	refused := 0
	check := func(damaged []byte) {
		got, err := tryDecode(newDecoder(t, ""), 1, damaged)
		if err == nil {
			return
		}
		refused++
		require.Empty(t, got)
		require.ErrorIs(t, err, ErrProtocol)
	}
	for i := range data {
		for _, bit := range []byte{0x01, 0x08, 0x80} {
			damaged := bytes.Clone(data)
			damaged[i] ^= bit
			check(damaged)
		}
	}
	require.Greater(t, refused, len(data)/2)
	refused = 0
	for i := range data {
		check(data[:i])
	}
	// Cut between datums, a batch is only shorter.
	require.Greater(t, refused, len(data)*9/10)
}

func TestDamagedCompression(t *testing.T) {
	t.Parallel()
	in := newGenerator(22).records(6)
	for _, c := range []Compression{Zstd, Gzip} {
		data := encode(t, newEncoder(t, Options{Compression: c}), in).Data
		for i := range data {
			damaged := bytes.Clone(data)
			damaged[i] ^= 0x10
			if _, err := tryDecode(newDecoder(t, c.Encoding()), 1, damaged); err != nil {
				require.True(t, isTyped(err), "%v", err)
			}
			_, err := tryDecode(newDecoder(t, c.Encoding()), 1, data[:i])
			if i > 0 {
				require.ErrorIs(t, err, ErrProtocol, "%d bytes of %s", i, c.Encoding())
			}
		}
	}
}

// A decoder lives on after batches of another size, and yields nothing of them again.
func TestDecoderIsReused(t *testing.T) {
	t.Parallel()
	e, d := newEncoder(t, Options{}), newDecoder(t, "zstd")
	gen := newGenerator(23)
	for i, n := range []int{500, 1, 0, 300, 2} {
		in := gen.records(n)
		requireSame(t, in, decode(t, d, uint32(i+1), encode(t, e, in).Data))
	}
}

// Replacing invalid UTF-8 keeps everything else, and what is valid stays as it is.
func TestReplacement(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		msg := rapid.SliceOf(rapid.SampledFrom([]byte("a \xc3\xa9\xff\xf0\x9f\x9a\x80\x00"))).Draw(rt, "message")
		got := appendValid(nil, msg)
		require.True(t, utf8.Valid(got))
		require.Equal(t, []rune(string(msg)), []rune(string(got)))
		if utf8.Valid(msg) {
			require.Equal(t, string(msg), string(got))
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("user alice from 10.0.0.1\nuser bob from 10.0.0.2\nuser bob from 10.0.0.3"), uint8(3), uint8(0))
	f.Add([]byte("\xff\xfe\n\x00\r\n\n a  b\t1\n a  c\t2"), uint8(1), uint8(1))
	f.Add([]byte(`{"a":1,"a":"é"}`+"\n"+`{"a":22,"a":"è"}`), uint8(2), uint8(2))
	f.Fuzz(func(t *testing.T, lines []byte, patterns, c uint8) {
		o := Options{MaxPatterns: int(patterns), MaxDictEntries: 2, Compression: Compression(c % 3)}
		e, d, l := newEncoder(t, o), newDecoder(t, o.Compression.Encoding()), NewLedger(o)
		split := bytes.Split(lines, []byte("\n"))
		for i := 0; i < len(split); i += 5 {
			var in, want []record.Record
			for j, m := range split[i:min(i+5, len(split))] {
				in = append(in, record.Record{Time: int64(j), Status: "s", Tags: "t", Message: m})
				want = append(want, record.Record{Time: int64(j), Status: "s", Tags: "t", Message: appendValid(nil, m)})
			}
			p := encode(t, e, in)
			requireSame(t, want, decode(t, d, uint32(i+1), p.Data))
			l.Apply(p.Changes)
			require.Equal(t, d.StateBytes(), l.Bytes())
		}
	})
}
