package die

import "encoding/binary"

// buffer reads from the start of data. Once something was cut, everything is 0.
type buffer struct {
	data []byte
	cut  bool
}

// take are the next n bytes.
func (b *buffer) take(n uint64) []byte {
	if n > uint64(len(b.data)) {
		b.data, b.cut = nil, true
		return nil
	}
	taken := b.data[:n]
	b.data = b.data[n:]
	return taken
}

func (b *buffer) byte() byte {
	if len(b.data) == 0 {
		b.cut = true
		return 0
	}
	v := b.data[0]
	b.data = b.data[1:]
	return v
}

// uint is an integer of n bytes, at most 8.
func (b *buffer) uint(n int) uint64 {
	var word [8]byte
	copy(word[:], b.take(uint64(n)))
	return binary.LittleEndian.Uint64(word[:])
}

// uvarint is an unsigned LEB128; bits beyond 64 are lost.
func (b *buffer) uvarint() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		c := b.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
}

// varint is a signed LEB128.
func (b *buffer) varint() (v int64) {
	for shift := uint(0); ; {
		c := b.byte()
		v |= int64(c&0x7f) << shift
		shift += 7
		if c < 0x80 {
			if c&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// text is a string up to its NUL.
func (b *buffer) text() []byte {
	for i, c := range b.data {
		if c == 0 {
			return b.take(uint64(i) + 1)[:i]
		}
	}
	b.data, b.cut = nil, true
	return nil
}
