package loggen

import (
	"encoding/hex"
	"strconv"
	"time"
)

// field appends a drawn value to a line.
type field func(g *Generator, dst []byte) []byte

// integer is a number of d plus first, with leading zeros up to width.
func integer(first int64, d dist, width int) field {
	return func(g *Generator, dst []byte) []byte { return pad(dst, first+int64(g.chance.from(d)), width) }
}

// uniform is a number from first, one of n.
func uniform(first int64, n uint64) field {
	return func(g *Generator, dst []byte) []byte {
		return strconv.AppendInt(dst, first+int64(g.chance.below(n)), 10)
	}
}

// digits is that many digits.
func digits(n int) field {
	limit := uint64(1)
	for range n {
		limit *= 10
	}
	return func(g *Generator, dst []byte) []byte { return pad(dst, int64(g.chance.below(limit)), n) }
}

func pad(dst []byte, v int64, width int) []byte {
	for limit, n := int64(10), 1; n < width; n++ {
		if v < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}

// signed is any 64-bit number.
func signed(g *Generator, dst []byte) []byte {
	return strconv.AppendInt(dst, int64(g.chance.word()), 10)
}

// hexadecimal is n digits, n even and at most 32.
func hexadecimal(n int) field {
	return func(g *Generator, dst []byte) []byte {
		var b [16]byte
		for i := range n / 2 {
			b[i] = byte(g.chance.below(256))
		}
		return hex.AppendEncode(dst, b[:n/2])
	}
}

// uuid is a random UUID, version 4.
func uuid(g *Generator, dst []byte) []byte {
	var b [16]byte
	for i := range b {
		switch i {
		case 6:
			b[i] = 0x40 | byte(g.chance.below(16))
		case 8:
			b[i] = 0x80 | byte(g.chance.below(64))
		default:
			b[i] = byte(g.chance.below(256))
		}
	}
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		from := [...]int{0, 4, 6, 8, 10}[i]
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[from:end])
	}
	return dst
}

// suffix is n of the 27 letters and digits that generated names of pods end in.
func suffix(n int) field {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	return func(g *Generator, dst []byte) []byte {
		for range n {
			dst = append(dst, letters[g.chance.below(uint64(len(letters)))])
		}
		return dst
	}
}

// address is an IPv4 address whose first octets are given ("10.4.").
func address(prefix string, octets int) field {
	return func(g *Generator, dst []byte) []byte {
		dst = append(dst, prefix...)
		for i := range octets {
			if i > 0 {
				dst = append(dst, '.')
			}
			dst = strconv.AppendUint(dst, 1+g.chance.below(254), 10)
		}
		return dst
	}
}

// counter grows by a step of d each time.
func counter(first int64, d dist) field {
	v := first
	return func(g *Generator, dst []byte) []byte {
		v += int64(g.chance.from(d))
		return strconv.AppendInt(dst, v, 10)
	}
}

// pool is n values of f, each made when it first comes up; of which one is drawn
// by zipf(n, s).
func pool(n int, s float64, f field) field {
	d, values := zipf(n, s), make([][]byte, n)
	return func(g *Generator, dst []byte) []byte {
		i := g.chance.from(d)
		if values[i] == nil {
			values[i] = f(g, nil)
		}
		return append(dst, values[i]...)
	}
}

// pick is one of values, the first the most likely: zipf with the exponent s.
func pick(s float64, values ...string) field {
	d := zipf(len(values), s)
	return func(g *Generator, dst []byte) []byte { return append(dst, values[g.chance.from(d)]...) }
}

// clock is the line's time in a layout of package time; UTC. It draws nothing:
// the time is drawn once for each line.
func clock(layout string) field {
	return func(g *Generator, dst []byte) []byte {
		return time.UnixMicro(g.now).UTC().AppendFormat(dst, layout)
	}
}

// fixed is always the same, drawn once.
func fixed(f field) field { return pool(1, 0, f) }
