package columns

import "slices"

// sparse is the adaptive model of the few symbols, of a large alphabet, that occur
// in one context.
type sparse struct {
	symbols          // the first stands for all symbols that are not listed
	list    []uint16 // the others: templates
	hand    int      // the next to be replaced
}

// sparseBytes is what a sparse weighs with room for n symbols.
func sparseBytes(n int) int { return 64 + 10*n }

// sparse codes a symbol if the context lists it, and lists it for the next time if
// not. It is not ok if another model must code it; listing is then up to enter.
func (c *coder) sparse(m *sparse, sym int) (int, bool) {
	i := 0
	if c.encoding {
		i = slices.Index(m.list, uint16(sym)) + 1
	}
	i = c.symbol(&m.symbols, i)
	if i == 0 {
		return 0, false
	}
	return int(m.list[i-1]), true
}

// enter lists a symbol; a full list loses its rarest of a few.
func (m *sparse) enter(p *pool, sym, limit int) {
	if len(m.list) < limit {
		m.list = push(p, &p.counts, m.list, uint16(sym))
		p.add(&m.symbols, gain)
		return
	}
	at := m.hand
	for i := range min(replaceAmong, limit) {
		if n := (m.hand + i) % limit; m.count(1+n) < m.count(1+at) {
			at = n
		}
	}
	m.hand = (m.hand + 1) % limit
	m.list[at] = uint16(sym)
	m.set(1+at, gain)
}

func (p *pool) sparse() *sparse {
	m := &take(p, &p.sparses, 1)[0]
	p.add(&m.symbols, gain/2)
	return m
}
