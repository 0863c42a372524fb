package columns

import (
	"encoding/binary"
	"math/bits"
)

// coder is an arithmetic coder that runs in both directions: a call encodes its
// argument and returns it, or ignores its argument and returns what it decodes.
// One description of a batch, written once, is thus both its encoder and its
// decoder.
//
// The interval is [low, low+size) of 64-bit fractions; size stays at 2^32 or more
// between calls.
type coder struct {
	encoding bool
	bits     bitStream // what bypasses the coder
	low      uint64    // encoding: start of the interval
	size     uint64
	at       uint64 // decoding: where the data points in the interval
	buf      []byte // encoding: the output; decoding: the input
	pos      int    // decoding: the next byte of buf
	bad      bool   // decoding: the data points outside the interval
}

// startEncoding starts a batch whose coded bytes are written over dst, and whose plain
// bits over bits.
func (c *coder) startEncoding(dst, bits []byte) {
	*c = coder{encoding: true, size: ^uint64(0), buf: dst[:0], bits: bitStream{buf: bits[:0]}}
}

func (c *coder) startDecoding(data, bits []byte) {
	*c = coder{size: ^uint64(0), buf: data, bits: bitStream{buf: bits}}
	c.at = uint64(c.word())<<32 | uint64(c.word())
}

// word is the next four bytes; behind the end there are zeros.
func (c *coder) word() uint32 {
	if c.pos+4 <= len(c.buf) {
		v := binary.BigEndian.Uint32(c.buf[c.pos:])
		c.pos += 4
		return v
	}
	var b [4]byte
	if c.pos < len(c.buf) {
		copy(b[:], c.buf[c.pos:])
	}
	c.pos += 4
	return binary.BigEndian.Uint32(b[:])
}

// narrow keeps the part of the interval that starts at from and spans size.
func (c *coder) narrow(from, size uint64) {
	if !c.encoding {
		c.at -= from
		if c.at >= size {
			c.bad = true
			c.at = 0
		}
		if size < 1<<32 {
			c.at = c.at<<32 | uint64(c.word())
			size <<= 32
		}
		c.size = size
		return
	}
	low := c.low + from
	if low < from {
		c.carry()
	}
	c.low, c.size = low, size
	if size < 1<<32 {
		c.write()
	}
}

// write writes four bytes.
func (c *coder) write() {
	c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(c.low>>32))
	c.low <<= 32
	c.size <<= 32
}

// carry adds one to what has been written.
func (c *coder) carry() {
	for i := len(c.buf) - 1; i >= 0; i-- {
		c.buf[i]++
		if c.buf[i] != 0 {
			return
		}
	}
}

// finish writes the fewest bytes that point into the interval.
func (c *coder) finish() []byte {
	for n := 0; ; n += 8 {
		rest := ^uint64(0) >> n
		v, carry := bits.Add64(c.low, rest, 0)
		v &^= rest
		if n == 64 {
			v, carry = c.low, 0
		}
		if v-c.low >= c.size {
			continue
		}
		if carry != 0 {
			c.carry()
		}
		for shift := 56; n > 0; n, shift = n-8, shift-8 {
			c.buf = append(c.buf, byte(v>>shift))
		}
		break
	}
	for len(c.buf) > 0 && c.buf[len(c.buf)-1] == 0 {
		c.buf = c.buf[:len(c.buf)-1]
	}
	return c.buf
}

// done reports whether the input was decoded to its end and is what an encoder
// writes.
func (c *coder) done() bool {
	return !c.bad && c.bits.done() && c.pos >= len(c.buf) && (len(c.buf) == 0 || c.buf[len(c.buf)-1] != 0)
}

// uniform codes one of total equally likely values; total is at most 1<<16.
func (c *coder) uniform(v uint64, total uint64) uint64 {
	unit := c.size / total
	if !c.encoding {
		v = min(c.at/unit, total-1)
	}
	c.narrow(v*unit, unit)
	return v
}

// plain codes the n bits that v has as they are, past the coder.
func (c *coder) plain(v uint64, n int) uint64 {
	if c.encoding {
		c.bits.put(v, uint(n))
		return v
	}
	return c.bits.take(uint(n))
}
