package pattern

import (
	"encoding/binary"
	"math/bits"

	"github.com/vigil-agent/vigil/logs/internal/octets"
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
	at := 0
	for ; at+8 <= len(b); at += 8 {
		h = mix(h, binary.LittleEndian.Uint64(b[at:]))
	}
	return mix(h, octets.At(b, at))
}

// signature hashes what lines of one pattern must share: the classes of their
// tokens, and the bytes of separators and keys. first is the index of the first
// Word, or -1.
func signature(toks []Token) (sig uint64, first int) {
	first = -1
	for i, t := range toks {
		c := classOf[t.Kind&(kinds-1)]
		if c == classWord && first < 0 {
			first = i
		}
		sig = (sig + (uint64(c) | uint64(t.text)<<8)) * hashPrime
	}
	return mix(sig, 0), first
}
