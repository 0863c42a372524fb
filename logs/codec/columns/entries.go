package columns

import "bytes"

// enter counts a value that no entry holds and gives it to the dictionary.
func (s *state) enter(sl *slot, v []byte, shaped bool, c *choice) {
	if sl.keeps == keepsNone || shaped && sl.keeps == keepsText {
		return
	}
	sl.values++
	switch {
	case sl.keeps == keepsAll && sl.values >= tryEntries && sl.hits*2 < sl.values && len(sl.shapes) > 0:
		s.dropEntries(sl, keepsText)
		return
	case sl.values >= 4*tryEntries && sl.hits*16 < sl.values:
		s.dropEntries(sl, keepsNone)
		return
	}
	if sl.values > 1<<20 {
		sl.values, sl.hits = sl.values/2, sl.hits/2
	}
	if len(v) > maxEntryValue {
		return
	}
	hash := uint64(0)
	if s.encoding {
		hash = c.hashOf(v)
	}
	if len(sl.items) < maxItems {
		if !s.allow(entryBytes + len(v)) {
			return
		}
		sl.items = push(&s.pool, &s.pool.items, sl.items, item{value: s.pool.clone(v), hash: hash})
		s.dict.added++
		s.pool.add(&sl.method, gain)
		if s.encoding {
			sl.link(&s.pool, len(sl.items)-1)
		}
		return
	}
	s.replaceEntry(sl, v, hash)
}

// replaceEntry makes room for a value: the rarest of the next few entries goes.
func (s *state) replaceEntry(sl *slot, v []byte, hash uint64) {
	at := -1
	for i := range replaceAmong {
		n := (sl.hand + i) % maxItems
		if sl.items[n].shape == nil && (at < 0 || sl.method.count(methodItems+n) < sl.method.count(methodItems+at)) {
			at = n
		}
	}
	sl.hand = (sl.hand + replaceAmong) % maxItems
	if at < 0 {
		return
	}
	e := &sl.items[at]
	if !s.allow(max(0, len(v)-len(e.value))) {
		return
	}
	s.bytes -= max(0, len(e.value)-len(v))
	s.dict.added++
	s.dict.removed++
	if s.encoding {
		sl.unlink(at)
		e.value = append(e.value[:0], v...)
	} else {
		e.value = bytes.Clone(v) // decoded lines share the old value
	}
	e.hash = hash
	sl.method.set(methodItems+at, gain)
	if s.encoding {
		sl.link(&s.pool, at)
	}
}

// dropEntries empties the dictionary and changes what it is for.
func (s *state) dropEntries(sl *slot, k keeps) {
	m := &sl.method
	kept, n := sl.items[:0], methodItems
	for i, it := range sl.items {
		if it.shape == nil {
			s.bytes -= it.weighs()
			s.dict.removed++
			continue
		}
		m.set(n, m.count(methodItems+i))
		n++
		if i == sl.latest {
			sl.latest = len(kept)
		}
		sl.shapes[len(kept)] = uint8(len(kept))
		kept = append(kept, it)
	}
	clear(sl.items[len(kept):])
	sl.items, sl.index = kept, nil
	m.cut(n)
	sl.keeps, sl.values, sl.hits, sl.hand = k, 0, 0, 0
}
