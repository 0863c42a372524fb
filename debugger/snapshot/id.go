package snapshot

import (
	"crypto/rand"

	"github.com/google/uuid"
)

// idPool makes random UUIDs (RFC 9562, version 4) from random bytes that are
// read many at a time. uuid's own pool is one for the whole program.
type idPool struct {
	random [64 * len(uuid.UUID{})]byte
	used   int
}

func newIDPool() *idPool {
	p := &idPool{}
	p.used = len(p.random)
	return p
}

func (p *idPool) next() uuid.UUID {
	if p.used == len(p.random) {
		_, _ = rand.Read(p.random[:]) // never fails (crypto/rand)
		p.used = 0
	}
	var id uuid.UUID
	p.used += copy(id[:], p.random[p.used:])
	id[6] = id[6]&0x0f | 4<<4 // version
	id[8] = id[8]&0x3f | 2<<6 // variant
	return id
}

// appendID appends the text form. uuid.UUID's own methods allocate it.
func appendID(dst []byte, id uuid.UUID) []byte {
	const digits = "0123456789abcdef"
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}
