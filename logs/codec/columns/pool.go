package columns

import "unsafe"

// pool cuts the parts of an encoder's models from larger chunks, because there are
// very many small ones. Nothing is given back before the state as a whole is: taken
// says how much that is, so that the encoder can start afresh when it is too much.
// A pool of a decoder makes each part on its own: what a hostile stream drops must
// be free at once.
type pool struct {
	chunks bool
	taken  int // bytes

	bytes     []byte
	counts    []uint16
	words     []uint64
	ends      []uint32
	offsets   []int
	numbers   []number
	sparses   []sparse
	leads     []lead
	fields    []field
	shapes    []shape
	items     []item
	indexes   []index
	slots     []slot
	templates []template
}

// chunkBytes is the size of a chunk. What is larger than a quarter of it is made on
// its own.
const chunkBytes = 32 << 10

// take is n zero elements, cut from what is free of a chunk of p.
func take[T any](p *pool, free *[]T, n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if !p.chunks || n*size > chunkBytes/4 {
		return make([]T, n)
	}
	if n > len(*free) {
		*free = make([]T, chunkBytes/size)
		p.taken += chunkBytes
	}
	part := (*free)[:n:n]
	*free = (*free)[n:]
	return part
}

// push appends v to a slice from the pool.
func push[T any](p *pool, free *[]T, to []T, v T) []T {
	if len(to) == cap(to) {
		const least = 4
		more := take(p, free, max(least, 2*cap(to)))
		to = more[:copy(more, to)]
	}
	return append(to, v)
}

// clone is a copy of b.
func (p *pool) clone(b []byte) []byte {
	c := take(p, &p.bytes, len(b))
	copy(c, b)
	return c
}

// symbols is a model of n symbols that are equally likely.
func (p *pool) symbols(n int) symbols {
	s := symbols{total: uint32(n), n: n, words: take(p, &p.words, wordsFor(n))}
	for i := range s.words {
		s.words[i] = allOnes
	}
	if k := n % perWord; k > 0 {
		s.words[len(s.words)-1] >>= (perWord - k) * countBits
	}
	return s
}

// add makes the alphabet of a model one symbol larger.
func (p *pool) add(s *symbols, count uint32) {
	if s.n%perWord == 0 {
		s.words = push(p, &p.words, s.words, 0)
	}
	s.n++
	s.set(s.n-1, count)
}
