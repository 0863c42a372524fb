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
	total  uint32
	counts []uint16
}

// set changes the count of one symbol.
func (s *symbols) set(i int, count uint16) {
	s.total += uint32(count) - uint32(s.counts[i])
	s.counts[i] = count
}

// symbol codes a symbol of the model's alphabet and adapts the model.
func (c *coder) symbol(s *symbols, sym int) int {
	unit := c.size / uint64(s.total)
	var from uint32
	if c.encoding {
		for _, n := range s.counts[:sym] {
			from += uint32(n)
		}
	} else {
		at := uint32(min(c.at/unit, uint64(s.total-1)))
		sym = 0
		for n := uint32(s.counts[0]); at >= from+n; n = uint32(s.counts[sym]) {
			from += n
			sym++
		}
	}
	n := &s.counts[sym]
	c.narrow(unit*uint64(from), unit*uint64(*n))
	*n += gain
	s.total += gain
	if s.total > maxTotal {
		s.halve()
	}
	return sym
}

func (s *symbols) halve() {
	s.total = 0
	for i, n := range s.counts {
		n -= n >> 1
		s.counts[i] = n
		s.total += uint32(n)
	}
}
