package snapshot

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// appendValue appends value i with everything below it. The keys are always in
// this order.
func (s *Snapshot) appendValue(dst []byte, i int) []byte {
	v := &s.r.values[i]
	dst = s.appendType(append(dst, `{"type":`...), i)
	if v.is(flagAddress) {
		dst = append(dst, `,"address":"`...)
		dst = append(appendHex(dst, v.addr), '"')
	}
	if v.is(flagNull) {
		dst = append(dst, `,"isNull":true`...)
	}
	if v.is(flagSize) {
		dst = append(dst, `,"size":"`...)
		dst = append(strconv.AppendUint(dst, v.size, 10), '"')
	}
	if v.is(flagCapacity) {
		dst = append(dst, `,"capacity":"`...)
		dst = append(strconv.AppendUint(dst, v.capacity, 10), '"')
	}
	if v.is(flagClosed) {
		dst = append(dst, `,"closed":true`...)
	}
	if v.is(flagTruncated) {
		dst = append(dst, `,"truncated":true`...)
	}
	if v.is(flagInvalidUTF8) {
		dst = append(dst, `,"invalidUtf8":true`...)
	}
	dst = s.appendContent(dst, v, i)
	if v.reason != captured {
		dst = append(dst, `,"notCapturedReason":"`...)
		dst = append(append(dst, v.reason...), '"')
	}
	return append(dst, '}')
}

// appendType appends the name of a value's type.
func (s *Snapshot) appendType(dst []byte, i int) []byte {
	v := &s.r.values[i]
	if !v.typ.tuple {
		return append(dst, v.typ.name...)
	}
	dst = append(dst, `"(`...)
	for c := i + 1; c < int(v.end); c = int(s.r.values[c].end) {
		if c > i+1 {
			dst = append(dst, ", "...)
		}
		name := s.r.values[c].typ.name
		dst = append(dst, name[1:len(name)-1]...) // without the quotes
	}
	return append(dst, `)"`...)
}

func (s *Snapshot) appendContent(dst []byte, v *value, i int) []byte {
	switch v.content {
	case contentScalar:
		dst = append(dst, `,"value":"`...)
		return append(appendScalar(dst, v.shape, v.data, 'f'), '"')
	case contentString:
		// The only error is about bytes that are not UTF-8; they are replaced,
		// and the value is already marked.
		dst, _ = jsontext.AppendQuote(append(dst, `,"value":`...), v.data)
		return dst
	case contentTime:
		dst = append(dst, `,"value":"`...)
		return append(s.appendTime(dst, v), '"')
	case contentFunction:
		dst, _ = jsontext.AppendQuote(append(dst, `,"value":`...), s.symbol(v.capacity))
		return dst
	case contentID:
		dst = append(dst, `,"value":"`...)
		return append(appendDecimal(dst, v.data), '"')
	case contentState:
		dst = append(dst, `,"value":"`...)
		return append(v.shape.plain.appendState(dst, v.data), '"')
	case contentEntries:
		return s.appendEntries(append(dst, `,"entries":[`...), i)
	case contentFields:
		dst = append(dst, `,"fields":{`...)
		dst = s.appendMembers(dst, i+1, int(v.end))
		return append(dst, '}')
	case contentElements:
		dst = append(dst, `,"elements":[`...)
		for c := i + 1; c < int(v.end); c = int(s.r.values[c].end) {
			if c > i+1 {
				dst = append(dst, ',')
			}
			dst = s.appendValue(dst, c)
		}
		return append(dst, ']')
	}
	return dst
}

// appendEntries appends the entries of a map, each an array of two, and closes
// the list.
func (s *Snapshot) appendEntries(dst []byte, i int) []byte {
	end := int(s.r.values[i].end)
	for c := i + 1; c < end; {
		if c > i+1 {
			dst = append(dst, ',')
		}
		dst = s.appendValue(append(dst, '['), c)
		c = int(s.r.values[c].end)
		dst = append(s.appendValue(append(dst, ','), c), ']')
		c = int(s.r.values[c].end)
	}
	return append(dst, ']')
}

// appendMembers appends the named values in [from, to), separated by commas.
func (s *Snapshot) appendMembers(dst []byte, from, to int) []byte {
	for c := from; c < to; c = int(s.r.values[c].end) {
		if c > from {
			dst = append(dst, ',')
		}
		dst = append(dst, s.r.values[c].label.key...)
		dst = s.appendValue(dst, c)
	}
	return dst
}
