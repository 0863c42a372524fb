package columns

import "math/bits"

// field models one run of digits at a fixed place of a slot's values: how many
// digits, the leading digits by their distribution, the others as they are; or,
// where that has been shorter, the difference from the value before.
type field struct {
	hex   bool
	octet bool
	width symbols
	lead  [leadWidths]*lead
	diff  *number
	prev  run
	same  int // values with the width of the one before, in a row
	// What recent values have taken or would have taken as a difference and as
	// digits, in sixteenths of a bit, averaged.
	asDiff, asDigits int32

	halves [2]symbols // of an octet: the upper and the lower four bits
	seen   int        // octets
}

// lead models the first digits of the values of one width.
type lead struct {
	digits [leadDigits]symbols
	seen   int
	plain  int // digits from this one on are equally likely
}

const (
	maxDecimal = 19 // digits of a decimal field; longer runs are several fields
	maxHex     = 16
	fixAfter   = 48 // values of one width after which others are not expected
	leadWidths = 8  // the last one is for all larger widths
	leadDigits = 2
	// testAfter is the number of values after which digits are tested for being
	// equally distributed, and again whenever there are twice as many.
	testAfter = 128

	fieldBytes = 256
	leadBytes  = 144
)

// powers are the powers of ten that fit in a field.
var powers = func() (p [maxDecimal + 1]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

func (p *pool) field(mark byte) field {
	if mark == octetMark {
		return field{octet: true, halves: [2]symbols{p.symbols(16), p.symbols(16)}}
	}
	return field{hex: mark != decimalMark, width: p.symbols(maxDecimal + 1)}
}

// run is a field's value: a number and its digits.
type run struct {
	value uint64
	width int
}

// fieldValue codes one value, whose width both sides may know: above 0.
func (s *state) fieldValue(f *field, r run, width int) run {
	if f.octet {
		return s.octet(f, r)
	}
	c := &s.coder
	if r.width, width = width, r.width; r.width == 0 {
		r.width = c.symbol(&f.width, width)
	}
	if f.hex && r.width > maxHex {
		s.fail("too many digits")
		r.width = maxHex
	}
	if f.asDiff < f.asDigits && (f.diff != nil || s.allowNumber(&f.diff)) {
		d := c.number(f.diff, int64(r.value-f.prev.value))
		r.value = f.prev.value + uint64(d)
	} else {
		r.value = s.digits(f, r)
	}
	f.learn(r)
	return r
}

// octet codes a number below 256 without leading zeros.
func (s *state) octet(f *field, r run) run {
	var halves [2]uint64
	for i := range halves {
		half := r.value >> (4 - 4*i) & 15
		if m := &f.halves[i]; m.n > 0 {
			halves[i] = uint64(s.symbol(m, int(half)))
		} else {
			halves[i] = s.plain(half, 4)
		}
	}
	f.seen++
	if testNow(f.seen) {
		for i := range f.halves {
			if m := &f.halves[i]; m.n > 0 && m.even() {
				*m = symbols{}
			}
		}
	}
	v := halves[0]<<4 | halves[1]
	return run{value: v, width: decimalWidth(v)}
}

// learn updates what the choice between difference and digits rests on.
func (f *field) learn(r run) {
	d := int64(r.value - f.prev.value)
	if d < 0 {
		d = -d
	}
	if r.width != f.prev.width {
		f.same = 0
	}
	f.same++
	f.prev = r
	// A difference also takes its magnitude and sign; a digit takes 3.3 bits or 4,
	// and more digits than that only seem to be random.
	asDiff, asDigits := int32(bits.Len64(uint64(d))*16+24), int32(r.width*53)
	if f.hex {
		asDigits = int32(r.width * 64)
	}
	if f.asDigits == 0 { // the first value differs from nothing
		f.asDiff, f.asDigits = asDigits+64, asDigits
		return
	}
	f.asDiff += (asDiff - f.asDiff) >> 3
	f.asDigits += (asDigits - f.asDigits) >> 3
}

// digits codes the digits of r from the left.
func (s *state) digits(f *field, r run) uint64 {
	c := &s.coder
	left, value := r.width, r.value
	var out uint64
	if l := s.leadOf(f, r.width); l != nil && l.plain > 0 {
		n := min(l.plain, left)
		for i := range n {
			left--
			d := 0
			if f.hex {
				d = c.symbol(&l.digits[i], int(value>>(4*left)&15))
				out = out<<4 | uint64(d)
				continue
			}
			if c.encoding {
				d = int(value / powers[left])
				value -= uint64(d) * powers[left]
			}
			d = c.symbol(&l.digits[i], d)
			out = out*10 + uint64(d)
		}
		l.learn()
	}
	if f.hex {
		rest := c.plain(value&(1<<(4*left)-1), 4*left)
		return out<<(4*left) | rest
	}
	if left == 0 {
		return out
	}
	// The upper part is below a number that wastes hardly any of its bits.
	parts := &rests[left]
	v := c.uniform(value>>parts.plain, parts.total) << parts.plain
	if parts.plain > 0 {
		v |= c.plain(value&(1<<parts.plain-1), parts.plain)
	}
	if v >= powers[left] {
		s.fail("a number has more digits than its width")
	}
	return out*powers[left] + v
}

// rest is how a number below a power of ten is coded: the lower bits plain, the upper
// part as one of total.
type rest struct {
	plain int
	total uint64
}

// rests are those of the powers.
var rests = func() (r [maxDecimal + 1]rest) {
	const upperBits = 12
	for i, n := range powers {
		r[i].plain = max(0, bits.Len64(n-1)-upperBits)
		r[i].total = (n-1)>>r[i].plain + 1
	}
	return r
}()

// leadOf is the model of the first digits of values of a width.
func (s *state) leadOf(f *field, width int) *lead {
	if width == 0 {
		return nil
	}
	i := uint(min(width, leadWidths) - 1)
	if f.lead[i] != nil {
		return f.lead[i]
	}
	if s.allow(leadBytes) {
		l := &take(&s.pool, &s.pool.leads, 1)[0]
		l.plain = min(width, leadDigits)
		n := 10
		if f.hex {
			n = 16
		}
		for j := range l.digits[:l.plain] {
			l.digits[j] = s.pool.symbols(n)
		}
		f.lead[i] = l
	}
	return f.lead[i]
}

// learn ends the modelling of digits that turn out to be equally distributed:
// their models cost time and save nothing.
func (l *lead) learn() {
	if l.seen++; !testNow(l.seen) {
		return
	}
	for l.plain > 0 {
		if !l.digits[l.plain-1].even() {
			return
		}
		l.plain--
		l.digits[l.plain] = symbols{}
	}
}

// testNow reports whether the nth value is one to test after.
func testNow(n int) bool { return n >= testAfter && n&(n-1) == 0 }

// even reports whether no symbol stands out.
func (s *symbols) even() bool {
	mean := s.total / uint32(s.n)
	for i := range s.n {
		if n := s.count(i); n > mean*2 || n < mean/3 {
			return false
		}
	}
	return true
}

// weighs is the state bytes of a field besides those of its struct.
func (f *field) weighs() int {
	n := 0
	for _, l := range f.lead {
		if l != nil {
			n += leadBytes
		}
	}
	if f.diff != nil {
		n += numberBytes
	}
	return n
}
