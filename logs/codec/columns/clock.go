package columns

import (
	"math/bits"
	"slices"
)

// layout is how a timestamp is written: digits of fixed widths between fixed
// bytes. Its value is one number, each field's digits in a base that makes the
// next field's carry come out right nearly always; it need not be the time, it
// only has to be exact and to grow with it.
type layout struct {
	text   []byte // with a mark for each field
	widths []int
	bases  []uint64
	size   int // bits of its largest value

	// Encoding: the latest value up to its last field.
	head  []byte
	above uint64
	tail  int // bytes behind the last field
}

const (
	maxLayouts  = 64
	layoutBytes = 256
	// maxYear and firstYear bound a year, so that a date with nanoseconds fits
	// in 64 bits.
	firstYear = 1900
	maxYears  = 400
)

// derive makes l the layout of an example; it is not ok if it cannot be one.
func (l *layout) derive(p *parsed) bool {
	*l = layout{text: append(l.text[:0], p.text...), widths: l.widths[:0], bases: l.bases[:0], head: l.head[:0]}
	date := isDate(p)
	product := uint64(1)
	field := 0
	for i, c := range l.text {
		l.tail++
		if c >= maxMark {
			continue
		}
		l.tail = 0
		if c != decimalMark {
			return false
		}
		w := p.runs[field].width
		before, after := byteAt(l.text, i-1), byteAt(l.text, i+1)
		base := uint64(0)
		switch {
		case date && field == 0:
			base = maxYears
		case date && field == 1:
			base = 13
		case date && field == 2:
			base = 32
		case w == 2 && after == ':' && before != ':':
			base = 24
		case w == 2 && (after == ':' || before == ':'):
			base = 60
		default:
			base = powers[w]
		}
		if product > ^uint64(0)/base {
			return false
		}
		product *= base
		l.size += bits.Len64(base - 1)
		l.widths = append(l.widths, w)
		l.bases = append(l.bases, base)
		field++
	}
	return field > 0
}

func byteAt(b []byte, i int) byte {
	if i < 0 || i >= len(b) {
		return ' '
	}
	return b[i]
}

// isDate reports whether the digits start with a year, a month and a day.
func isDate(p *parsed) bool {
	t := p.text
	return len(p.runs) >= 3 && p.runs[0].width == 4 && p.runs[1].width == 2 && p.runs[2].width == 2 && len(t) >= 5 &&
		t[0] == decimalMark && t[2] == decimalMark && t[4] == decimalMark && t[1] == t[3]
}

// value is the number of a timestamp; it is not ok if the layout is another.
func (l *layout) value(v []byte) (n uint64, ok bool) {
	// Most times differ from the one before in their last field alone.
	last := len(l.widths) - 1
	if k, end := len(l.head), len(v)-l.tail; k > 0 && end == k+l.widths[last] && string(v[:k]) == string(l.head) &&
		string(v[end:]) == string(l.text[len(l.text)-l.tail:]) {
		if r := decimals(v[:end], k); r.width == l.widths[last] && r.value < l.bases[last] {
			return l.above*l.bases[last] + r.value, true
		}
	}
	n, ok = l.parse(v)
	if k := len(v) - l.tail - l.widths[last]; ok && last > 0 {
		l.head, l.above = append(l.head[:0], v[:k]...), n/l.bases[last]
	}
	return n, ok
}

// parse is value without a look at the one before.
func (l *layout) parse(v []byte) (n uint64, ok bool) {
	at, field := 0, 0
	for _, c := range l.text {
		if c >= maxMark {
			if at >= len(v) || v[at] != c {
				return 0, false
			}
			at++
			continue
		}
		w := l.widths[field]
		if at+w > len(v) {
			return 0, false
		}
		var d uint64
		for _, c := range v[at : at+w] {
			if c < '0' || c > '9' {
				return 0, false
			}
			d = d*10 + uint64(c-'0')
		}
		base := l.bases[field]
		if base == maxYears {
			d -= firstYear
		}
		if d >= base {
			return 0, false
		}
		n = n*base + d
		at += w
		field++
	}
	return n, at == len(v)
}

// render appends the timestamp of a number.
func (l *layout) render(dst []byte, n uint64) []byte {
	from := len(dst)
	field := len(l.widths)
	size := len(l.text) - field
	for _, w := range l.widths {
		size += w
	}
	for range size {
		dst = append(dst, 0)
	}
	at := from + size
	for _, c := range slices.Backward(l.text) {
		if c >= maxMark {
			at--
			dst[at] = c
			continue
		}
		field--
		base := l.bases[field]
		d := n % base
		n /= base
		if base == maxYears {
			d += firstYear
		}
		for range l.widths[field] {
			at--
			dst[at] = byte('0' + d%10)
			d /= 10
		}
	}
	return dst
}

// clockValue codes a timestamp of a lane: as a step from the latest in its layout,
// or, after an escape, in a layout that the slot has from then on, or like any
// other value; there are no values to copy then, because the line's other columns
// come later.
func (s *state) clockValue(sl *slot, lane int, v, dst []byte) (value, rest []byte) {
	for switched := false; ; switched = true {
		r := s.register(&s.lanes.list[lane], sl.layout)
		if r == nil {
			s.near.left = 0
			return s.slotValue(sl, v, dst)
		}
		lay := &s.layouts[sl.layout]
		var n uint64
		ok := true
		if s.encoding {
			n, ok = lay.value(v)
		}
		d, ok := s.maybeNumber(r.diff, int64(n-r.value), ok)
		if ok {
			r.value += uint64(d)
			sl.stepped(d)
			if s.encoding {
				return v, dst
			}
			from := len(dst)
			dst = lay.render(dst, r.value)
			return dst[from:len(dst):len(dst)], dst
		}
		if switched {
			s.fail("a timestamp is in no layout")
			return nil, dst
		}
		if !s.switchLayout(sl, v) {
			sl.stepped(escapedStep)
			s.near.left = 0
			return s.slotValue(sl, v, dst)
		}
	}
}

// switchLayout codes the layout of a value that is in another one than its slot
// has; it is not ok if it is in none.
func (s *state) switchLayout(sl *slot, v []byte) bool {
	choice := 0
	if s.encoding {
		choice = s.layoutOf(v)
	}
	choice = s.count(choice, len(s.layouts)+1)
	if choice == 0 {
		return false
	}
	if choice > len(s.layouts) {
		s.defineLayout(v)
	}
	if s.bad {
		return false
	}
	sl.layout = choice - 1
	return true
}

// layoutOf is 1 and the number of the layout of a value, which may be a new one, or
// 0.
func (s *state) layoutOf(v []byte) int {
	for i := range s.layouts {
		if _, ok := s.layouts[i].value(v); ok {
			return 1 + i
		}
	}
	if _, ok := s.exampleOf(v); ok && len(s.layouts) < maxLayouts && s.bytes+layoutBytes <= s.maxBytes {
		return 1 + len(s.layouts)
	}
	return 0
}

// exampleOf is the layout of which a value is an example, valid until the next
// call; it is not ok if there is none.
func (s *state) exampleOf(v []byte) (layout, bool) {
	l := &s.example
	if !s.parse.parse(v) || !l.derive(&s.parse) || !l.steady() {
		return *l, false
	}
	_, ok := l.value(v)
	return *l, ok
}

// escapedStep is what a value without a layout counts for.
const escapedStep = 1 << 40

// stepped averages the bits of the steps of a slot's timestamps.
func (sl *slot) stepped(d int64) {
	if d < 0 {
		d = -d
	}
	sl.step += (int32(bits.Len64(uint64(d))*64) - sl.step) >> 4
}

// settle ends the use of steps where they have not been smaller than the digits.
func (sl *slot) settle(l *layout) {
	if sl.clock && int(sl.step) > (l.size-3)*64 {
		sl.clock = false
	}
}

// steady reports whether values of a layout are worth a register: they have the
// look of a time of day, or of the time since 1970 in some unit.
func (l *layout) steady() bool {
	if len(l.widths) > 1 {
		return slices.Contains(l.text, ':') || l.bases[0] == maxYears
	}
	switch l.widths[0] {
	case 6, 10, 13, 16:
		return true
	}
	return false
}
