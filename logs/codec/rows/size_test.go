package rows

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	pb "github.com/DataDog/agent-payload/v5/statefulpb"

	"github.com/vigil-agent/vigil/logs/record"
)

// noise is a message that does not compress.
func noise(n int) []byte {
	const printable = 94
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + rnd.IntN(printable))
	}
	return b
}

func TestE11LargestMessage(t *testing.T) {
	t.Parallel()
	o := Options{Compression: Identity, MaxDataBytes: 10_000}
	// Three fields around the text, each with a two-byte length.
	const largest = 10_000 - 9
	e := newEncoder(t, o)
	p := encode(t, e, []record.Record{{Message: noise(largest)}})
	require.Len(t, p.Data, 10_000)
	before := e.Stats()
	_, err := e.Encode([]record.Record{{Message: noise(largest + 1)}})
	require.Equal(t, &TooLargeError{Index: 0, Size: 10_001, Max: 10_000}, err)
	require.EqualError(t, err, "record 0 needs 10001 bytes, at most 10000 are allowed: leave it out")
	require.Equal(t, before, e.Stats())

	small := record.Record{Message: noise(4000)}
	_, err = e.Encode([]record.Record{small, small, {Message: noise(largest + 1)}, small})
	require.Equal(t, &TooLargeError{Index: 2, Size: 22_028, Max: 10_000}, err, "the record to blame is named in a larger batch too")
	_, err = e.Encode([]record.Record{small, small, small})
	require.Equal(t, &TooLargeError{Index: -1, Size: 12_027, Max: 10_000}, err)
	require.EqualError(t, err, "batch of 12027 bytes, at most 10000 are allowed: split it")
}

func TestEncodedBytesAreBoundedToo(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, Options{MaxEncodedBytes: 5000})
	_, err := e.Encode([]record.Record{{Message: bytes.Repeat([]byte("a"), 5000)}})
	require.Equal(t, &TooLargeError{Index: 0, Size: 5009, Max: 5000}, err)
}

// With default options on both sides, no batch that the encoder makes is refused.
func TestDefaultsFitEachOther(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, Options{})
	in := []record.Record{{Message: bytes.Repeat([]byte("a"), DefaultMaxEncodedBytes-20)}}
	require.Len(t, decode(t, newDecoder(t, "zstd"), 1, encode(t, e, in).Data)[0].Message, DefaultMaxEncodedBytes-20)
	l := DefaultLimits()
	require.Greater(t, l.MaxDecompressed, DefaultMaxEncodedBytes)
	require.Greater(t, l.MaxStateBytes, DefaultMaxPatternBytes+DefaultMaxDictBytes)
	require.Greater(t, l.MaxPatterns, DefaultMaxPatterns)
	require.Greater(t, l.MaxDict, DefaultMaxDictEntries)
	require.Equal(t, l, Limits{}.withDefaults())
}

// A full state of strings that do not compress still fits in one batch.
func TestLargestSnapshotFits(t *testing.T) {
	t.Parallel()
	for _, c := range []Compression{Zstd, Gzip, Identity} {
		o := Options{Compression: c, MaxDataBytes: 1 << 17}
		e, l := newEncoder(t, o), NewLedger(o)
		for i := range 600 {
			p := encode(t, e, []record.Record{{Tags: string(noise(300 + i))}})
			l.Apply(p.Changes)
		}
		for i := range 200 {
			m := "template " + strings.ReplaceAll(string(noise(900+i)), " ", "_")
			l.Apply(encode(t, e, []record.Record{rec(0, m), rec(0, m)}).Changes)
		}
		st := e.Stats()
		require.NotZero(t, st.PatternsRemoved, "the state is full")
		require.NotZero(t, st.DictRemoved)
		require.Equal(t, st.StateBytes, l.Bytes())
		snapshot, err := l.Snapshot()
		require.NoError(t, err)
		require.LessOrEqual(t, len(snapshot), o.MaxDataBytes)
		d := newDecoder(t, c.Encoding())
		decode(t, d, 0, snapshot)
		require.Equal(t, l.Bytes(), d.StateBytes())
	}
}

func TestSnapshotOfNothing(t *testing.T) {
	t.Parallel()
	l := NewLedger(Options{})
	snapshot, err := l.Snapshot()
	require.NoError(t, err)
	require.Nil(t, snapshot)
	require.Zero(t, l.Bytes())
}

func TestD33_SnapshotIsSortedDefines(t *testing.T) {
	t.Parallel()
	o := Options{Compression: Identity}
	e, l := newEncoder(t, o), NewLedger(o)
	p := encode(t, e, []record.Record{
		{Tags: "t:1", Message: []byte("first shape 1")},
		{Message: []byte("first shape 2")},
		{Tags: "t:2", Message: []byte("second, shape 1")},
		{Message: []byte("second, shape 2")},
	})
	require.Equal(t, 5, p.Changes.Len())
	l.Apply(p.Changes)
	want := `pattern 1 "first shape " [12]
pattern 2 "second, shape " [14]
dict 1 "t:1"
dict 2 ""
dict 3 "t:2"
`
	snapshot, err := l.Snapshot()
	require.NoError(t, err)
	require.Equal(t, want, dump(t, snapshot))
	clear(p.Data)
	p.Changes.ops[0].datum[0] = 0xff
	again, err := l.Snapshot()
	require.NoError(t, err)
	require.Equal(t, snapshot, again, "the ledger owns its memory")
}

func TestNoRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []Compression{Zstd, Gzip, Identity} {
		p := encode(t, newEncoder(t, Options{Compression: c}), nil)
		require.Zero(t, p.Lines+p.RawBytes+p.EncodedBytes+p.Changes.Len())
		require.Empty(t, decode(t, newDecoder(t, c.Encoding()), 1, p.Data))
	}
}

// Scratch memory of an unusually large batch is not kept.
func TestScratchIsGivenBack(t *testing.T) {
	t.Parallel()
	e, d := newEncoder(t, Options{}), newDecoder(t, "zstd")
	for range 2 {
		in := make([]record.Record, 300)
		for i := range in {
			in[i].Message = bytes.Repeat([]byte("a b "), 5000)
		}
		requireSame(t, in, decode(t, d, 1, encode(t, e, in).Data))
		require.Less(t, cap(e.w.buf), keepBytes)
		require.Less(t, cap(d.data.buf), keepBytes)
	}
	in := make([]record.Record, 100_000)
	require.Len(t, decode(t, d, 1, encode(t, e, in).Data), len(in))
	require.Zero(t, cap(e.lines))
	decode(t, d, 2, nil)
	require.Zero(t, cap(d.batch.logs))
}

func TestE13Bombs(t *testing.T) {
	t.Parallel()
	// Frames may follow each other: a gigabyte of zeros, and a frame of unknown size.
	const bomb, part = 1 << 30, 1 << 20
	zeros := make([]byte, part)
	one := func(c Compression) []byte {
		z, err := newCompressor(c)
		require.NoError(t, err)
		data, err := z.compress(zeros)
		require.NoError(t, err)
		return bytes.Repeat(data, bomb/part)
	}
	var unknown bytes.Buffer
	w, err := zstd.NewWriter(&unknown)
	require.NoError(t, err)
	for range 5 {
		_, err = w.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	// A frame that states a size of 1 GB, with nothing behind it.
	claims := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0}
	l := Limits{MaxDecompressed: 1 << 22}
	for name, data := range map[string][]byte{
		"zstd": one(Zstd), "zstd ": claims, " zstd": unknown.Bytes(), "gzip": one(Gzip), "identity": make([]byte, 1<<22+1),
	} {
		d, err := NewDecoder(strings.TrimSpace(name), l)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = tryDecode(d, 9, data)
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, ErrLimit, name)
		require.NotErrorIs(t, err, ErrProtocol)
		require.EqualError(t, err, "batch 9: more than MaxDecompressed allows (4194304)")
		// Other tests run meanwhile: this tells their megabytes from the bomb's.
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(bomb/2), name)
	}
}

func TestCorruptData(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"zstd", "gzip"} {
		_, err := tryDecode(newDecoder(t, encoding), 2, []byte("not compressed"))
		require.ErrorIs(t, err, ErrProtocol)
		require.ErrorContains(t, err, "batch 2: read "+encoding)
	}
}

func TestStateLimits(t *testing.T) {
	t.Parallel()
	data := build(t, dictDatum(1, "12345678"), dictDatum(2, "x"), patternDatum(1, "abcd", 1, 2), patternDatum(2, "y"))
	for _, c := range []struct {
		limits Limits
		want   string
	}{
		{Limits{MaxDict: 1}, "batch 1: more than MaxDict allows (1)"},
		{Limits{MaxPatterns: 1}, "batch 1: more than MaxPatterns allows (1)"},
		{Limits{MaxStateBytes: 8 + EntryBytes - 1}, "batch 1: more than MaxStateBytes allows (39)"},
		{Limits{MaxStateBytes: 8 + 1 + 4 + 8 + 1 + 4*EntryBytes}, ""},
		{Limits{MaxStateBytes: 8 + 1 + 4 + 8 + 1 + 4*EntryBytes - 1}, "batch 1: more than MaxStateBytes allows (149)"},
		{Limits{MaxDict: 2, MaxPatterns: 2}, ""},
	} {
		d, err := NewDecoder("", c.limits)
		require.NoError(t, err)
		_, err = tryDecode(d, 1, data)
		if c.want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrLimit)
		require.EqualError(t, err, c.want)
	}
}

// A small batch must not expand to more than the receiver is ready to store.
func TestRenderedBytesAreBounded(t *testing.T) {
	t.Parallel()
	datums := []*pb.Datum{patternDatum(1, strings.Repeat("x", 10_000))}
	for range 1000 {
		datums = append(datums, logDatum(structuredLog(0, 1)))
	}
	data := build(t, datums...)
	require.Less(t, len(data), 30_000)
	d, err := NewDecoder("", Limits{MaxRendered: 9_999_999})
	require.NoError(t, err)
	got, err := tryDecode(d, 1, data)
	require.Empty(t, got)
	require.EqualError(t, err, "batch 1: more than MaxRendered allows (9999999)")
	d, err = NewDecoder("", Limits{MaxRendered: 10_000_000})
	require.NoError(t, err)
	require.Len(t, decode(t, d, 1, data), 1000)
}

// Numbers count as long as they are: a batch that its sender may make must not be
// refused for what it could have expanded to.
func TestRenderedNumbersAreCountedExactly(t *testing.T) {
	t.Parallel()
	values := []int64{0, 9, 10, 127, -1, -10, math.MaxInt64, math.MinInt64}
	datums := []*pb.Datum{patternDatum(1, "", 0)}
	size := 0
	for _, v := range values {
		datums = append(datums, logDatum(structuredLog(0, 1, number(v))))
		size += len(fmt.Sprint(v))
	}
	d, err := NewDecoder("", Limits{MaxRendered: size})
	require.NoError(t, err)
	require.Len(t, decode(t, d, 1, build(t, datums...)), len(values))
	d, err = NewDecoder("", Limits{MaxRendered: size - 1})
	require.NoError(t, err)
	_, err = tryDecode(d, 1, build(t, datums...))
	require.ErrorIs(t, err, ErrLimit)
}

// A few bytes must not become millions of lines.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat(build(t, logDatum(rawLog(0, ""))), DefaultLimits().MaxLines)
	require.Len(t, decode(t, newDecoder(t, ""), 1, data), DefaultLimits().MaxLines)
	got, err := tryDecode(newDecoder(t, ""), 1, append(data, build(t, logDatum(rawLog(0, "")))...))
	require.EqualError(t, err, "batch 1: more than MaxLines allows (131072)")
	require.ErrorIs(t, err, ErrLimit)
	require.Empty(t, got)
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{MaxPatterns: -1}, "MaxPatterns is -1: use a positive number, or 0 for the default of 700"},
		{Options{Compression: 9}, "compression 9: use Zstd, Gzip or Identity"},
		{
			Options{MaxDataBytes: 1000, MaxPatternBytes: 900, MaxDictBytes: 100},
			"MaxPatternBytes and MaxDictBytes are 1000 together: use at most 938, or a snapshot does not fit in MaxDataBytes (1000)",
		},
	} {
		_, err := NewEncoder(c.o)
		require.EqualError(t, err, "rows options: "+c.want)
		l := NewLedger(c.o)
		l.Apply(Changes{ops: []change{{kind: dictDefine, id: 1}}})
		_, err = l.Snapshot()
		require.ErrorContains(t, err, c.want)
	}
	o, err := Options{}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, Options{
		MaxPatterns: 700, MaxPatternBytes: DefaultMaxPatternBytes, MaxDictEntries: 4096, MaxDictBytes: DefaultMaxDictBytes,
		MaxDataBytes: DefaultMaxDataBytes, MaxEncodedBytes: DefaultMaxEncodedBytes,
		MaxMemoryBytes: DefaultMaxMemoryBytes, MaxIdle: DefaultMaxIdle, CheckEvery: DefaultCheckEvery,
	}, o)
}

func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &ProtocolError{BatchID: 4, Datum: -1, What: "it broke"}, "batch 4: it broke")
	require.NotErrorIs(t, &TooLargeError{}, ErrLimit)
	var p *ProtocolError
	require.NotErrorAs(t, &LimitError{}, &p)
}
