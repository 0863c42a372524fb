package columns

import "slices"

// sparse is the adaptive model of the few symbols, of a large alphabet, that occur
// in one context.
type sparse struct {
	symbols       // the first stands for all symbols that are not listed
	list    []int // the others
	hand    int   // the next to be replaced
}

// sparseBytes is what a sparse weighs with room for n symbols.
func sparseBytes(n int) int { return 64 + 10*n }

// sparse codes a symbol if the context lists it, and lists it for the next time if
// not. It is not ok if another model must code it; listing is then up to enter.
func (c *coder) sparse(m *sparse, sym int) (int, bool) {
	i := 0
	if c.encoding {
		i = slices.Index(m.list, sym) + 1
	}
	i = c.symbol(&m.symbols, i)
	if i == 0 {
		return 0, false
	}
	return m.list[i-1], true
}

// enter lists a symbol; a full list loses its rarest of a few.
func (m *sparse) enter(sym, limit int) {
	if len(m.list) < limit {
		m.list = append(m.list, sym)
		m.add(gain)
		return
	}
	at := m.hand
	for i := range min(replaceAmong, limit) {
		if n := (m.hand + i) % limit; m.counts[1+n] < m.counts[1+at] {
			at = n
		}
	}
	m.hand = (m.hand + 1) % limit
	m.list[at] = sym
	m.set(1+at, gain)
}

func newSparse(limit int) *sparse {
	m := &sparse{list: make([]int, 0, limit)}
	m.counts = make([]uint16, 1, limit+1)
	m.counts[0] = gain / 2
	m.total = gain / 2
	return m
}
