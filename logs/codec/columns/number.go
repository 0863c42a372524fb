package columns

import "math/bits"

// number models signed integers of unknown size: their magnitude and sign are one
// symbol, the two bits below the leading one another, the rest is plain.
type number struct {
	class symbols
	below [belowClasses][4]uint16
}

const (
	// numberClasses is zero, and each bit length with either sign.
	numberClasses = 1 + 2*64
	// escape is the class of no number at all.
	escape = numberClasses
	// belowClasses is the classes whose upper bits are modelled.
	belowClasses = 48

	// numberBytes is what a number weighs in the state.
	numberBytes = 2*(numberClasses+1) + 2*4*belowClasses
)

func (p *pool) number() *number {
	m := &take(p, &p.numbers, 1)[0]
	m.class = p.symbols(numberClasses + 1)
	for i := range m.below {
		m.below[i] = [4]uint16{1, 1, 1, 1}
	}
	return m
}

// number codes v.
func (c *coder) number(m *number, v int64) int64 {
	v, ok := c.maybeNumber(m, v, true)
	if !ok {
		c.bad = true
	}
	return v
}

// maybeNumber codes v, or that there is none.
func (c *coder) maybeNumber(m *number, v int64, ok bool) (int64, bool) {
	class := escape
	size := uint64(v)
	if v < 0 {
		size = -size
	}
	if ok {
		class = 2 * bits.Len64(size)
		if v > 0 {
			class--
		}
	}
	class = c.symbol(&m.class, class)
	if class == escape {
		return 0, false
	}
	if class == 0 {
		return 0, true
	}
	if n := (class+1)/2 - 1; n > 0 { // bits below the leading one
		size = c.below(m, class, n, size)
	} else {
		size = 1
	}
	if class&1 == 0 {
		return -int64(size), true
	}
	return int64(size), true
}

// below codes the n bits of size below its leading one.
func (c *coder) below(m *number, class, n int, size uint64) uint64 {
	size &= 1<<n - 1
	if class >= belowClasses {
		return 1<<n | c.plain(size, n)
	}
	counts := &m.below[class]
	if n == 1 {
		return 1<<n | uint64(c.quarter(counts, int(size&1)))&1
	}
	top := uint64(c.quarter(counts, int(size>>(n-2))))
	return 1<<n | top<<(n-2) | c.plain(size&(1<<(n-2)-1), n-2)
}

// quarter codes one of four symbols.
func (c *coder) quarter(counts *[4]uint16, sym int) int {
	one := uint32(counts[0])
	two := one + uint32(counts[1])
	three := two + uint32(counts[2])
	total := three + uint32(counts[3])
	unit := c.size / uint64(total)
	if !c.encoding {
		switch at := uint32(min(c.at/unit, uint64(total-1))); {
		case at < one:
			sym = 0
		case at < two:
			sym = 1
		case at < three:
			sym = 2
		default:
			sym = 3
		}
	}
	from := [4]uint32{0, one, two, three}[sym&3]
	c.narrow(unit*uint64(from), unit*uint64(counts[sym&3]))
	counts[sym&3] += gain
	if total > maxTotal {
		for i, n := range counts {
			counts[i] = n - n>>1
		}
	}
	return sym
}
