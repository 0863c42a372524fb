package rows

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// The conformance cases of the logs specification, section 7, that an encoder
// decides. Each compares the whole batch.

// session is an encoder without compression, and the decoder of its stream.
type session struct {
	t   *testing.T
	enc *Encoder
	dec *Decoder
	id  uint32
}

func newSession(t *testing.T, o Options) *session {
	t.Helper()
	o.Compression = Identity
	return &session{t: t, enc: newEncoder(t, o), dec: newDecoder(t, "identity")}
}

// send encodes a batch, checks that it decodes to the same, and returns its dump.
func (s *session) send(in ...record.Record) string {
	s.t.Helper()
	p := encode(s.t, s.enc, in)
	s.id++
	requireSame(s.t, in, decode(s.t, s.dec, s.id, p.Data))
	return dump(s.t, p.Data)
}

func TestE1RawLogOfEmptyState(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, "log 1700000000000 raw \"hello 1\"\n", s.send(rec(1700000000000, "hello 1")))
	// The time is absolute again in the next batch.
	require.Equal(t, "log 1700000000001 raw \"bye\"\n", s.send(rec(1700000000001, "bye")))
}

func TestE2TimesAreDeltas(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, "log 1000 raw \"a\"\nlog 0 raw \"b b\"\nlog -10 raw \"c c c\"\n",
		s.send(rec(1000, "a"), rec(1000, "b b"), rec(990, "c c c")))
	require.Equal(t, "log -5 raw \"d\"\nlog -9223372036854775803 raw \"e e\"\nlog -1 raw \"f f f\"\n",
		s.send(rec(-5, "d"), rec(-1<<63, "e e"), rec(1<<63-1, "f f f")), "differences wrap around")
}

func TestE3PatternIDIsOmittedAfterDefine(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, `pattern 1 "worker  done" [7]
log 1000 pattern 0 1
log 1000 pattern 0 2
`, s.send(recs("worker 1 done", "worker 2 done")...))
}

func TestE4PatternIDIsOmittedWhenRepeated(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	s.send(recs("alpha beta 1", "alpha beta 2", "gamma: 1 delta", "gamma: 2 delta")...)
	require.Equal(t, `log 1000 pattern 1 7
log 1000 pattern 0 8
log 1000 pattern 2 1
log 1000 raw "never, before"
log 1000 pattern 0 2
log 1000 pattern 1 9
`, s.send(recs("alpha beta 7", "alpha beta 8", "gamma: 1 delta", "never, before", "gamma: 2 delta", "alpha beta 9")...))
}

func TestE5_D17_Tags(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	tagged := func(tags string) record.Record { return record.Record{Tags: tags, Message: []byte("!")} }
	require.Equal(t, `dict 1 "a:1"
log 0 raw "!" tags #1
log 0 raw "!"
dict 2 "b:2"
log 0 raw "!" tags #2
dict 3 ""
log 0 raw "!" tags #3
log 0 raw "!" tags #2
`, s.send(tagged("a:1"), tagged("a:1"), tagged("b:2"), tagged(""), tagged("b:2")))
	require.Equal(t, "log 0 raw \"!\"\nlog 0 raw \"!\" tags #2\n", s.send(tagged(""), tagged("b:2")), "no tags at the start is what the receiver assumes")
}

func TestTagsWithoutRoomAreRepeated(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{MaxDictBytes: EntryBytes})
	tagged := func(tags string) record.Record { return record.Record{Tags: tags, Message: []byte("!")} }
	require.Equal(t, `log 0 raw "!" tags "a:1"
log 0 raw "!" tags "a:1"
dict 1 ""
log 0 raw "!" tags #1
log 0 raw "!"
log 0 raw "!" tags "a:1"
`, s.send(tagged("a:1"), tagged("a:1"), tagged(""), tagged(""), tagged("a:1")))
}

func TestStatusIsAlwaysExplicit(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, `dict 1 "info"
log 0 raw "" status #1
log 0 raw "" status #1
log 0 raw ""
dict 2 "warn"
log 0 raw "" status #2
log 0 raw "" status #1
`, s.send([]record.Record{{Status: "info"}, {Status: "info"}, {}, {Status: "warn"}, {Status: "info"}}...))
	s = newSession(t, Options{MaxDictBytes: 1})
	require.Equal(t, `log 0 raw "" status "info"
log 0 raw ""
log 0 raw "" status "info"
`, s.send([]record.Record{{Status: "info"}, {}, {Status: "info"}}...), "without room it is repeated")
}

func TestStringsThatReturnEnterTheDictionary(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	in := []record.Record{rec(0, "user alice from host-1 logged in"), rec(0, "user bob from host-1 logged in"), rec(0, "user alice from host-2 logged in")}
	inline := `log 0 pattern 1 "alice" "host-1"
log 0 pattern 0 "bob" "host-1"
log 0 pattern 0 "alice" "host-2"
`
	require.Equal(t, "pattern 1 \"user  from  logged in\" [5 11]\n"+strings.ReplaceAll(inline, "pattern 1", "pattern 0"), s.send(in...))
	require.Equal(t, inline, s.send(in...))
	require.Equal(t, inline, s.send(in...))
	require.Equal(t, `dict 1 "alice"
dict 2 "host-1"
log 0 pattern 1 #1 #2
log 0 pattern 0 "bob" #2
dict 3 "host-2"
log 0 pattern 0 #1 #3
`, s.send(in...), "bob is too short to gain")
}

func TestE8OnlyCanonicalNumbersAreIntegers(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	lexemes := []string{"0", "7", "127", "128", "00123", "00", "1e3", "1.0", "+5", "-0", "-7", "9223372036854775807", "9223372036854775808"}
	in := make([]record.Record, len(lexemes))
	for i, l := range lexemes {
		in[i] = rec(0, "the value is "+l)
	}
	require.Equal(t, `pattern 1 "the value is " [13]
log 0 pattern 0 0
log 0 pattern 0 7
log 0 pattern 0 127
log 0 pattern 0 "128"
log 0 pattern 0 "00123"
log 0 pattern 0 "00"
log 0 pattern 0 "1e3"
log 0 pattern 0 "1.0"
log 0 pattern 0 "+5"
log 0 pattern 0 "-0"
log 0 pattern 0 "-7"
log 0 pattern 0 "9223372036854775807"
log 0 pattern 0 "9223372036854775808"
`, s.send(in...))
}

func TestE9_D19_BytesAreExact(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	lines := []string{
		"deploy \U0001F680 took %ds", "nul \x00 in %d", "\x1b[31mERROR\x1b[0m code %d", "carriage return %d\r",
		"tabs\t\t\tand  two  spaces %d", "trailing spaces %d   ", "  leading %d", "日本語のログ %d 行", "\ufffd was there before %d", "\u2028line\u2029 %d",
	}
	for _, l := range lines {
		out := s.send(recs(fmt.Sprintf(l, 1), fmt.Sprintf(l, 2), fmt.Sprintf(l, 3))...)
		require.Contains(t, out, "pattern", "%q becomes a template", l)
		require.NotContains(t, out, "raw")
	}
	require.Zero(t, s.enc.Stats().InvalidUTF8)
}

func TestE10InvalidUTF8IsReplacedAndCounted(t *testing.T) {
	t.Parallel()
	e := newEncoder(t, Options{Compression: Identity})
	p := encode(t, e, []record.Record{
		rec(0, "a\xff\xfeb"), rec(0, "fine"), rec(0, "half \xe2\x82"),
		{Tags: "t:\xff", Status: "\xc0", Message: []byte("x")},
		{Tags: "t:\xff", Message: []byte("x")},
		{Message: []byte("x")},
	})
	require.Equal(t, "log 0 raw \"a\ufffd\ufffdb\"\nlog 0 raw \"fine\"\nlog 0 raw \"half \ufffd\ufffd\"\n"+
		"dict 1 \"t:\ufffd\"\ndict 2 \"\ufffd\"\nlog 0 raw \"x\" tags #1 status #2\nlog 0 raw \"x\"\ndict 3 \"\"\nlog 0 raw \"x\" tags #3\n", dump(t, p.Data))
	require.EqualValues(t, 4, e.Stats().InvalidUTF8)
	require.Equal(t, 6, p.Lines)
	require.Equal(t, len("a\xff\xfeb"+"fine"+"half \xe2\x82"+"xxx"), p.RawBytes, "raw bytes are the bytes of the source")
}

func TestE14SameInputSameBytes(t *testing.T) {
	t.Parallel()
	gen := newGenerator(1)
	var batches [][]record.Record
	for range 40 {
		batches = append(batches, gen.records(50))
	}
	// Small bounds, so that eviction happens, whose order must not vary either.
	o := Options{MaxPatterns: 12, MaxDictEntries: 6, MaxDictBytes: 600}
	run := func() (data [][]byte, snapshot []byte) {
		e, l := newEncoder(t, o), NewLedger(o)
		for _, b := range batches {
			p := encode(t, e, b)
			l.Apply(p.Changes)
			data = append(data, p.Data)
		}
		require.NotZero(t, e.Stats().PatternsRemoved)
		require.NotZero(t, e.Stats().DictRemoved)
		snapshot, err := l.Snapshot()
		require.NoError(t, err)
		return data, snapshot
	}
	wantData, wantSnapshot := run()
	for range 3 {
		data, snapshot := run()
		require.Equal(t, wantData, data)
		require.Equal(t, wantSnapshot, snapshot)
	}
}

func TestP5WiderTemplateIsToldBeforeItsLog(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, `pattern 1 "user root logged in from " [25]
log 0 pattern 0 "10.0.0.1"
log 0 pattern 0 "10.0.0.2"
`, s.send(rec(0, "user root logged in from 10.0.0.1"), rec(0, "user root logged in from 10.0.0.2")))
	require.Equal(t, `log 0 raw "something else"
pattern 1 "user  logged in from " [5 21]
log 0 pattern 0 "root" "10.0.0.3"
log 0 pattern 0 "daemon" "10.0.0.4"
`, s.send(rec(0, "something else"), rec(0, "user root logged in from 10.0.0.3"), rec(0, "user daemon logged in from 10.0.0.4")))
	require.Equal(t, Stats{
		RawBytes: 148, EncodedBytes: s.enc.Stats().EncodedBytes, CompressedBytes: s.enc.Stats().EncodedBytes, Payloads: 2,
		LinesStructured: 4, LinesRaw: 1, PatternsAdded: 1, PatternsUpdated: 1, Patterns: 1, StateBytes: len("user  logged in from ") + 8 + EntryBytes,
		Checked: 1, Busy: s.enc.Stats().Busy, Candidates: 1, MemoryBytes: s.enc.table.MemoryBytes(),
	}, s.enc.Stats())
}

func TestP6EvictionStaysBelowTheBound(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	shape := func(i int) string {
		return strings.Repeat("=", i%41+1) + " shape " + strings.Repeat("-", i/41+1) + " of %d"
	}
	deleted := map[string]bool{}
	for i := range 1000 {
		f := shape(i)
		out := s.send(rec(0, fmt.Sprintf(f, 1)), rec(0, fmt.Sprintf(f, 2)))
		for l := range strings.Lines(out) {
			if strings.HasPrefix(l, "pattern") && strings.HasSuffix(l, "deleted\n") {
				deleted[l] = true
			}
		}
		require.LessOrEqual(t, s.enc.Stats().Patterns, DefaultMaxPatterns)
	}
	st := s.enc.Stats()
	require.EqualValues(t, 1000, st.PatternsAdded)
	require.Len(t, deleted, int(st.PatternsRemoved), "an id is deleted once, and the decoder would refuse its use")
	require.Equal(t, 1000-len(deleted), st.Patterns)
	require.GreaterOrEqual(t, st.Patterns, DefaultMaxPatterns*85/100)
	out := s.send(rec(0, fmt.Sprintf(shape(0), 3)), rec(0, fmt.Sprintf(shape(0), 4)))
	require.Contains(t, out, "pattern 1001 ", "what comes back has a new id")
}

func TestP7_D18_PatternsOfTheBatchAreNotEvicted(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{MaxPatterns: 2})
	require.Equal(t, `pattern 1 "the only one " [13]
log 1000 pattern 0 1
log 1000 pattern 0 2
pattern 2 "two, two " [9]
log 1000 pattern 0 1
log 1000 pattern 0 2
log 1000 raw "three; three 1"
log 1000 raw "three; three 2"
`, s.send(recs("the only one 1", "the only one 2", "two, two 1", "two, two 2", "three; three 1", "three; three 2")...), "a third pattern has no room in this batch")
	require.Equal(t, `log 1000 pattern 2 3
pattern 1 deleted
pattern 3 "three; three " [13]
log 1000 pattern 0 3
log 1000 pattern 0 4
log 1000 pattern 2 4
`, s.send(recs("two, two 3", "three; three 3", "three; three 4", "two, two 4")...), "of the older two the unused one goes")
}

func TestP8_D22_IdentifiersDoNotFillTheDictionary(t *testing.T) {
	t.Parallel()
	const batches, lines = 1000, 1000
	// Compression has no state.
	e := newEncoder(t, Options{Compression: Identity})
	rnd := rand.New(rand.NewPCG(2, 7))
	in := make([]record.Record, lines)
	id := []byte("123e4567-e89b-12d3-a456-426614174000")
	var first Stats
	for i := range batches {
		for j := range in {
			in[j].Time = int64(i)
			hex.Encode(id[24:], binary.BigEndian.AppendUint64(nil, rnd.Uint64())[:6])
			m := append(append(in[j].Message[:0], "request "...), id...)
			in[j].Message = append(strconv.AppendUint(append(m, " from session s"...), rnd.Uint64(), 16), " done"...)
		}
		encode(t, e, in)
		if i == 0 {
			first = e.Stats()
		}
	}
	st := e.Stats()
	require.EqualValues(t, batches*lines, st.LinesStructured)
	require.Zero(t, st.DictAdded)
	require.EqualValues(t, 1, st.PatternsAdded)
	require.Equal(t, first.StateBytes, st.StateBytes)
	require.Equal(t, first.MemoryBytes, st.MemoryBytes)
}

func TestP9JSONNumbersKeepTheirLexeme(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, `pattern 1 "{\"msg\":\"a \",\"level\":\"info\",\"pid\":}" [10 33]
log 0 pattern 0 1 "12345678901234567890"
log 0 pattern 0 2 "1.50"
`, s.send(rec(0, `{"msg":"a 1","level":"info","pid":12345678901234567890}`), rec(0, `{"msg":"a 2","level":"info","pid":1.50}`)))
}

func TestP10_D29_JSONWithOddKeysIsRaw(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	require.Equal(t, `log 0 raw "{ \"a,b\": 1, \"c.d\": 2, \"a,b\":3 }"`+"\n", s.send(rec(0, `{ "a,b": 1, "c.d": 2, "a,b":3 }`)))
	// No schema of keys is ever sent, so that no key can be misread; what repeats
	// becomes a template of bytes like any line.
	require.Equal(t, `pattern 1 "{ \"a,b\": , \"c.d\": , \"a,b\":3 }" [9 18]
log 0 pattern 0 1 2
log 0 pattern 0 4 5
`, s.send(rec(0, `{ "a,b": 1, "c.d": 2, "a,b":3 }`), rec(0, `{ "a,b": 4, "c.d": 5, "a,b":3 }`)))
}

func TestP11MultiLine(t *testing.T) {
	t.Parallel()
	trace := "panic: runtime error: index out of range [%d] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:%d +0x1d\nexit status 2"
	s := newSession(t, Options{})
	require.Equal(t, `pattern 1 "panic: runtime error: index out of range [] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go: +0x1d\nexit status 2" [42 108]
log 0 pattern 0 5 10
log 0 pattern 0 6 12
`, s.send(rec(0, fmt.Sprintf(trace, 5, 10)), rec(0, fmt.Sprintf(trace, 6, 12))))
}

func TestP12IdleEntriesAreForgotten(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{MaxIdle: time.Minute, CheckEvery: 1})
	job := func(ms int64) []record.Record {
		in := []record.Record{rec(ms, "worker 1 is done"), rec(ms, "worker 2 is done")}
		for i := range in {
			in[i].Tags = "service:jobs"
		}
		return in
	}
	require.Equal(t, `pattern 1 "worker  is done" [7]
dict 1 "service:jobs"
log 1000 pattern 0 1 tags #1
log 0 pattern 0 2
`, s.send(job(1000)...))
	require.Equal(t, "log 61000 pattern 1 1 tags #1\nlog 0 pattern 0 2\n", s.send(job(61_000)...), "as old as may be")
	require.Equal(t, "log 0 raw \"else\"\n", s.send(rec(0, "else")), "a clock that was set back forgets nothing")
	require.Equal(t, `pattern 1 deleted
dict 1 deleted
pattern 2 "worker  is done" [7]
dict 2 "service:jobs"
log 121001 pattern 0 1 tags #2
log 0 pattern 0 2
`, s.send(job(121_001)...), "what returns has a new id")
	require.Equal(t, "pattern 2 deleted\ndict 2 deleted\nlog 300000 raw \"else\"\n", s.send(rec(300_000, "else")))
	require.Zero(t, s.enc.Stats().StateBytes)
}

// A pattern that has become so wide that it saves nothing is taken back.
func TestWidePatternsAreDeleted(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{CheckEvery: 1})
	require.Equal(t, `pattern 1 "ab cd " [6]
log 0 pattern 0 1
log 0 pattern 0 2
log 0 pattern 0 3
`, s.send(rec(0, "ab cd 1"), rec(0, "ab cd 2"), rec(0, "ab cd 3")))
	require.Equal(t, `pattern 1 deleted
log 0 raw "ab xy 4"
log 0 raw "ab cd 5"
`, s.send(rec(0, "ab xy 4"), rec(0, "ab cd 5")))
	require.Zero(t, s.enc.Stats().StateBytes)
}
