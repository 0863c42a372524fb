package columns

import "encoding/binary"

// bitStream is the bits of a batch that no model would make fewer: they bypass the
// arithmetic coder. The first bit is the lowest one of the first byte.
type bitStream struct {
	buf  []byte // encoding: whole words so far; decoding: all of it
	word uint64 // encoding: the bits behind buf
	used uint   // encoding: of word, below 64; decoding: of all
	bad  bool   // decoding: bits behind the end were asked for
}

// put appends the lower n bits of v, which has no others; n is at most 64.
func (b *bitStream) put(v uint64, n uint) {
	b.word |= v << b.used
	if b.used += n; b.used >= 64 {
		b.buf = binary.LittleEndian.AppendUint64(b.buf, b.word)
		b.used -= 64
		b.word = v >> (n - b.used)
	}
}

// take is the inverse of put.
func (b *bitStream) take(n uint) uint64 {
	at, skip := int(b.used/8), b.used%8
	b.used += n
	if at+9 > len(b.buf) {
		return b.takeLast(at, skip, n)
	}
	v := binary.LittleEndian.Uint64(b.buf[at:])>>skip | uint64(b.buf[at+8])<<(64-skip)
	return v & (1<<n - 1)
}

// takeLast is take near the end.
func (b *bitStream) takeLast(at int, skip, n uint) uint64 {
	if b.used > uint(len(b.buf))*8 {
		b.bad = true
		return 0
	}
	var last [9]byte
	copy(last[:], b.buf[at:])
	v := binary.LittleEndian.Uint64(last[:])>>skip | uint64(last[8])<<(64-skip)
	return v & (1<<n - 1)
}

// finish is all that was put, with zeros up to a whole byte.
func (b *bitStream) finish() []byte {
	for ; b.used > 0; b.used -= min(b.used, 8) {
		b.buf = append(b.buf, byte(b.word))
		b.word >>= 8
	}
	return b.buf
}

// done reports whether everything was taken, and nothing but zeros is left of the
// last byte.
func (b *bitStream) done() bool {
	if b.bad || b.used+7 < uint(len(b.buf))*8 {
		return false
	}
	return b.used%8 == 0 || b.buf[len(b.buf)-1]>>(b.used%8) == 0
}
