package snapshot

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Bounds of the one-line form: it is a glance, AppendTree shows the rest.
const (
	lineMembers = 8  // fields or elements of one value
	lineBytes   = 64 // of a string
	lineDepth   = 4  // values in each other
)

// AppendText appends the hit as a terminal shows it, several lines, each with
// its line end:
//
//	main.handle(order=*main.Order{ID:42, Item:"tea"}, n=3) with total=5
//	  15:04:05.000000  goroutine 18  pid 4242  shop
//	    main.handle  /src/main.go:31
//	    main.main    /src/main.go:12
func (s *Snapshot) AppendText(dst []byte) []byte {
	return s.appendWhereabouts(s.appendCall(dst))
}

// AppendTree is AppendText with every captured value on a line of its own:
//
//	main.handle
//	  15:04:05.000000  goroutine 18  pid 4242  shop
//	  order *main.Order 0xc000012090
//	    ID int = 42
//	    Item string = "tea"
//	  n int = 3
//	  stack
//	    main.handle  /src/main.go:31
//	    main.main    /src/main.go:12
func (s *Snapshot) AppendTree(dst []byte) []byte {
	dst = append(append(dst, plain(s.layout.plan.Function)...), '\n')
	dst = s.appendMoment(dst)
	for i := 0; i < len(s.r.values); i = int(s.r.values[i].end) {
		dst = s.appendBranch(dst, i, 1, -1)
	}
	return s.appendFrames(append(dst, "  stack\n"...))
}

func (s *Snapshot) appendCall(dst []byte) []byte {
	dst = append(append(dst, plain(s.layout.plan.Function)...), '(')
	dst = append(s.appendNamed(dst, 0, s.locals), ')')
	if s.locals < s.results {
		dst = s.appendNamed(append(dst, " with "...), s.locals, s.results)
	}
	switch {
	case s.tail.to != "":
		dst = append(append(dst, " went on in "...), plain(s.tail.to)...)
		if s.duration != 0 {
			dst = append(append(dst, " after "...), time.Duration(s.duration).String()...)
		}
	case s.returned:
		dst = append(dst, " returned"...)
		if s.results < len(s.r.values) {
			dst = s.appendInline(append(dst, ' '), s.results, lineDepth)
		}
		if s.duration != 0 {
			dst = append(append(dst, " in "...), time.Duration(s.duration).String()...)
		}
	}
	return append(dst, '\n')
}

// appendNamed appends values with their names.
func (s *Snapshot) appendNamed(dst []byte, from, to int) []byte {
	for i := from; i < to; i = int(s.r.values[i].end) {
		if i > from {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, s.r.values[i].label.text...), '=')
		dst = s.appendInline(dst, i, lineDepth)
	}
	return dst
}

func (s *Snapshot) appendWhereabouts(dst []byte) []byte {
	return s.appendFrames(s.appendMoment(dst))
}

// appendMoment appends the line about when and where it happened.
func (s *Snapshot) appendMoment(dst []byte) []byte {
	dst = s.time.AppendFormat(append(dst, "  "...), "15:04:05.000000")
	dst = strconv.AppendUint(append(dst, "  goroutine "...), s.goroutine, 10)
	dst = strconv.AppendInt(append(dst, "  pid "...), int64(s.pid), 10)
	if s.process.Service != "" {
		dst = append(append(dst, "  "...), plain(s.process.Service)...)
	}
	return append(dst, '\n')
}

// widestFunction bounds the column of function names.
const widestFunction = 60

func (s *Snapshot) appendFrames(dst []byte) []byte {
	width := 0
	for i := range s.frames {
		if n := utf8.RuneCount(s.function(i)); n <= widestFunction {
			width = max(width, n)
		}
	}
	for i, f := range s.frames {
		name := s.function(i)
		dst = append(dst, "    "...)
		dst = append(dst, plain(string(name))...)
		if f.File != "" {
			dst = append(dst, bytes.Repeat([]byte{' '}, 2+max(0, width-utf8.RuneCount(name)))...)
			dst = append(append(dst, plain(f.File)...), ':')
			dst = strconv.AppendInt(dst, int64(f.Line), 10)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// appendShort appends the name of a value's type for terminals.
func (s *Snapshot) appendShort(dst []byte, i int) []byte {
	v := &s.r.values[i]
	if !v.typ.tuple {
		return append(dst, v.typ.short...)
	}
	dst = append(dst, '(')
	for c := i + 1; c < int(v.end); c = int(s.r.values[c].end) {
		if c > i+1 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, s.r.values[c].typ.short...)
	}
	return append(dst, ')')
}

// appendInline appends a value in the manner of a Go literal.
func (s *Snapshot) appendInline(dst []byte, i, depth int) []byte {
	v := &s.r.values[i]
	switch v.content {
	case contentFields, contentElements, contentEntries:
		if v.shape != nil && v.shape.kind == gotype.Interface && i+1 < int(v.end) && v.reason == captured {
			return s.appendInline(dst, i+1, depth) // what it holds says its type
		}
		dst = append(s.appendShort(dst, i), '{')
		dst = s.appendInlineMembers(dst, i, depth)
		return append(dst, '}')
	case contentNone:
		if v.is(flagNull) {
			return append(dst, "nil"...)
		}
		if v.reason == captured {
			return appendHex(dst, v.addr)
		}
		dst = append(append(dst, v.typ.short...), "{…"...)
		return append(append(dst, v.reason...), '}')
	}
	if v.typ == v.shape {
		return s.appendLeaf(dst, v, lineBytes)
	}
	dst = append(append(dst, v.typ.short...), '(')
	return append(s.appendLeaf(dst, v, lineBytes), ')')
}

func (s *Snapshot) appendInlineMembers(dst []byte, i, depth int) []byte {
	v := &s.r.values[i]
	shown := 0
	for c := i + 1; c < int(v.end); c = int(s.r.values[c].end) {
		if s.padding(c) {
			continue
		}
		if shown > 0 {
			dst = append(dst, ", "...)
		}
		if shown == lineMembers || depth == 0 {
			return append(dst, "…"...)
		}
		if lab := s.r.values[c].label; lab != nil {
			dst = append(append(dst, lab.text...), ':')
		}
		dst = s.appendInline(dst, c, depth-1)
		if v.content == contentEntries {
			c = int(s.r.values[c].end)
			dst = s.appendInline(append(dst, ':'), c, depth-1)
		}
		shown++
	}
	if v.reason == captured {
		return dst
	}
	if shown > 0 {
		dst = append(dst, ", "...)
	}
	return append(append(dst, "…"...), v.reason...)
}

// padding reports whether value i is a field without a name.
func (s *Snapshot) padding(i int) bool {
	lab := s.r.values[i].label
	return lab != nil && lab.blank
}

// appendLeaf appends what has no members; of a string at most limit bytes.
func (s *Snapshot) appendLeaf(dst []byte, v *value, limit int) []byte {
	switch v.content {
	case contentScalar:
		return appendScalar(dst, v.shape, v.data, 'g')
	case contentTime:
		return s.appendTime(dst, v)
	case contentFunction:
		return append(dst, plain(string(s.symbol(v.capacity)))...)
	case contentID:
		return appendDecimal(dst, v.data)
	case contentState:
		return v.shape.plain.appendState(dst, v.data)
	}
	text := v.data
	if len(text) > limit {
		text = wholeRunes(text[:limit])
	}
	dst = strconv.AppendQuote(dst, string(text))
	if size := max(v.size, uint64(len(v.data))); uint64(len(text)) < size {
		dst = strconv.AppendUint(append(dst, "…("...), size, 10)
		dst = append(dst, " bytes)"...)
	}
	return dst
}

// appendBranch appends the line of a value and those of what lies in it.
// element is its position among the elements of a slice or array, or -1.
func (s *Snapshot) appendBranch(dst []byte, i, indent, element int) []byte {
	v := &s.r.values[i]
	dst = append(dst, bytes.Repeat([]byte("  "), indent)...)
	if v.label != nil {
		dst = append(dst, v.label.text...)
	} else {
		dst = append(strconv.AppendInt(append(dst, '['), int64(element), 10), ']')
	}
	return s.appendBranchRest(dst, i, indent)
}

// appendBranchRest appends a value after its name.
func (s *Snapshot) appendBranchRest(dst []byte, i, indent int) []byte {
	v := &s.r.values[i]
	dst = s.appendShort(append(dst, ' '), i)
	if v.is(flagAddress) {
		dst = appendHex(append(dst, ' '), v.addr)
	}
	if v.is(flagNull) {
		dst = append(dst, " = nil"...)
	}
	if v.content == contentElements || v.is(flagSize) && v.content != contentString {
		dst = strconv.AppendUint(append(dst, " len "...), v.size, 10)
	}
	if v.is(flagCapacity) {
		dst = strconv.AppendUint(append(dst, " cap "...), v.capacity, 10)
	}
	if v.is(flagClosed) {
		dst = append(dst, " closed"...)
	}
	switch v.content {
	case contentScalar, contentString, contentTime, contentFunction, contentID, contentState:
		dst = s.appendLeaf(append(dst, " = "...), v, len(v.data))
	}
	if v.reason != captured {
		dst = append(append(dst, " …"...), v.reason...)
	}
	dst = append(dst, '\n')
	element := 0
	for c := i + 1; c < int(v.end); c = int(s.r.values[c].end) {
		if s.padding(c) {
			continue
		}
		if v.content == contentEntries {
			dst = s.appendEntry(dst, c, indent+1)
			c = int(s.r.values[c].end)
			continue
		}
		dst = s.appendBranch(dst, c, indent+1, element)
		element++
	}
	return dst
}

// appendEntry appends an entry of a map: the key in brackets, in one line, where
// a field has its name.
func (s *Snapshot) appendEntry(dst []byte, key, indent int) []byte {
	dst = append(dst, bytes.Repeat([]byte("  "), indent)...)
	dst = append(s.appendInline(append(dst, '['), key, lineDepth), ']')
	return s.appendBranchRest(dst, int(s.r.values[key].end), indent)
}
