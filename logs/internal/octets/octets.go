// Package octets looks at eight bytes of text at a time: the bytes of a word hold
// one each, the first in the lowest byte.
package octets

import (
	"encoding/binary"
	"math/bits"
)

const (
	// Ones times a byte is that byte eight times.
	Ones = 0x0101010101010101
	// High is the high bit of each byte.
	High = 0x80 * Ones
)

// At is the bytes of b from an offset within it on, up to eight, with zeros behind
// the end.
func At(b []byte, at int) uint64 {
	left := len(b) - at
	if left >= 8 {
		return binary.LittleEndian.Uint64(b[at:])
	}
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b[len(b)-8:]) >> (64 - 8*left)
	}
	w := uint64(0)
	for i, c := range b[at:] {
		w |= uint64(c) << (8 * i)
	}
	return w
}

// Digits is the number of decimal digits that a word starts with.
func Digits(w uint64) int {
	d := w ^ '0'*Ones
	// The high bit of each byte that is no digit, exact up to the first of them.
	return bits.TrailingZeros64((d+(0x80-10)*Ones|d)&High) / 8
}
