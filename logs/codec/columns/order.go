package columns

// order models which template comes next, from the templates of the lines before
// in the same lane: three of them if that sequence is known, else one, else none.
type order struct {
	third [contexts]*sparse
	all   symbols // by template number
}

const (
	contexts   = 1 << 12 // of three templates; sequences that collide share one
	thirdLimit = 8
	firstLimit = 32
)

// template codes the number of a template.
func (s *state) template(lane int, number int) int {
	o, l := &s.order, &s.lanes.list[lane]
	for o.all.n < len(s.templates) {
		s.pool.add(&o.all, 1)
	}
	h := l.last[0]
	at := (uint32(l.last[0])*0x9e3779b1 ^ uint32(l.last[1])*0x85ebca6b ^ uint32(l.last[2])*0xc2b2ae35 ^ uint32(lane)*0x27d4eb2f)
	at = (at ^ at>>15) * 0x2c1b3c6d
	third := &o.third[at>>20&(contexts-1)]
	n, ok := 0, false
	if *third != nil {
		n, ok = s.sparse(*third, number)
	}
	known := ok
	var first *sparse
	if !ok {
		if t := s.templates[h]; t != nil {
			first = t.next
		}
		if first != nil {
			n, ok = s.sparse(first, number)
		}
	}
	if !ok {
		n = s.symbol(&o.all, number)
		if t := s.templates[h]; t != nil {
			if first == nil && s.allow(sparseBytes(firstLimit)) {
				t.next = s.pool.sparse()
			}
			if t.next != nil {
				t.next.enter(&s.pool, n, firstLimit)
			}
		}
	}
	if !known {
		if *third == nil && s.allow(sparseBytes(thirdLimit)) {
			*third = s.pool.sparse()
		}
		if *third != nil {
			(*third).enter(&s.pool, n, thirdLimit)
		}
	}
	if n >= len(s.templates) || s.templates[n] == nil {
		s.fail("unknown template")
		n = 0
	}
	l.last = [3]int{n, l.last[0], l.last[1]}
	return n
}
