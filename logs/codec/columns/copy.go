package columns

import "slices"

// decoding is a copy of the models that decodes what this state encodes next.
// Decoding changes nothing that the two share: the bytes of templates, shapes,
// layouts, words and entries. The copy must be done with before this state goes on.
func (s *state) decoding() *state {
	c := &state{
		bytes: s.bytes, maxBytes: s.maxBytes, dict: s.dict,
		free: slices.Clone(s.free), layouts: slices.Clip(s.layouts),
	}
	p := &c.pool
	p.chunks = true
	c.statuses = s.statuses.copy()
	c.lanes = lanes{tags: s.lanes.tags.copy(), list: slices.Clone(s.lanes.list), last: s.lanes.last}
	for i := range c.lanes.list {
		l := &c.lanes.list[i]
		l.next = p.copySymbols(l.next)
		l.registers = slices.Clone(l.registers)
		for j := range l.registers {
			l.registers[j].diff = p.copyNumber(l.registers[j].diff)
		}
	}
	c.changes = p.copySymbols(s.changes)
	c.order.all = p.copySymbols(s.order.all)
	for i, m := range s.order.third {
		c.order.third[i] = p.copySparse(m)
	}
	c.times = times{last: s.times.last, diff: p.copyNumber(s.times.diff)}
	c.recent = recent{next: s.recent.next, last: s.recent.last, step: *p.copyNumber(&s.recent.step), ring: slices.Clone(s.recent.ring)}
	for i, v := range c.recent.ring {
		c.recent.ring[i] = append(take(p, &p.bytes, maxRecent)[:0], v...)
	}
	c.counts = *p.copyNumber(&s.counts)
	c.text.lengths, c.text.lines = *p.copyNumber(&s.text.lengths), *p.copyNumber(&s.text.lines)
	c.templates = make([]*template, len(s.templates))
	for i, t := range s.templates {
		if t != nil {
			c.templates[i] = p.copyTemplate(t)
		}
	}
	return c
}

func (w *words) copy() words { return words{list: slices.Clip(w.list), limit: w.limit} }

// copySlice is a copy of part of a model.
func copySlice[T any](p *pool, free *[]T, from []T) []T {
	if len(from) == 0 {
		return nil
	}
	c := take(p, free, len(from))
	copy(c, from)
	return c
}

func (p *pool) copySymbols(m symbols) symbols {
	return symbols{total: m.total, n: m.n, words: copySlice(p, &p.words, m.words)}
}

func (p *pool) copyNumber(m *number) *number {
	if m == nil {
		return nil
	}
	c := &take(p, &p.numbers, 1)[0]
	c.class = p.copySymbols(m.class)
	return c
}

func (p *pool) copySparse(m *sparse) *sparse {
	if m == nil {
		return nil
	}
	c := &take(p, &p.sparses, 1)[0]
	*c = sparse{symbols: p.copySymbols(m.symbols), list: copySlice(p, &p.counts, m.list), hand: m.hand}
	return c
}

func (p *pool) copyTemplate(t *template) *template {
	c := &take(p, &p.templates, 1)[0]
	*c = template{
		text: t.text, at: t.at, slots: copySlice(p, &p.slots, t.slots),
		next: p.copySparse(t.next), statuses: p.copySymbols(t.statuses), mixed: p.copySymbols(t.mixed),
	}
	for i := range c.slots {
		sl := &c.slots[i]
		sl.method, sl.index, sl.latest, sl.parsed, sl.copies, sl.recents = p.copySymbols(sl.method), nil, 0, 0, 0, 0
		sl.shapes = copySlice(p, &p.bytes, sl.shapes)
		sl.items = copySlice(p, &p.items, sl.items)
		for j := range sl.items {
			if it := &sl.items[j]; it.shape != nil {
				it.shape = p.copyShape(it.shape)
			}
		}
	}
	return c
}

func (p *pool) copyShape(sh *shape) *shape {
	c := &take(p, &p.shapes, 1)[0]
	c.text, c.fields = sh.text, copySlice(p, &p.fields, sh.fields)
	for i := range c.fields {
		f := &c.fields[i]
		f.width, f.diff = p.copySymbols(f.width), p.copyNumber(f.diff)
		for j := range f.halves {
			f.halves[j] = p.copySymbols(f.halves[j])
		}
		for j, l := range f.lead {
			if l != nil {
				m := &take(p, &p.leads, 1)[0]
				*m = *l
				for k := range m.digits {
					m.digits[k] = p.copySymbols(m.digits[k])
				}
				f.lead[j] = m
			}
		}
	}
	return c
}
