package columns

import (
	"encoding/binary"

	"github.com/vigil-agent/vigil/logs/internal/octets"
)

// decimals reads the decimal digits of v from at on, up to maxDecimal.
func decimals(v []byte, at int) run {
	d, n := decimals8(octets.At(v, at))
	if n < 8 {
		return run{value: d, width: n}
	}
	r := run{value: d, width: 8}
	if at+8 < len(v) {
		d, n = decimals8(octets.At(v, at+8))
		r.value, r.width = r.value*powers[n]+d, 8+n
	}
	if r.width < 16 {
		return r
	}
	for ; r.width < maxDecimal && at+r.width < len(v) && v[at+r.width]-'0' < 10; r.width++ {
		r.value = r.value*10 + uint64(v[at+r.width]-'0')
	}
	return r
}

// decimals8 is the number that the decimal digits at the start of a word make, and
// how many there are.
func decimals8(w uint64) (uint64, int) {
	n := octets.Digits(w)
	if n == 0 {
		return 0, 0
	}
	// The digits go to the upper end; zeros before them change nothing.
	d := (w ^ '0'*octets.Ones) << (64 - 8*n)
	d = (d*10 + d>>8) & 0x00ff00ff00ff00ff
	d = (d*100 + d>>16) & 0x0000ffff0000ffff
	return (d*10000 + d>>32) & 0xffffffff, n
}

// hexadecimals reads the hexadecimal digits of v from at on, in the case of a mark, up
// to maxHex.
func hexadecimals(v []byte, at int, mark byte) run {
	var r run
	lower := uint64(0) // what makes letters of the other case none
	if mark == lowerHexMark {
		lower = 0x20 * octets.Ones
	}
	for at+r.width+8 <= len(v) && r.width < maxHex {
		d, ok := hexadecimals8(binary.LittleEndian.Uint64(v[at+r.width:]), lower)
		if !ok {
			break
		}
		r.value, r.width = r.value<<32|d, r.width+8
	}
	digits := &hexDigits[mark-lowerHexMark]
	for r.width < maxHex && at+r.width < len(v) {
		d := digits[v[at+r.width]]
		if d > 15 {
			break
		}
		r.value = r.value<<4 | uint64(d)
		r.width++
	}
	return r
}

// hexadecimals8 is the number that eight hexadecimal digits make; it is not ok if they
// are others. Letters are those of upper case, xor lower.
func hexadecimals8(w, lower uint64) (uint64, bool) {
	// The high bit of each byte that is a digit, and of each that is a letter.
	digit := (w + (0x80-'0')*octets.Ones) &^ (w + (0x80-'9'-1)*octets.Ones)
	up := w ^ lower
	letter := (up + (0x80-'A')*octets.Ones) &^ (up + (0x80-'F'-1)*octets.Ones)
	if (digit|letter)&^w&octets.High != octets.High || w&octets.High != 0 {
		return 0, false
	}
	d := w&(0x0f*octets.Ones) + letter>>7&octets.Ones*9
	d = (d<<4 | d>>8) & 0x00ff00ff00ff00ff
	d = (d<<8 | d>>16) & 0x0000ffff0000ffff
	return (d<<16 | d>>32) & 0xffffffff, true
}

// hexDigits are the values of lower case hexadecimal digits and of upper case ones,
// above 15 for other bytes.
var hexDigits = func() (t [2][256]uint8) {
	for i, digits := range [2]string{"0123456789abcdef", "0123456789ABCDEF"} {
		for c := range t[i] {
			t[i][c] = 16
		}
		for d, c := range []byte(digits) {
			t[i][c] = uint8(d)
		}
	}
	return t
}()
