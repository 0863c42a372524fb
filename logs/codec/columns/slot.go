package columns

import (
	"bytes"

	"github.com/vigil-agent/vigil/logs/pattern"
)

// slot models the values at one place of a template. A value is, in this order of
// preference: one seen before, which the dictionary holds; the same as another
// value of its line; a shape with digits; plain text.
type slot struct {
	clock  bool
	layout int

	method  symbols // literal, the copies, the dictionary's entries
	entries []entry
	index   *index // encoding: finds entries
	hand    int    // where the search for an entry to replace goes on
	values  int    // seen, copies aside
	hits    int    // of them, in the dictionary
	off     bool   // no dictionary: it has not paid

	forms  symbols // text, new shape, the shapes
	shapes []shape
	parsed int // values that were given a shape, when encoding
}

// entry is a value of a slot's dictionary.
type entry struct {
	value []byte
	hash  uint64
}

const (
	methodLiteral = 0
	methodCopies  = 6 // values to the left in the line that may be copied
	methodEntries = 1 + methodCopies

	maxEntries    = 255
	maxEntryValue = 256 // bytes
	entryBytes    = 40
	replaceAmong  = 8
	// tryEntries is the number of values after which a dictionary must have paid.
	tryEntries = 96

	formText   = 0
	formNew    = 1
	formShapes = 2
)

func newSlot() slot {
	s := slot{method: newSymbols(methodEntries), forms: newSymbols(formShapes)}
	s.method.set(methodLiteral, gain/2)
	return s
}

// slotValue codes the value of one slot. line is the values of the line's slots to
// the left of it. Decoding, it returns the value, which is part of dst when it is
// new, and dst.
func (s *state) slotValue(sl *slot, line [][]byte, v, dst []byte) (value, rest []byte) {
	m := methodLiteral
	var hash uint64
	if s.encoding {
		m, hash = sl.choose(line, v)
	}
	m = s.symbol(&sl.method, m)
	switch {
	case m >= methodEntries:
		sl.values++
		sl.hits++
		if s.encoding {
			return v, dst
		}
		return sl.entries[m-methodEntries].value, dst
	case m > methodLiteral:
		if m > len(line) {
			s.fail("a copy of no value")
			return nil, dst
		}
		return line[len(line)-m], dst
	}
	v, dst = s.literal(sl, v, dst)
	s.enter(sl, v, hash)
	return v, dst
}

// choose is how to code a value.
func (sl *slot) choose(line [][]byte, v []byte) (method int, hash uint64) {
	if !sl.off && len(v) <= maxEntryValue {
		hash = pattern.Hash(v)
		if i := sl.find(v, hash); i >= 0 {
			method = methodEntries + i
		}
	}
	for m := 1; m <= min(len(line), methodCopies); m++ {
		if o := line[len(line)-m]; len(o) == len(v) && bytes.Equal(o, v) {
			if method == methodLiteral || sl.method.counts[m] > sl.method.counts[method] {
				method = m
			}
		}
	}
	return method, hash
}

// literal codes a value from nothing.
func (s *state) literal(sl *slot, v, dst []byte) (value, rest []byte) {
	form := formText
	if s.encoding {
		form = s.chooseForm(sl, v)
	}
	form = s.symbol(&sl.forms, form)
	switch form {
	case formText:
		return s.string(&s.text.lengths, v), dst
	case formNew:
		text := s.string(&s.text.lengths, s.parse.text)
		sh, ok := newShape(text)
		if !ok || len(sl.shapes) >= maxShapes || !s.allow(sh.weighs()) {
			s.fail("a new shape that is none, or has no room")
			return nil, dst
		}
		sl.shapes = append(sl.shapes, sh)
		sl.forms.add(gain)
		form = formShapes + len(sl.shapes) - 1
	}
	sh := &sl.shapes[form-formShapes]
	from := len(dst)
	dst = s.shapeValue(sh, s.parse.runs, dst)
	if s.encoding {
		return v, dst
	}
	return dst[from:len(dst):len(dst)], dst
}

// chooseForm takes a value apart and finds its shape.
func (s *state) chooseForm(sl *slot, v []byte) int {
	if !s.parse.parse(v) {
		return formText
	}
	if i := sameShape(sl.shapes, s.parse.text); i >= 0 {
		sl.parsed++
		return formShapes + i
	}
	// Values that differ in more than their digits are text.
	if n := len(sl.shapes); n >= maxShapes || n >= 4 && sl.parsed < shapesRatio*n ||
		s.bytes+shapeBytes+len(s.parse.text)+len(s.parse.runs)*fieldBytes > s.maxBytes {
		return formText
	}
	return formNew
}

// enter counts a literal value and gives it to the dictionary.
func (s *state) enter(sl *slot, v []byte, hash uint64) {
	if sl.off {
		return
	}
	sl.values++
	if sl.values >= tryEntries && sl.hits*2 < sl.values && len(sl.shapes) > 0 ||
		sl.values >= 4*tryEntries && sl.hits*16 < sl.values {
		s.dropEntries(sl)
		return
	}
	if sl.values > 1<<20 {
		sl.values, sl.hits = sl.values/2, sl.hits/2
	}
	if len(v) > maxEntryValue {
		return
	}
	if len(sl.entries) < maxEntries {
		if !s.allow(entryBytes + len(v)) {
			return
		}
		sl.entries = append(sl.entries, entry{value: bytes.Clone(v), hash: hash})
		sl.method.add(gain)
		if s.encoding {
			sl.link(len(sl.entries) - 1)
		}
		return
	}
	// The rarest of the next few makes room.
	at := sl.hand
	for i := range replaceAmong {
		if n := (sl.hand + i) % maxEntries; sl.method.counts[methodEntries+n] < sl.method.counts[methodEntries+at] {
			at = n
		}
	}
	sl.hand = (sl.hand + replaceAmong) % maxEntries
	e := &sl.entries[at]
	if !s.allow(max(0, len(v)-len(e.value))) {
		return
	}
	s.bytes -= max(0, len(e.value)-len(v))
	if s.encoding {
		sl.unlink(at)
	}
	if !s.encoding {
		e.value = nil // lines that have been decoded share it
	}
	e.value, e.hash = append(e.value[:0], v...), hash
	sl.method.set(methodEntries+at, gain)
	if s.encoding {
		sl.link(at)
	}
}

// dropEntries gives up the dictionary.
func (s *state) dropEntries(sl *slot) {
	for i := range sl.entries {
		s.bytes -= entryBytes + len(sl.entries[i].value)
	}
	literal := sl.method.counts[:methodEntries:methodEntries]
	sl.method = symbols{counts: literal}
	for _, n := range literal {
		sl.method.total += uint32(n)
	}
	sl.entries, sl.index, sl.off = nil, nil, true
}

// weighs is the state bytes of the slot.
func (sl *slot) weighs() int {
	n := slotBytes
	for i := range sl.entries {
		n += entryBytes + len(sl.entries[i].value)
	}
	for i := range sl.shapes {
		n += sl.shapes[i].weighs()
	}
	return n
}
