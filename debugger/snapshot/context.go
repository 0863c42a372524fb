package snapshot

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// A context.Context is shown by the span that is active in it, as a map (debugger
// specification, section 1.2): which contexts lie in each other is no one's
// concern. Spans are those of OpenTelemetry.
const (
	// maxHops bounds the chain of contexts (section 4).
	maxHops      = 32
	valueContext = "context.valueCtx"
	spanKey      = "go.opentelemetry.io/otel/trace.traceContextKeyType"
	spanContext  = "go.opentelemetry.io/otel/trace.SpanContext"
)

// The names of the entries and the types of what they hold.
var (
	textType = &typeInfo{kind: gotype.String, size: 16, name: []byte(`"string"`), short: "string"}
	bigType  = &typeInfo{kind: gotype.Struct, name: []byte(`"big.Int"`), short: "big.Int"}
	wordType = &typeInfo{kind: gotype.Uint, size: 8, name: []byte(`"uint64"`), short: "uint64"}
)

// span is what is shown of one.
type span struct{ trace, id, parent []byte }

// context fills in value i for the interface in w.
func (r *reader) context(i int, t *typeInfo, w view) {
	v := &r.values[i]
	v.content = contentEntries
	for range maxHops {
		typ, data, why := r.held(t, w)
		if typ == nil {
			v.reason = why
			return
		}
		if typ.goName == valueContext {
			if s, why, found := r.spanIn(typ, data); found {
				v.reason = why
				r.addSpan(s)
				return
			}
		}
		if t, w = parentContext(typ, data); t == nil {
			return
		}
	}
	r.values[i].reason = reasonNestingTooDeep
}

// held is the struct that an interface holds or leads to; nil when there is none,
// with the reason when there should be.
func (r *reader) held(t *typeInfo, w view) (*typeInfo, view, reason) {
	if len(w.data) < 16 {
		return nil, view{}, w.missing.or(reasonPruned)
	}
	word := w.word(0)
	if word == 0 {
		return nil, view{}, captured
	}
	it := r.index.find(t.id, word)
	if it == nil || len(it.Data) < 8 {
		return nil, view{}, w.unfollowed()
	}
	offset := wordAt(it.Data, 0)
	typ := r.layout.typ(r.layout.table.ByRuntimeOffset(offset))
	if typ.id == 0 {
		r.unknown = append(r.unknown, offset)
		return nil, view{}, reasonNoType
	}
	if typ.kind == gotype.Pointer {
		typ = typ.elem
	} else if typ.direct {
		return typ, w.sub(8, 8), captured
	}
	data, ok := r.find(typ, w.word(8))
	if !ok {
		return nil, view{}, w.unfollowed()
	}
	return typ, data, captured
}

// parentContext is the context that a context of the standard library lies in.
func parentContext(t *typeInfo, w view) (*typeInfo, view) {
	for i := range t.fields {
		f := &t.fields[i]
		part := w.sub(f.offset, f.typ.size)
		if f.typ.isContext {
			return f.typ, part
		}
		if f.typ.kind == gotype.Struct && f.embedded {
			if t, w := parentContext(f.typ, part); t != nil {
				return t, w
			}
		}
	}
	return nil, view{}
}

// spanIn is the span that a context.valueCtx holds, if that is what it holds.
func (r *reader) spanIn(t *typeInfo, w view) (s span, why reason, found bool) {
	var key, value *field
	for i := range t.fields {
		switch t.fields[i].text {
		case "key":
			key = &t.fields[i]
		case "val":
			value = &t.fields[i]
		}
	}
	if key == nil || value == nil || !r.isSpanKey(key.typ, w.sub(key.offset, 16)) {
		return s, captured, false
	}
	typ, data, why := r.held(value.typ, w.sub(value.offset, 16))
	if typ == nil {
		return s, why, true
	}
	for i := range typ.fields {
		f := &typ.fields[i]
		if f.typ.goName != spanContext {
			continue
		}
		trace, id := idsOf(f.typ, data.sub(f.offset, f.typ.size))
		if f.text == "parent" {
			s.parent = id
		} else {
			s.trace, s.id = trace, id
		}
	}
	if s.trace == nil {
		why = reasonNoType
	}
	return s, why, true
}

func (r *reader) isSpanKey(t *typeInfo, w view) bool {
	if len(w.data) < 16 {
		return false
	}
	it := r.index.find(t.id, w.word(0))
	if it == nil || len(it.Data) < 8 {
		return false
	}
	offset := wordAt(it.Data, 0)
	typ := r.layout.typ(r.layout.table.ByRuntimeOffset(offset))
	if typ.id == 0 {
		typ = r.named(offset)
	}
	return typ != nil && typ.goName == spanKey
}

// idsOf are the ids in a span context: the arrays of 16 and of 8 bytes.
func idsOf(t *typeInfo, w view) (trace, id []byte) {
	for i := range t.fields {
		f := &t.fields[i]
		part := w.sub(f.offset, f.typ.size)
		switch {
		case f.typ.kind != gotype.Array || uint64(len(part.data)) < f.typ.size:
		case f.typ.size == 16:
			trace = part.data
		case f.typ.size == 8:
			id = part.data
		}
	}
	return trace, id
}

// addSpan adds the entries; ids of zero bytes are none.
func (r *reader) addSpan(s span) {
	if len(r.active.trace) == 0 && len(s.trace) == 16 && len(s.id) == 8 && !zero(s.trace) && !zero(s.id) {
		r.active = s
	}
	if len(s.trace) == 16 && !zero(s.trace) {
		r.addEntry("trace_id", bigType, s.trace)
	}
	if len(s.id) == 8 && !zero(s.id) {
		r.addEntry("span_id", wordType, s.id)
	}
	if len(s.parent) == 8 && !zero(s.parent) {
		r.addEntry("parent_id", wordType, s.parent)
	}
}

// append appends the ids as the logs of a service have them, which are what a
// snapshot is found with: that of the trace in hexadecimal, the others in decimal.
func (s *span) append(dst []byte) []byte {
	dst = hex.AppendEncode(append(dst, `{"trace_id":"`...), s.trace)
	dst = appendDecimal(append(dst, `","span_id":"`...), s.id)
	if len(s.parent) == 8 && !zero(s.parent) {
		dst = appendDecimal(append(dst, `","parent_id":"`...), s.parent)
	}
	return append(dst, `"}`...)
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (r *reader) addEntry(key string, t *typeInfo, id []byte) {
	k := r.add(nil, textType)
	r.values[k].content, r.values[k].data = contentString, []byte(key)
	n := r.add(nil, t)
	r.values[n].content, r.values[n].data = contentID, id
}

// appendDecimal appends an id of 8 or 16 bytes, most significant first, in decimal.
func appendDecimal(dst, id []byte) []byte {
	if len(id) == 8 {
		return strconv.AppendUint(dst, binary.BigEndian.Uint64(id), 10)
	}
	// Long division of four words by 10^9; what is left over are nine digits.
	const billion = 1_000_000_000
	var words [4]uint32
	for i := range words {
		words[i] = binary.BigEndian.Uint32(id[4*i:])
	}
	var digits [5]uint32
	n := 0
	for ; words != [4]uint32{} && n < len(digits); n++ {
		var rest uint64
		for i := range words {
			part := rest<<32 | uint64(words[i])
			words[i], rest = uint32(part/billion), part%billion
		}
		digits[n] = uint32(rest)
	}
	dst = strconv.AppendUint(dst, uint64(digits[max(n-1, 0)]), 10)
	for n -= 2; n >= 0; n-- {
		// The leading one of 10^9 and more keeps the zeros.
		at := len(dst)
		dst = strconv.AppendUint(dst, billion+uint64(digits[n]), 10)
		dst = append(dst[:at], dst[at+1:]...)
	}
	return dst
}
