package rows

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// stream is a sender and a receiver without a network: what was sealed and not yet
// acknowledged, and the decoder of the stream that is open.
type stream struct {
	t       *testing.T
	opts    Options
	enc     *Encoder
	ledger  *Ledger
	unacked []sealed
	dec     *Decoder
	next    uint32
}

type sealed struct {
	in []record.Record
	p  Payload
}

func newStream(t *testing.T, o Options) *stream {
	t.Helper()
	s := &stream{t: t, opts: o, enc: newEncoder(t, o), ledger: NewLedger(o)}
	s.cut()
	return s
}

// send seals a batch, in halves if it must, and delivers it.
func (s *stream) send(in []record.Record) {
	s.t.Helper()
	before := s.enc.Stats()
	p, err := s.enc.Encode(in)
	if err != nil {
		var large *TooLargeError
		require.ErrorAs(s.t, err, &large)
		require.Equal(s.t, before, s.enc.Stats())
		require.Equal(s.t, -1, large.Index, "every record of these tests fits alone")
		s.send(in[:len(in)/2])
		s.send(in[len(in)/2:])
		return
	}
	require.Equal(s.t, len(in), p.Lines)
	require.LessOrEqual(s.t, len(p.Data), s.enc.opts.MaxDataBytes)
	s.unacked = append(s.unacked, sealed{in: in, p: p})
	s.deliver(s.unacked[len(s.unacked)-1])
	require.Equal(s.t, s.dec.StateBytes(), s.enc.Stats().StateBytes, "both sides weigh the state alike")
}

func (s *stream) deliver(b sealed) {
	s.t.Helper()
	requireSame(s.t, b.in, decode(s.t, s.dec, s.next, b.p.Data))
	s.next++
}

// ack is the acknowledgement of the oldest payload.
func (s *stream) ack() {
	if len(s.unacked) > 0 {
		s.ledger.Apply(s.unacked[0].p.Changes)
		s.unacked = s.unacked[1:]
	}
}

// cut ends the stream and opens another, which is told the snapshot and then the
// same payloads again.
func (s *stream) cut() {
	s.t.Helper()
	s.dec, s.next = newDecoder(s.t, s.opts.Compression.Encoding()), 1
	snapshot, err := s.ledger.Snapshot()
	require.NoError(s.t, err)
	if snapshot != nil {
		require.Empty(s.t, decode(s.t, s.dec, 0, snapshot))
	}
	require.Equal(s.t, s.ledger.Bytes(), s.dec.StateBytes())
	for _, b := range s.unacked {
		s.deliver(b)
	}
}

// anyLine draws lines that look like logs, and lines that do not.
func anyLine() *rapid.Generator[string] {
	word := rapid.SampledFrom(strings.Fields("alpha beta gamma delta error ok 7 42 1.5 0x1f 10.0.0.1 é \U0001F680 00 -3"))
	shape := rapid.SampledFrom([]string{"%s", "user %s did %s", "[%s] %s: %s", "a  b\t%s\r", `{"k":"%s","v":%s}`, "panic: %s\n\tat %s\n\n", "%s=%s;%s=%s", "\x00\x1b[1m%s\x1b[0m"})
	formatted := rapid.Custom(func(t *rapid.T) string {
		f := shape.Draw(t, "shape")
		args := make([]any, strings.Count(f, "%s"))
		for i := range args {
			args[i] = word.Draw(t, "word")
		}
		return fmt.Sprintf(f, args...)
	})
	long := rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(word.Draw(t, "word")+" ", rapid.IntRange(100, 3000).Draw(t, "times"))
	})
	return rapid.OneOf(formatted, formatted, formatted, rapid.String(), long)
}

func anyRecord() *rapid.Generator[record.Record] {
	return rapid.Custom(func(t *rapid.T) record.Record {
		return record.Record{
			Time:    rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64()).Draw(t, "time"),
			Status:  rapid.SampledFrom([]string{"info", "info", "error", "warn", ""}).Draw(t, "status"),
			Tags:    rapid.SampledFrom([]string{"", "service:a", "service:b,env:prod", strings.Repeat("long:tag,", 40)}).Draw(t, "tags"),
			Message: []byte(anyLine().Draw(t, "line")),
		}
	})
}

func TestAnyLinesSurviveCuts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			MaxPatterns:     rapid.IntRange(1, 6).Draw(rt, "patterns"),
			MaxPatternBytes: rapid.IntRange(1, 600).Draw(rt, "pattern bytes"),
			MaxDictEntries:  rapid.IntRange(1, 5).Draw(rt, "entries"),
			MaxDictBytes:    rapid.IntRange(1, 600).Draw(rt, "dict bytes"),
			Compression:     rapid.SampledFrom([]Compression{Zstd, Gzip, Identity}).Draw(rt, "compression"),
		}
		if rapid.Bool().Draw(rt, "tight") {
			o.MaxDataBytes = 1 << 15
		}
		s := newStream(t, o)
		batches := rapid.SliceOfN(anyRecord(), 0, 12)
		rt.Repeat(map[string]func(*rapid.T){
			"send": func(rt *rapid.T) { s.send(batches.Draw(rt, "batch")) },
			"ack":  func(*rapid.T) { s.ack() },
			"cut":  func(*rapid.T) { s.cut() },
		})
		s.cut()
	})
}

// The generator's lines have few shapes, so that with small bounds entries come and
// go all the time, unlike with random lines.
func TestChurnSurvivesCuts(t *testing.T) {
	t.Parallel()
	gen := newGenerator(8)
	s := newStream(t, Options{MaxPatterns: 7, MaxDictEntries: 4, MaxDictBytes: 300})
	for i := range 300 {
		s.send(gen.records(1 + gen.rnd.IntN(20)))
		for len(s.unacked) > 3 || len(s.unacked) > 0 && gen.rnd.IntN(3) == 0 {
			s.ack()
		}
		if i%7 == 0 {
			s.cut()
		}
	}
	st := s.enc.Stats()
	for _, n := range []uint64{st.PatternsAdded, st.PatternsUpdated, st.PatternsRemoved, st.DictAdded, st.DictRemoved, st.LinesRaw, st.LinesStructured} {
		require.Greater(t, n, uint64(3), "%+v", st)
	}
	require.EqualValues(t, st.Patterns, st.PatternsAdded-st.PatternsRemoved)
	require.EqualValues(t, st.DictEntries, st.DictAdded-st.DictRemoved)
}

// A batch that is refused leaves no trace: later batches are what they would have
// been without it.
func TestD5_D6_RefusedBatchLeavesNoTrace(t *testing.T) {
	t.Parallel()
	o := Options{MaxPatterns: 7, MaxDictEntries: 5, MaxDataBytes: 4000, MaxPatternBytes: 1500, MaxDictBytes: 400}
	plain, disturbed := newEncoder(t, o), newEncoder(t, o)
	gen, noise := newGenerator(9), newGenerator(10)
	for range 40 {
		in := gen.records(20)
		want := encode(t, plain, in)
		before := disturbed.Stats()
		_, err := disturbed.Encode(noise.records(200))
		var large *TooLargeError
		require.ErrorAs(t, err, &large)
		require.Equal(t, &TooLargeError{Index: -1, Size: large.Size, Max: 4000}, large)
		require.Equal(t, before, disturbed.Stats())
		require.Equal(t, want, encode(t, disturbed, in))
	}
	require.NotZero(t, plain.Stats().PatternsRemoved)
	require.NotZero(t, plain.Stats().DictRemoved)
}

func TestResetStartsFromNothing(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, Options{})
	gen := newGenerator(11)
	encode(t, e, gen.records(300))
	require.NotZero(t, e.Stats().StateBytes)
	e.Reset()
	require.Zero(t, e.Stats().StateBytes)
	require.NotZero(t, e.Stats().PatternsAdded, "counters go on")
	in := gen.records(300)
	require.Equal(t, encode(t, newEncoder(t, Options{}), in), encode(t, e, in))
}
