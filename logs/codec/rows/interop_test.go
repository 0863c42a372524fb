package rows

import (
	"errors"
	"testing"

	pb "github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// The public schema's own code must know everything in our batches, and need just
// as many bytes for it. It orders fields differently, which protobuf leaves open.
func TestBatchesAreKnownToTheSchema(t *testing.T) {
	t.Parallel()
	gen := newGenerator(4)
	o := Options{Compression: Identity, MaxPatterns: 7, MaxDictEntries: 5}
	e, l := newEncoder(t, o), NewLedger(o)
	check := func(data []byte) {
		seq := sequence(t, data)
		again, err := proto.Marshal(seq)
		require.NoError(t, err)
		require.Len(t, again, len(data))
		require.NoError(t, protorange.Range(seq.ProtoReflect(), func(p protopath.Values) error {
			if m, ok := p.Index(-1).Value.Interface().(protoreflect.Message); ok {
				require.Empty(t, m.GetUnknown())
			}
			return nil
		}))
	}
	for range 20 {
		p := encode(t, e, gen.records(40))
		check(p.Data)
		l.Apply(p.Changes)
		snapshot, err := l.Snapshot()
		require.NoError(t, err)
		check(snapshot)
	}
	st := e.Stats()
	require.NotZero(t, st.PatternsRemoved*st.DictRemoved*st.PatternsUpdated, "%+v", st)
}

// Positions may come unpacked: a protobuf reader accepts both.
func TestUnpackedPositions(t *testing.T) {
	t.Parallel()
	b := appendVarint(nil, keyID, 1)
	b = appendField(b, keyTemplate, "ab")
	b = appendVarint(b, keyParamCount, 2)
	b = appendVarint(appendVarint(b, keyPos, 1), keyPos, 2)
	data := appendField(nil, keyDatum, appendField(nil, keyPatternDefine, b))
	data = append(data, build(t, logDatum(structuredLog(0, 0, text("x"), text("y"))))...)
	requireSame(t, []record.Record{rec(0, "axby")}, decode(t, newDecoder(t, ""), 1, data))
}

// peer keeps what a peer has defined, so that it only refers to that.
type peer struct {
	patterns map[uint64]int
	dict     []uint64
	datums   []*pb.Datum
}

func (p *peer) value(t *rapid.T) *pb.DynamicValue {
	switch n := rapid.IntRange(0, 3).Draw(t, "kind"); {
	case n == 0:
		return number(rapid.Int64().Draw(t, "int"))
	case n == 1:
		return float(rapid.Float64().Draw(t, "float"))
	case n == 2 && len(p.dict) > 0:
		return ref(rapid.SampledFrom(p.dict).Draw(t, "ref"))
	default:
		return text(rapid.String().Draw(t, "text"))
	}
}

func (p *peer) add(t *rapid.T) {
	id := rapid.Uint64Range(1, 6).Draw(t, "id")
	switch rapid.IntRange(0, 3).Draw(t, "datum") {
	case 0:
		template := rapid.StringOf(rapid.SampledFrom([]rune("ab é"))).Draw(t, "template")
		var pos []uint32
		for i := range template {
			for range rapid.IntRange(0, 2).Draw(t, "here") {
				pos = append(pos, uint32(i))
			}
		}
		p.patterns[id] = len(pos)
		p.datums = append(p.datums, patternDatum(id, template, pos...))
	case 1:
		p.dict = append(p.dict, id)
		p.datums = append(p.datums, dictDatum(id, rapid.String().Draw(t, "entry")))
	case 2:
		p.datums = append(p.datums, logDatum(rawLog(rapid.Int64().Draw(t, "time"), rapid.String().Draw(t, "raw"))))
	case 3:
		n, ok := p.patterns[id]
		if !ok {
			return
		}
		l := structuredLog(rapid.Int64().Draw(t, "time"), id)
		for range n {
			s := l.GetStructured()
			s.DynamicValues = append(s.DynamicValues, p.value(t))
		}
		p.datums = append(p.datums, logDatum(l))
	}
}

// Whatever a peer may send decodes, and what was decoded survives our own way
// there and back.
func TestE15PeerBatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := &peer{patterns: map[uint64]int{}}
		d := newDecoder(t, "")
		e, back := newEncoder(t, Options{}), newDecoder(t, "zstd")
		for batch := range uint32(rapid.IntRange(1, 3).Draw(rt, "batches")) {
			p.datums = nil
			for range rapid.IntRange(0, 12).Draw(rt, "datums") {
				p.add(rt)
			}
			got := decode(t, d, batch+1, build(t, p.datums...))
			again := encode(t, e, got)
			requireSame(t, got, decode(t, back, batch+1, again.Data))
		}
	})
}

// isTyped reports whether a caller can tell what to do about an error.
func isTyped(err error) bool { return errors.Is(err, ErrProtocol) || errors.Is(err, ErrLimit) }

func FuzzDecode(f *testing.F) {
	gen := newGenerator(6)
	e := newEncoder(f, Options{Compression: Identity})
	f.Add(encode(f, e, gen.records(5)).Data)
	f.Add(encode(f, e, gen.records(9)).Data)
	f.Add(build(f, dictDatum(1, "m"), patternDatum(1, "é ", 0, 2, 3), logDatum(structuredLog(-1, 0, number(-1), float(0.5), ref(1)))))
	f.Add([]byte{keyDatum, 2, keyLog, 0})
	f.Add(protowire.AppendVarint([]byte{keyDatum}, 1<<62))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := NewDecoder("", Limits{MaxStateBytes: 1 << 16, MaxRendered: 1 << 20})
		require.NoError(t, err)
		got, err := tryDecode(d, 1, data)
		if err != nil {
			require.Empty(t, got)
			require.True(t, isTyped(err), "%v", err)
			return
		}
		// What we accept, the schema's own code does too.
		var seq pb.DatumSequence
		require.NoError(t, proto.Unmarshal(data, &seq))
		p, err := newEncoder(t, Options{}).Encode(got)
		require.NoError(t, err)
		requireSame(t, got, decode(t, newDecoder(t, "zstd"), 1, p.Data))
	})
}

func FuzzDecodeCompressed(f *testing.F) {
	in := newGenerator(7).records(5)
	f.Add(uint8(Zstd), encode(f, newEncoder(f, Options{}), in).Data)
	f.Add(uint8(Gzip), encode(f, newEncoder(f, Options{Compression: Gzip}), in).Data)
	f.Fuzz(func(t *testing.T, c uint8, data []byte) {
		d, err := NewDecoder(Compression(c%3).Encoding(), Limits{MaxDecompressed: 1 << 16})
		require.NoError(t, err)
		_, err = tryDecode(d, 1, data)
		require.True(t, err == nil || isTyped(err), "%v", err)
	})
}
