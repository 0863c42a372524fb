package columns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// pair is the two ends of a stream.
type pair struct {
	t testing.TB
	e *Encoder
	d *Decoder
}

func newPair(t testing.TB, o Options) pair {
	t.Helper()
	e, err := NewEncoder(o)
	require.NoError(t, err)
	return pair{t: t, e: e, d: NewDecoder(Limits{})}
}

// send encodes a batch, decodes it and requires that it came back exactly.
func (p pair) send(recs []record.Record) ([]byte, BatchStats) {
	p.t.Helper()
	data, bs, err := p.e.Encode(nil, recs)
	require.NoError(p.t, err)
	same(p.t, recs, collect(p.t, p.d, data))
	require.Equal(p.t, p.e.Stats().StateBytes, p.d.StateBytes())
	return data, bs
}

func messages(lines ...string) []record.Record {
	recs := make([]record.Record, len(lines))
	for i, l := range lines {
		recs[i] = record.Record{Time: 1_790_000_000_000 + int64(i), Status: "info", Tags: "service:a", Message: []byte(l)}
	}
	return recs
}

func TestE1_FirstLineIsPlain(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	_, bs := p.send(messages("hello 1"))
	require.Equal(t, []int{1, 1, 7, 0}, []int{bs.Lines, bs.PlainLines, bs.RawBytes, bs.TemplatesAdded})
}

func TestE2_TimesGoForthAndBack(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	const lowest, highest = -1 << 63, 1<<63 - 1
	recs := messages(strings.Split(strings.Repeat("x ", 9), " ")...)
	for i, ms := range []int64{1000, 1000, 990, 0, -1, lowest, highest, lowest, 1_790_000_000_000} {
		recs[i].Time = ms
	}
	p.send(recs)
	// Milliseconds that follow each other take hardly anything.
	var data []byte
	for i := range 20 {
		for j := range recs {
			recs[j].Time = 1_790_000_000_000 + int64(i*len(recs)+j)
		}
		data, _ = p.send(recs)
	}
	require.Less(t, len(data), 12)
}

func TestE9_D19_AnyBytesAreExact(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for range 3 {
		p.send(messages("emoji \U0001F600 7", "nul \x00 8", "\x1b[31mred\x1b[0m 9", "crlf 10\r", "tabs\t\t\t11", "trailing 12   ", "", " ", "\n", "\x00\x01\x02\x03"))
	}
}

func TestE10_InvalidUTF8IsExact(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for i := range 5 {
		recs := messages(fmt.Sprintf("bad \xff\xfe %d", i), fmt.Sprintf("\xc3 cut %d", i), "\xed\xa0\x80 surrogate")
		recs[0].Tags, recs[1].Status = "t:\xff", "\xfe"
		p.send(recs)
	}
}

func TestE11_LargestBatchAndOneMore(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	p := newPair(t, Options{MaxRawBytes: most})
	p.send(messages("some 1", "some 2", "some 3"))
	rng := rand.New(rand.NewPCG(3, 4))
	line := make([]byte, most)
	for i := range line {
		line[i] = byte(rng.Uint32())
	}
	state := p.e.Stats().StateBytes
	_, _, err := p.e.Encode(nil, []record.Record{{Message: append(line, 'x')}})
	var large *TooLargeError
	require.ErrorAs(t, err, &large)
	require.Equal(t, TooLargeError{What: "batch", Size: most + 1, Max: most}, *large)
	require.Equal(t, state, p.e.Stats().StateBytes, "as if it had not been called")
	p.send([]record.Record{{Message: line}})
	require.Zero(t, p.e.Stats().Resets)
}

// TestE11_TooLargeCompressed covers the batch whose size is known only when it has
// been encoded: the stream goes on with the next one.
func TestE11_TooLargeCompressed(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{MaxDataBytes: 4096})
	p.send(messages("some 1", "some 2", "some 3"))
	rng := rand.New(rand.NewPCG(3, 4))
	var lines []string
	for range 100 {
		lines = append(lines, fmt.Sprintf("%x", rng.Uint64())+strings.Repeat(string(rune(rng.IntN(1<<16))), 3)+fmt.Sprintf("%x%x%x%x", rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()))
	}
	prefix := []byte("kept")
	dst, bs, err := p.e.Encode(prefix, messages(lines...))
	var large *TooLargeError
	require.ErrorAs(t, err, &large)
	require.Equal(t, "compressed batch", large.What)
	require.Equal(t, prefix, dst)
	require.Equal(t, BatchStats{}, bs)
	require.Equal(t, uint64(1), p.e.Stats().Resets)
	st := p.e.Stats()
	require.Equal(t, uint64(0), st.TemplatesAdded-st.TemplatesRemoved)
	require.Equal(t, uint64(0), st.DictAdded-st.DictRemoved)
	p.send(messages(lines[:20]...))
	p.send(messages("some 4"))
}

func TestE11_OneMiBLines(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	p.send(messages(strings.Repeat("a 1 ", 1<<18), strings.Repeat("7", 1<<20), "short", strings.Repeat("\x00", 1<<20)))
}

// TestE13_Bomb sends a batch whose text is 1 GiB of zeros in a few kilobytes.
func TestE13_Bomb(t *testing.T) {
	var z bytes.Buffer
	w, err := zstd.NewWriter(&z, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(WindowBytes))
	require.NoError(t, err)
	zeros := make([]byte, 1<<20)
	for range 1 << 10 {
		_, err := w.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, w.Flush())
	require.Less(t, z.Len(), 256<<10)
	batch := func(size uint64) []byte {
		data := []byte{version<<4 | flagFresh | flagText}
		for _, v := range []uint64{1 << 10, 1, size, uint64(z.Len())} {
			data = binary.AppendUvarint(data, v)
		}
		return append(data, z.Bytes()...)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = NewDecoder(Limits{}).Decode(batch(1<<30), nil)
	require.ErrorIs(t, err, ErrLimit)
	require.EqualError(t, err, "batch 1: more than MaxTextBytes allows (33554432)")
	// Announcing little does not help.
	err = NewDecoder(Limits{}).Decode(batch(100), nil)
	require.ErrorIs(t, err, ErrProtocol)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(24<<20))
}

// TestE13_BombOfTemplates sends a batch that is small even decoded, but renders to
// very much.
func TestE13_BombOfTemplates(t *testing.T) {
	t.Parallel()
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	recs := make([]record.Record, 100_000)
	for i := range recs {
		recs[i].Message = bytes.Repeat([]byte("word "), 150)
	}
	for i := 0; i < len(recs); i += 20_000 {
		data, _, err := e.Encode(nil, recs[i:i+20_000])
		require.NoError(t, err)
		require.Less(t, len(data), 4096)
		d := NewDecoder(Limits{MaxRendered: 10 << 20})
		if i == 0 {
			require.EqualError(t, d.Decode(data, func(Line) error { t.Fatal("yielded"); return nil }), "batch 1: more than MaxRendered allows (10485760)")
		}
	}
}

func TestE14_Deterministic(t *testing.T) {
	t.Parallel()
	var streams [2][]byte
	for i := range streams {
		e, err := NewEncoder(Options{})
		require.NoError(t, err)
		recs := benchLines(3000)
		for j := 0; j < len(recs); j += 100 {
			streams[i], _, err = e.Encode(streams[i], recs[j:j+100])
			require.NoError(t, err)
		}
	}
	require.Equal(t, streams[0], streams[1])
}

// TestP8_D22_UUIDPerLine sends 1e6 lines that never repeat.
func TestP8_D22_UUIDPerLine(t *testing.T) {
	t.Parallel()
	lines := 1_000_000
	if testing.Short() {
		lines = 50_000
	}
	e, err := NewEncoder(Options{MaxStateBytes: 1 << 20})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 6))
	recs := make([]record.Record, 1000)
	most, flat, taken := 0, 0, 0
	var data []byte
	for i := 0; i < lines; i += len(recs) {
		for j := range recs {
			a, b := rng.Uint64(), rng.Uint64()
			recs[j].Message = fmt.Appendf(recs[j].Message[:0], "request %08x-%04x-%04x-%04x-%012x done", uint32(a), uint16(a>>32), a>>48, uint16(b), b>>16)
		}
		data, _, err = e.Encode(data[:0], recs)
		require.NoError(t, err)
		require.Less(t, len(data), 17*len(recs), "a UUID is 16 bytes")
		n := e.Stats().StateBytes
		most = max(most, n)
		if i == 20_000 {
			flat, taken = n, e.state.pool.taken
		}
	}
	require.LessOrEqual(t, most, 1<<20)
	require.Equal(t, flat, e.Stats().StateBytes, "the state does not grow")
	require.Equal(t, taken, e.state.pool.taken, "nor do the models behind it")
	require.Zero(t, e.Stats().Resets)
}

func TestP11_StackTraceIsExact(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for i := range 4 {
		trace := fmt.Sprintf("panic: runtime error: index out of range [%d] with length %d\n\ngoroutine %d [running]:\nmain.(*Server).handle(0xc%09x, {0x%x, 0x2})\n\t/src/server.go:%d +0x1d\r\nexit status 2\n", i, i, i*7, i*977, i*31, i)
		p.send(messages(trace, "plain "+fmt.Sprint(i), trace))
	}
}

// TestStateWithinBudget sends lines of very many patterns.
func TestStateWithinBudget(t *testing.T) {
	t.Parallel()
	const budget = 256 << 10
	p := newPair(t, Options{MaxStateBytes: budget})
	rng := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau")
	for range 60 {
		var lines []string
		for range 200 {
			a, b, c := words[rng.IntN(len(words))], words[rng.IntN(len(words))], words[rng.IntN(len(words))]
			lines = append(lines, fmt.Sprintf("%s: %s of %s took %d ms (%x)", a, b, c, rng.IntN(1000), rng.Uint64()))
		}
		p.send(messages(lines...))
		require.LessOrEqual(t, p.d.StateBytes(), budget)
		require.LessOrEqual(t, p.e.state.pool.taken, 2*budget+keepChunks+1<<20, "a batch goes beyond the bound, the next starts afresh")
	}
}

// TestSteadyAllocations holds the encoder to what the logs specification asks for.
func TestSteadyAllocations(t *testing.T) {
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	recs := benchLines(20000)
	var dst []byte
	for range 2 {
		for i := 0; i < len(recs); i += 200 {
			dst, _, err = e.Encode(dst[:0], recs[i:i+200])
			require.NoError(t, err)
		}
	}
	i := 0
	perBatch := testing.AllocsPerRun(50, func() {
		dst, _, err = e.Encode(dst[:0], recs[i:i+200])
		i = (i + 200) % len(recs)
	})
	require.NoError(t, err)
	require.LessOrEqual(t, perBatch/200, 0.01)
}

// TestManyTagSets sends more tag sets and statuses than either side keeps.
func TestManyTagSets(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for i := range 6 {
		recs := messages(strings.Split(strings.Repeat("line 1\n", 200), "\n")...)
		for j := range recs {
			recs[j].Tags = fmt.Sprintf("service:s%d", i*100+j)
			recs[j].Status = fmt.Sprintf("status%d", (i*31+j)%150)
		}
		p.send(recs)
	}
}

// TestNewMonthAndLayout lets timestamps change in every way.
func TestNewMonthAndLayout(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for range 3 {
		for _, day := range []string{"Mar  9", "Mar 10", "Apr  1"} {
			var lines []string
			for i := range 30 {
				lines = append(lines, fmt.Sprintf("%s 06:%02d:%02d host app[%d]: started", day, i, 59-i, i*i),
					fmt.Sprintf("2026-09-%02dT06:00:%02d.%06dZ tick %d", 1+i, i, i*i*i, i))
			}
			lines = append(lines, "Mar 10 99:99:99 host app[1]: started", "1899-09-01T06:00:00.000000Z tick 1", "2026-09-01T06:00:00.0000000Z tick 1", "x host app[1]: started")
			p.send(messages(lines...))
		}
	}
}
