package columns

import "math/bits"

// number models signed integers of unknown size: their magnitude and sign are one
// symbol, the bits below the leading one are plain.
type number struct {
	class symbols
}

const (
	// numberClasses is zero, and each bit length with either sign.
	numberClasses = 1 + 2*64
	// escape is the class of no number at all.
	escape = numberClasses
	// numberBytes is what a number weighs in the state.
	numberBytes = 2 * (numberClasses + 1)
)

func (p *pool) number() *number {
	m := &take(p, &p.numbers, 1)[0]
	m.class = p.symbols(numberClasses + 1)
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
	if c.encoding {
		c.encodeSymbol(&m.class, uint(class))
	} else {
		class = c.decodeSymbol(&m.class)
	}
	if class == escape {
		return 0, false
	}
	if class == 0 {
		return 0, true
	}
	n := (class+1)/2 - 1 // bits below the leading one
	size = 1<<n | c.plain(size&(1<<n-1), n)
	if class&1 == 0 {
		return -int64(size), true
	}
	return int64(size), true
}
