package rows

import (
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	pb "github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// The conformance cases of the logs specification, section 7, that a decoder
// decides, with batches made by the public schema's own code.

func TestDefineSetsTheLastPattern(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	requireSame(t, []record.Record{rec(5, "job 1"), rec(5, "job 2")}, decode(t, d, 1, build(t,
		patternDatum(7, "job ", 4), logDatum(structuredLog(5, 0, number(1))), logDatum(structuredLog(0, 0, number(2))))))
}

func TestLastPatternSkipsRawLogs(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "identity")
	decode(t, d, 0, build(t, patternDatum(7, "seven"), patternDatum(9, "nine")))
	requireSame(t, []record.Record{rec(1, "seven"), rec(1, "seven"), rec(1, "nine"), rec(1, "raw"), rec(1, "nine")},
		decode(t, d, 1, build(t,
			logDatum(structuredLog(1, 7)), logDatum(structuredLog(0, 0)), logDatum(structuredLog(0, 9)),
			logDatum(rawLog(0, "raw")), logDatum(structuredLog(0, 0)))))
}

func TestDecodedTags(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	log := func(tags *pb.TagSet) *pb.Datum {
		l := rawLog(0, "m")
		l.Tags = tags
		return logDatum(l)
	}
	got := decode(t, d, 1, build(t, dictDatum(1, "a:1"), dictDatum(2, ""),
		log(nil), log(tagSet(ref(1))), log(nil), log(tagSet(text("b:2"))), log(nil), log(tagSet(ref(2))), log(nil)))
	tags := make([]string, len(got))
	for i, r := range got {
		tags[i] = r.Tags
	}
	require.Equal(t, []string{"", "a:1", "a:1", "b:2", "a:1", "", ""}, tags, "an inline tag set is for its log only")
}

func TestE6AdjacentPositionsRender(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	requireSame(t, []record.Record{rec(0, "waxybz")}, decode(t, d, 1, build(t, patternDatum(1, "ab", 0, 1, 1, 2),
		logDatum(structuredLog(0, 1, text("w"), text("x"), text("y"), text("z"))))))
}

func TestValuesRender(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]*pb.DynamicValue{
		"-9223372036854775808":     number(math.MinInt64),
		"0":                        number(0),
		"":                         text(""),
		"of the dictionary":        ref(1),
		"1.5":                      float(1.5),
		"-0":                       float(math.Copysign(0, -1)),
		"100000000000000000000":    float(1e20),
		"1e+21":                    float(1e21),
		"1e-07":                    float(1e-7),
		"0.1":                      float(0.1),
		"-2.2250738585072014e-308": float(-2.2250738585072014e-308),
	} {
		d := newDecoder(t, "")
		got := decode(t, d, 1, build(t, dictDatum(1, "of the dictionary"), patternDatum(1, "[]", 1), logDatum(structuredLog(0, 0, v))))
		require.Equal(t, "["+want+"]", string(got[0].Message))
	}
}

func TestQ6RedefinitionIsForLaterLogs(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	l := rawLog(0, "x")
	l.Tags, l.Status = tagSet(ref(1)), ref(1)
	require.Equal(t, []record.Record{
		{Message: []byte("old 1 one")},
		{Message: []byte("x"), Tags: "one", Status: "one"},
		{Message: []byte("new 2"), Tags: "one"},
		{Message: []byte("x"), Tags: "two", Status: "two"},
	}, decode(t, d, 1, build(t,
		dictDatum(1, "one"), patternDatum(1, "old  ", 4, 5), logDatum(structuredLog(0, 0, number(1), ref(1))), logDatum(l),
		patternDatum(1, "new ", 4), dictDatum(1, "two"), logDatum(structuredLog(0, 0, number(2))), logDatum(l))))
	require.Equal(t, len("new ")+4+len("two")+2*EntryBytes, d.StateBytes())
}

func TestQ8EmptyRawLog(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	got := decode(t, d, 1, build(t, logDatum(rawLog(3, ""))))
	requireSame(t, []record.Record{rec(3, "")}, got)
}

func TestDeltaEncodingSync(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	sync := &pb.Datum{Data: &pb.Datum_DeltaEncodingSync{DeltaEncodingSync: &pb.DeltaEncodingSync{
		Timestamp: 100, PatternId: 1, Tags: tagSet(ref(1)),
	}}}
	got := decode(t, d, 1, build(t, dictDatum(1, "a:1"), patternDatum(1, "one"), patternDatum(2, "two"), sync, logDatum(structuredLog(5, 0))))
	require.Equal(t, []record.Record{{Time: 105, Tags: "a:1", Message: []byte("one")}}, got)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	message := structuredLog(1, 1, number(5))
	message.GetStructured().JsonMessageKey = text("msg")
	full := structuredLog(0, 1, text("\"\n"))
	s := full.GetStructured()
	s.JsonMessageKey, s.JsonContextSchemaId = ref(1), 2
	s.JsonContextValues = []*pb.DynamicValue{text("in\tfo"), number(-3), float(2.5), ref(1)}
	got := decode(t, d, 1, build(t, dictDatum(1, "message"), dictDatum(2, "a.b,level,n,x"), patternDatum(1, "took ", 5), logDatum(message), logDatum(full)))
	requireSame(t, []record.Record{
		rec(1, `{"msg":"took 5"}`),
		rec(1, `{"message":"took \"\n","a.b":"in\tfo","level":-3,"n":2.5,"x":"message"}`),
	}, got)
}

func TestE7BadPositionsAreRefused(t *testing.T) {
	t.Parallel()
	far := appendField(appendVarint(nil, keyID, 3), keyTemplate, "ab")
	far = appendField(appendVarint(far, keyParamCount, 1), keyPosList, []byte{0xff, 0xff, 0x03})
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"out of range", build(t, patternDatum(3, "ab", 3)), "position beyond the template (id 3)"},
		{"far out of range", appendField(nil, keyDatum, appendField(nil, keyPatternDefine, far)), "position beyond the template (id 3)"},
		{"decreasing", build(t, patternDatum(3, "abc", 2, 1)), "positions decrease (id 3)"},
		{"inside a rune", build(t, patternDatum(3, "a\u00e9", 2)), "position inside a rune (id 3)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := tryDecode(newDecoder(t, "identity"), 3, append(build(t, logDatum(rawLog(0, "good"))), c.data...))
			require.Empty(t, got, "nothing of the batch is yielded")
			require.ErrorIs(t, err, ErrProtocol)
			require.EqualError(t, err, "batch 3, datum 1: "+c.want)
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	object := func(edit func(*pb.StructuredLog)) *pb.Datum {
		l := structuredLog(0, 1)
		edit(l.GetStructured())
		return logDatum(l)
	}
	status := func(v *pb.DynamicValue) *pb.Datum {
		l := rawLog(0, "")
		l.Status = v
		return logDatum(l)
	}
	tags := func(s *pb.TagSet) *pb.Datum {
		l := rawLog(0, "")
		l.Tags = s
		return logDatum(l)
	}
	raw := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		require.NoError(t, err)
		return b
	}
	define := func(s string) []byte {
		return appendField(nil, keyDatum, appendField(nil, keyPatternDefine, raw(s)))
	}
	miscounted := patternDatum(3, "abc", 1)
	miscounted.GetPatternDefine().ParamCount = 2
	// Every batch comes after this one.
	before := build(t, patternDatum(1, "one"), dictDatum(1, "k"))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"pattern without id", build(t, patternDatum(0, "x")), "datum 0: pattern defined without id"},
		{"param_count", build(t, miscounted), "datum 0: number of positions is not param_count (id 3)"},
		{"position above 32 bits", define("0803 1801 2205ffffffff7f"), "datum 0: position beyond the template"},
		{"position cut short", define("0803 1801 220180"), "datum 0: a position is cut short"},
		{"template not UTF-8", define("0803 1201ff"), "datum 0: template is not UTF-8 (id 3)"},
		{"dictionary entry without id", build(t, dictDatum(0, "x")), "datum 0: dictionary entry defined without id"},
		{"delete of an unknown pattern", build(t, noPatternDatum(2)), "datum 0: delete of an unknown pattern (id 2)"},
		{"delete of an unknown string", build(t, noDictDatum(2)), "datum 0: delete of an unknown dictionary entry (id 2)"},
		{"S1 unknown pattern", build(t, logDatum(rawLog(0, "")), logDatum(structuredLog(0, 4))), "datum 1: unknown pattern (id 4)"},
		{"S1 unknown string", build(t, status(ref(4))), "datum 0: unknown dictionary entry (id 4)"},
		{"use after delete", build(t, noPatternDatum(1), logDatum(structuredLog(0, 1))), "datum 1: unknown pattern (id 1)"},
		{"string use after delete", build(t, noDictDatum(1), status(ref(1))), "datum 1: unknown dictionary entry (id 1)"},
		{"no last pattern", build(t, logDatum(structuredLog(0, 0))), "datum 0: first structured log of a batch without pattern id"},
		{"too many values", build(t, logDatum(structuredLog(0, 1, number(1)))), "datum 0: number of values is not the pattern's number of parameters (id 1)"},
		{"empty value", build(t, logDatum(structuredLog(0, 1, &pb.DynamicValue{}))), "datum 0: value without content"},
		{"not a number", build(t, logDatum(structuredLog(0, 1, float(math.NaN())))), "datum 0: value is not a finite number"},
		{"log without content", build(t, logDatum(&pb.Log{Timestamp: 1})), "datum 0: log without content"},
		{"log with two contents", raw("0a06 3204 1a00 1200"), "datum 0: log with two contents"},
		{"empty datum", build(t, &pb.Datum{}), "datum 0: datum without content"},
		{"two in one datum", raw("0a08 3202 1a00 3202 1a00"), "datum 0: datum with more than one content"},
		{"numeric status", build(t, status(number(1))), "datum 0: a number where text is expected"},
		{"tag set without content", build(t, tags(&pb.TagSet{})), "datum 0: tag set without content"},
		{"raw not UTF-8", raw("0a05 3203 1a01ff"), "datum 0: raw log is not UTF-8"},
		{"unknown field", raw("0a06 3204 1a00 3800"), "datum 0: a field is not in the schema"},
		{"wrong wire type", raw("0a06 3204 1a00 2000"), "datum 0: a field is not in the schema"},
		{"field twice", raw("0a08 3206 0802 0804 1a00"), "datum 0: a field comes twice"},
		{"cut short", raw("0a06 3204"), "datum 0: a field is cut short"},
		{"not a field", raw("ffffff"), "datum 0: a field is cut short"},
		{"unknown top field", raw("1200"), "datum 0: a field is not in the schema"},
		{
			"deprecated JSON", build(t, object(func(s *pb.StructuredLog) { s.JsonContext = []byte("{}") })), //nolint:staticcheck // that it is deprecated is the point
			"datum 0: json_context is deprecated and not supported: send a schema, or the line as text",
		},
		{"schema without message", build(t, object(func(s *pb.StructuredLog) { s.JsonContextSchemaId = 1 })), "datum 0: JSON schema without message key"},
		{"unknown schema", build(t, object(func(s *pb.StructuredLog) { s.JsonMessageKey, s.JsonContextSchemaId = text("m"), 9 })), "datum 0: unknown JSON schema (id 9)"},
		{
			"schema and values", build(t, object(func(s *pb.StructuredLog) { s.JsonMessageKey, s.JsonContextSchemaId = text("m"), 1 })),
			"datum 0: number of JSON values is not the schema's number of keys (id 1)",
		},
		{
			"values without schema", build(t, object(func(s *pb.StructuredLog) {
				s.JsonMessageKey, s.JsonContextValues = text("m"), []*pb.DynamicValue{number(1)}
			})),
			"datum 0: number of JSON values is not the schema's number of keys",
		},
		{"key twice", build(t, object(func(s *pb.StructuredLog) {
			s.JsonMessageKey, s.JsonContextSchemaId, s.JsonContextValues = text("k"), 1, []*pb.DynamicValue{number(1)}
		})), "datum 0: JSON schema with a key twice (id 1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDecoder(t, "identity")
			decode(t, d, 0, before)
			// A good log comes first, which must not be yielded.
			data := append(build(t, logDatum(rawLog(0, "good"))), c.data...)
			got, err := tryDecode(d, 3, data)
			require.Empty(t, got)
			require.ErrorIs(t, err, ErrProtocol)
			require.NotErrorIs(t, err, ErrLimit)
			var p *ProtocolError
			require.ErrorAs(t, err, &p)
			require.EqualValues(t, 3, p.BatchID)
			p.Datum-- // the good log
			require.Equal(t, c.want, strings.TrimPrefix(strings.TrimPrefix(p.Error(), "batch 3, "), "batch 3: "))
		})
	}
}

func TestSnapshotHoldsNoLogs(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, "")
	_, err := tryDecode(d, 0, build(t, logDatum(rawLog(0, "x"))))
	require.EqualError(t, err, "batch 0, datum 0: log in a snapshot")
}

func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "identity", "gzip", "zstd"} {
		d := newDecoder(t, encoding)
		require.Empty(t, decode(t, d, 0, nil))
		require.Zero(t, d.StateBytes())
	}
}

func TestYieldErrorEndsDecode(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	d := newDecoder(t, "")
	calls := 0
	err := d.Decode(1, build(t, logDatum(rawLog(0, "a")), logDatum(rawLog(0, "b"))), func(Line) error {
		calls++
		return full
	})
	require.Equal(t, full, err)
	require.Equal(t, 1, calls)
}

func TestWireBytes(t *testing.T) {
	t.Parallel()
	// Identity, so that shares are sizes: 4 bytes of frame and the text.
	d := newDecoder(t, "")
	define := build(t, patternDatum(1, "a long template that the next log pays for"))
	log := build(t, logDatum(structuredLog(0, 1)))
	last := build(t, dictDatum(1, "a string that nobody uses"))
	data := append(append(append(build(t, logDatum(rawLog(0, "x"))), define...), log...), last...)
	var shares []float64
	require.NoError(t, d.Decode(1, data, func(l Line) error {
		shares = append(shares, l.WireBytes)
		return nil
	}))
	require.Equal(t, []float64{7, float64(len(define) + len(log) + len(last))}, shares)

	e := newEncoder(t, Options{})
	p := encode(t, e, newGenerator(3).records(500))
	d, sum := newDecoder(t, "zstd"), 0.0
	require.NoError(t, d.Decode(1, p.Data, func(l Line) error {
		require.Positive(t, l.WireBytes)
		sum += l.WireBytes
		return nil
	}))
	require.InDelta(t, len(p.Data), sum, 1e-6)
}
