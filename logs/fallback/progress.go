package fallback

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/vigil-agent/vigil/logs/record"
)

// progress remembers which records of a batch were taken before the rest failed: the
// batch comes again, whole or in parts, and a receiving side without sessions would
// store them once for each try.
type progress struct {
	seed  maphash.Seed
	taken []uint64 // fingerprints, in order
}

// skip is how many of recs were taken before. A batch that begins otherwise is
// another one, which forgets the one before.
func (p *progress) skip(recs []record.Record) int {
	n := 0
	for n < min(len(recs), len(p.taken)) && p.fingerprint(&recs[n]) == p.taken[n] {
		n++
	}
	if n > 0 && n == len(recs) {
		p.taken = p.taken[n:] // the next part follows
	} else {
		p.taken = p.taken[:0]
	}
	return n
}

// keep notes that recs were taken and what follows them was not.
func (p *progress) keep(recs []record.Record) {
	if len(recs) == 0 {
		return
	}
	if p.seed == (maphash.Seed{}) {
		p.seed = maphash.MakeSeed()
	}
	p.taken = p.taken[:0]
	for i := range recs {
		p.taken = append(p.taken, p.fingerprint(&recs[i]))
	}
}

// fingerprint tells lines apart, alike ones by where they were read.
func (p *progress) fingerprint(r *record.Record) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	var numbers [24]byte
	binary.LittleEndian.PutUint64(numbers[:], uint64(r.Time))
	binary.LittleEndian.PutUint64(numbers[8:], uint64(r.Origin.End))
	binary.LittleEndian.PutUint64(numbers[16:], uint64(len(r.Message)))
	_, _ = h.Write(numbers[:])
	_, _ = h.Write(r.Message)
	_, _ = h.WriteString(r.Origin.Source)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(r.Tags)
	return h.Sum64()
}
