package snapshot

import "math"

func (r *reader) structure(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	if uint64(len(w.data)) == 0 && t.size > 0 {
		v.reason = w.missing.or(reasonPruned)
		return
	}
	if t.isTime {
		if !r.whole(v, t, w) {
			return
		}
		v.content, v.data = contentTime, w.data
		v.capacity = uint64(r.zone(t, w))
		return
	}
	if t.plain != nil {
		r.plain(i, t, w, at)
		return
	}
	v.content = contentFields
	var why reason
	for n := range t.fields {
		if n == r.layout.limits.Fields {
			why = reasonFieldCount
			break
		}
		if r.left <= 0 {
			why = reasonPruned
			break
		}
		f := &t.fields[n]
		r.read(&f.label, f.typ, w.sub(f.offset, f.typ.size), where{at.depth, at.nesting + 1})
	}
	r.values[i].reason = why
}

func (r *reader) array(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	v.size, v.flags = t.count, v.flags|flagSize
	if len(w.data) == 0 && t.size > 0 {
		v.reason = w.missing.or(reasonPruned)
		return
	}
	r.elements(i, t.elem, t.count, w, at)
}

func (r *reader) slice(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	addr, size := w.word(0), w.word(8)
	if addr == 0 && size == 0 {
		v.flags |= flagNull
		return
	}
	v.size, v.capacity, v.flags = size, w.word(16), v.flags|flagSize
	if v.capacity != size {
		v.flags |= flagCapacity
	}
	var data view
	if size > 0 && t.elem.size > 0 {
		it := r.index.find(t.id, addr)
		switch {
		case it == nil:
			v.reason = w.unfollowed()
			return
		case len(it.Data) == 0:
			v.reason = kernelReason(it.Reason).or(reasonUnavailable)
			return
		case r.visiting(t.id, addr):
			v.reason = reasonCircular
			return
		}
		data = view{data: it.Data, missing: kernelReason(it.Reason)}
	}
	r.path = append(r.path, visit{t.id, addr})
	r.elements(i, t.elem, size, data, at)
	r.path = r.path[:len(r.path)-1]
}

// elements reads count values that lie side by side, as many as there are
// whole and as the limit allows.
func (r *reader) elements(i int, elem *typeInfo, count uint64, w view, at where) {
	r.values[i].content = contentElements
	have := uint64(math.MaxUint64)
	if elem.size > 0 {
		have = uint64(len(w.data)) / elem.size
	}
	limit := uint64(r.layout.limits.Collection)
	n := min(count, have, limit)
	var why reason
	switch n {
	case count:
	case limit:
		why = reasonCollectionSize
	default:
		why = w.missing.or(reasonPruned)
	}
	for k := range n {
		if r.left <= 0 {
			why = reasonPruned
			break
		}
		r.read(nil, elem, w.sub(k*elem.size, elem.size), where{at.depth, at.nesting + 1})
	}
	r.values[i].reason = why
}
