package columns

// layout is how a timestamp is written: digits of fixed widths between fixed
// bytes. Its value is one number, each field's digits in a base that makes the
// next field's carry come out right nearly always; it need not be the time, it
// only has to be exact and to grow with it.
type layout struct {
	text   []byte // with a mark for each field
	widths []int
	bases  []uint64
}

const (
	maxLayouts  = 64
	layoutBytes = 256
	// maxYear and firstYear bound a year, so that a date with nanoseconds fits
	// in 64 bits.
	firstYear = 1900
	maxYears  = 400
)

// newLayout derives a layout from an example; it is not ok if it cannot be one.
func newLayout(p *parsed) (layout, bool) {
	l := layout{text: append([]byte(nil), p.text...)}
	date := isDate(p)
	product := uint64(1)
	field := 0
	for i, c := range l.text {
		if c >= maxMark {
			continue
		}
		if c != decimalMark {
			return layout{}, false
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
			return layout{}, false
		}
		product *= base
		l.widths = append(l.widths, w)
		l.bases = append(l.bases, base)
		field++
	}
	return l, field > 0
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
	for i := len(l.text) - 1; i >= 0; i-- {
		if c := l.text[i]; c >= maxMark {
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

// clockValue codes a timestamp of a lane, or that it is in another layout.
func (s *state) clockValue(sl *slot, l *lane, v, dst []byte) (value, rest []byte) {
	lay := &s.layouts[sl.layout]
	r := s.register(l, sl.layout)
	if r == nil {
		return s.string(&s.text.lengths, v), dst
	}
	var n uint64
	ok := true
	if s.encoding {
		n, ok = lay.value(v)
	}
	d, ok := s.maybeNumber(r.diff, int64(n-r.value), ok)
	if !ok {
		return s.string(&s.text.lengths, v), dst
	}
	r.value += uint64(d)
	if s.encoding {
		return v, dst
	}
	from := len(dst)
	dst = lay.render(dst, r.value)
	return dst[from:len(dst):len(dst)], dst
}
