package columns

// Adaptation: a symbol that occurs gains gain; when the sum passes maxTotal all
// counts are halved, so that a model remembers about maxTotal/gain symbols.
const (
	gain     = 24
	maxTotal = 1 << 15
)

// symbols is the adaptive model of a small alphabet: how often each symbol has
// occurred.
type symbols struct {
	total uint32
	n     int // symbols
	// words holds the counts, four to a word, the first in the lowest bits, so that
	// four are added at once. No sum of them reaches 2^16.
	words []uint64
}

const (
	countBits  = 16
	countMask  = 1<<countBits - 1
	perWord    = 64 / countBits
	allOnes    = 1 | 1<<countBits | 1<<(2*countBits) | 1<<(3*countBits)
	lowerHalfs = allOnes * (countMask >> 1)
)

// wordsFor is the number of words of n counts.
func wordsFor(n int) int { return (n + perWord - 1) / perWord }

// sumOf is the sum of the counts of a word.
func sumOf(w uint64) uint32 { return uint32(w * allOnes >> (64 - countBits)) }

// count is the count of one symbol.
func (s *symbols) count(i int) uint32 {
	return uint32(s.words[i/perWord] >> (i % perWord * countBits) & countMask)
}

// set changes the count of one symbol.
func (s *symbols) set(i int, count uint32) {
	was := s.count(i)
	s.words[i/perWord] += (uint64(count) - uint64(was)) << (i % perWord * countBits)
	s.total += count - was
}

// cut keeps the first n symbols.
func (s *symbols) cut(n int) {
	for i := n; i < s.n; i++ {
		s.set(i, 0)
	}
	s.n, s.words = n, s.words[:wordsFor(n)]
}

// symbol codes a symbol of the model's alphabet and adapts the model.
func (c *coder) symbol(s *symbols, sym int) int {
	if c.encoding {
		c.encodeSymbol(s, uint(sym))
		return sym
	}
	return c.decodeSymbol(s)
}

func (c *coder) encodeSymbol(s *symbols, sym uint) {
	unit := c.size / uint64(s.total)
	before := s.words[:sym/perWord+1]
	at := &before[len(before)-1]
	word := *at
	shift := sym % perWord * countBits
	sum := word & (1<<(shift&63) - 1)
	before = before[:len(before)-1]
	for len(before) >= 4 {
		sum += before[0] + before[1] + before[2] + before[3]
		before = before[4:]
	}
	for _, w := range before {
		sum += w
	}
	*at = word + gain<<(shift&63)
	s.total += gain
	if s.total > maxTotal {
		s.halve()
	}
	from := unit * uint64(sumOf(sum))
	size := unit * (word >> (shift & 63) & countMask)
	low := c.low + from
	if low < from {
		c.carry()
	}
	c.low, c.size = low, size
	if size < 1<<32 {
		c.write()
	}
}

func (c *coder) decodeSymbol(s *symbols) int {
	unit := c.size / uint64(s.total)
	left := uint32(min(c.at/unit, uint64(s.total-1)))
	goal := left
	at, word := 0, uint64(0)
	for ; ; at++ {
		word = s.words[at]
		n := sumOf(word)
		if left < n {
			break
		}
		left -= n
	}
	shift := uint(0)
	count := uint32(word & countMask)
	for left >= count {
		left -= count
		shift += countBits
		count = uint32(word >> (shift & 63) & countMask)
	}
	c.narrow(unit*uint64(goal-left), unit*uint64(count))
	s.words[at] = word + gain<<(shift&63)
	s.total += gain
	if s.total > maxTotal {
		s.halve()
	}
	return at*perWord + int(shift/countBits)
}

func (s *symbols) halve() {
	sum := uint64(0)
	for i, w := range s.words {
		w -= w >> 1 & lowerHalfs
		s.words[i] = w
		sum += w
	}
	s.total = sumOf(sum)
}
