package pattern

import (
	"encoding/binary"
	"math/bits"
)

// The hash is fixed, not seeded per process: equal input must give equal output
// everywhere. Whoever can choose log lines can make them collide, which costs
// compression and never correctness, because matches compare bytes.
const (
	hashSeed  = 0x9e3779b97f4a7c15
	hashPrime = 0xd6e8feb86659fd93
)

func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^hashSeed, hashPrime)
	return hi ^ lo
}

// Hash is a 64-bit hash of b, the same in every process.
func Hash(b []byte) uint64 {
	h := uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h = mix(h, binary.LittleEndian.Uint64(b))
	}
	var tail uint64
	for i, c := range b {
		tail |= uint64(c) << (8 * i)
	}
	return mix(h, tail)
}

// signature hashes what lines of one pattern must share: the classes of their
// tokens, and the bytes of white space and punctuation. first is the index of the
// first Word, or -1.
func signature(line []byte, toks []Token) (sig uint64, first, words int) {
	first = -1
	start := uint32(0)
	for i, t := range toks {
		c := uint64(classOf[t.Kind])
		switch t.Kind {
		case Space, Punct:
			// A run of one byte is hashed as the byte and its length; white space
			// may mix several bytes.
			c |= uint64(line[start])<<8 | uint64(t.End-start)<<16
			if t.Kind == Space && t.End-start > 1 {
				c ^= Hash(line[start:t.End])
			}
		case Word:
			if first < 0 {
				first = i
			}
			words++
		}
		sig = mix(sig, c)
		start = t.End
	}
	return sig, first, words
}
