package snapshot

import (
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Values that the runtime keeps behind a word: maps, channels, functions,
// interfaces, and the location of times. event.Item says which items they have.

// entry is one key and element of a map, before they are read.
type entry struct{ key, elem view }

// header is the first item behind a word of type t; when there is none it says
// so in the value. The word itself is null, or too far away to be followed.
func (r *reader) header(v *value, t *typeInfo, w view, at where) *event.Item {
	addr := w.word(0)
	switch {
	case addr == 0:
		v.flags |= flagNull
		return nil
	case at.depth == 0:
		v.reason = reasonDepth
		return nil
	case r.visiting(t.id, addr):
		v.addr, v.flags, v.reason = addr, v.flags|flagAddress, reasonCircular
		return nil
	}
	it := r.index.find(t.id, addr)
	switch {
	case it == nil:
		v.reason = w.unfollowed()
		return nil
	case len(it.Data) == 0:
		v.reason = kernelReason(it.Reason).or(reasonUnavailable)
		return nil
	}
	return it
}

// wordAt is the word at an offset of an item; 0 when it ends before.
func wordAt(data []byte, offset uint32) uint64 {
	if uint64(offset)+8 > uint64(len(data)) {
		return 0
	}
	return view{data: data}.word(int(offset))
}

func (r *reader) mapping(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	swiss, hash := r.layout.behind.Swiss, r.layout.behind.Hash
	if w.word(0) != 0 && at.depth > 0 && (t.entries == nil || swiss == nil && hash == nil) {
		v.reason = reasonNoType
		return
	}
	it := r.header(v, t, w, at)
	if it == nil {
		return
	}
	var used uint32
	if swiss != nil {
		used = swiss.Used
	} else {
		used = hash.Count
	}
	v.size, v.flags = wordAt(it.Data, used), v.flags|flagSize
	if v.size > 0 && (t.key.id == 0 || t.elem.id == 0) { // the plan did not describe them
		v.reason = reasonDepth
		return
	}
	v.content = contentEntries
	// What is read below may hold maps too.
	from := len(r.slots)
	why := w.missing
	if kernelReason(it.Reason) != captured {
		why = kernelReason(it.Reason)
	}
	want := min(v.size, uint64(r.layout.limits.Collection))
	if swiss != nil {
		why = why.or(r.swiss(t, it.Data, swiss, want))
	} else {
		why = why.or(r.buckets(t, it.Data, hash, want))
	}
	r.sort(t.key, r.slots[from:])
	r.path = append(r.path, visit{t.id, it.Addr})
	r.entries(i, t, from, why, where{at.depth - 1, at.nesting + 1})
	r.path = r.path[:len(r.path)-1]
	r.slots = r.slots[:from]
}

// entries reads the collected entries from a position on.
func (r *reader) entries(i int, t *typeInfo, from int, why reason, at where) {
	size := r.values[i].size
	n := len(r.slots) - from
	switch {
	case uint64(n) == size:
		why = captured
	case n == r.layout.limits.Collection:
		why = reasonCollectionSize
	default:
		why = why.or(reasonPruned)
	}
	for k := range n {
		if r.left <= 0 {
			why = reasonPruned
			break
		}
		e := r.slots[from+k]
		r.read(nil, t.key, e.key, at)
		if r.hidesElement(t.key, e.key) {
			n := r.add(nil, t.elem)
			r.values[n].reason = reasonRedactedIdent
			continue
		}
		r.read(nil, t.elem, e.elem, at)
	}
	r.values[i].reason = why
}

// hidesElement reports whether the key of a map, a string, is the name of
// something that is hidden, or may be: of one that was clipped the start decides,
// and one that was not read may be any.
func (r *reader) hidesElement(key *typeInfo, w view) bool {
	if key.kind == gotype.Interface {
		key, w = r.dynamic(key, w)
	}
	if key.kind != gotype.String || len(w.data) < 16 {
		return false
	}
	text, size := r.textOf(key, w), w.word(8)
	if uint64(len(text)) < size {
		return r.layout.hide.start(string(text))
	}
	return r.layout.hide.ident(string(text))
}

// textOf are the captured bytes of a string.
func (r *reader) textOf(t *typeInfo, w view) []byte {
	if len(w.data) < 16 {
		return nil
	}
	it := r.index.find(t.id, w.word(0))
	if it == nil {
		return nil
	}
	return it.Data[:min(uint64(len(it.Data)), w.word(8))]
}

// Bounds on what a damaged map may ask for.
const (
	// maxTable is the groups of a table (maxTableCapacity of
	// internal/runtime/maps, in groups).
	maxTable  = 128
	maxGroups = 1 << 16
	maxChain  = 1 << 8
	// maxLookups bounds the tables and groups that are looked for in one snapshot.
	maxLookups = 1 << 17
)

// look is index.find for a table or a group, within bounds. Below zero there is
// nothing more to look for.
func (r *reader) look(t *typeInfo, addr uint64) *event.Item {
	if r.lookups--; r.lookups < 0 {
		return nil
	}
	return r.index.find(t.id, addr)
}

// swiss collects entries of a Swiss map, at most want. The reason is why some
// may be missing.
func (r *reader) swiss(t *typeInfo, header []byte, l *gotype.SwissLayout, want uint64) (why reason) {
	directory, words := wordAt(header, l.DirPtr), wordAt(header, l.DirLen)
	if words == 0 {
		return r.group(t, directory, want, false)
	}
	it := r.index.find(t.id, directory)
	if it == nil {
		return reasonPruned
	}
	var last uint64
	for at := uint32(0); int(at)+8 <= len(it.Data) && want > 0 && r.lookups >= 0; at += 8 {
		addr := wordAt(it.Data, at)
		if addr == last { // a table stands several times in a row
			continue
		}
		last = addr
		table := r.look(t, addr)
		if table == nil {
			why = why.or(reasonPruned)
			continue
		}
		groups, n := wordAt(table.Data, l.Groups), min(wordAt(table.Data, l.LengthMask)+1, maxTable)
		for g := range n {
			before := len(r.slots)
			// Groups without entries have no item.
			if it := r.look(t, groups+g*uint64(t.entries.GroupSize)); it != nil {
				why = why.or(r.group(t, it.Addr, want, false))
			}
			if want -= uint64(len(r.slots) - before); want == 0 || r.lookups < 0 {
				break
			}
		}
	}
	return why
}

// buckets collects entries of a map of buckets, at most want.
func (r *reader) buckets(t *typeInfo, header []byte, l *gotype.HashLayout, want uint64) (why reason) {
	log2, flags := uint8(wordAt(header, l.B))&31, uint8(wordAt(header, l.Flags))
	n := min(uint64(1)<<log2, maxGroups)
	old := n
	if flags&l.SameSize == 0 {
		old = max(n/2, 1)
	}
	for _, array := range [...]struct{ addr, n uint64 }{{wordAt(header, l.Buckets), n}, {wordAt(header, l.OldBuckets), old}} {
		for b := range array.n {
			if want == 0 || r.lookups < 0 {
				break
			}
			addr := array.addr + b*uint64(t.entries.GroupSize)
			for range maxChain {
				if array.addr == 0 || addr == 0 || want == 0 {
					break
				}
				it := r.look(t, addr)
				if it == nil {
					break
				}
				before := len(r.slots)
				why = why.or(r.group(t, addr, want, true))
				want -= uint64(len(r.slots) - before)
				addr = wordAt(it.Data, t.entries.Overflow)
			}
		}
	}
	return why
}

// group collects the entries of the group or bucket at an address.
func (r *reader) group(t *typeInfo, addr, want uint64, bucket bool) reason {
	it := r.index.find(t.id, addr)
	if it == nil {
		return reasonPruned
	}
	m := t.entries
	w := view{data: it.Data, missing: kernelReason(it.Reason)}
	for s := range uint64(gotype.Slots) {
		control := uint64(m.Control) + s
		if control >= uint64(len(it.Data)) {
			return w.missing.or(reasonUnavailable)
		}
		c := it.Data[control]
		if bucket && c < 5 || !bucket && c >= 128 || want == 0 {
			continue
		}
		r.slots = append(r.slots, entry{
			key:  r.part(t.key, w, uint64(m.Keys)+s*uint64(m.KeyStride), m.IndirectKey),
			elem: r.part(t.elem, w, uint64(m.Elems)+s*uint64(m.ElemStride), m.IndirectElem),
		})
		want--
	}
	return w.missing
}

// part is a key or element in a group, or where the group points to.
func (r *reader) part(t *typeInfo, w view, offset uint64, indirect bool) view {
	if !indirect {
		return w.sub(offset, t.size)
	}
	p := w.sub(offset, 8)
	if len(p.data) < 8 {
		return view{missing: w.missing}
	}
	found, ok := r.find(t, p.word(0))
	if !ok {
		return view{missing: p.unfollowed()}
	}
	return found
}

func (r *reader) channel(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	it := r.header(v, t, w, at)
	if it == nil {
		return
	}
	l := &r.layout.behind.Chan
	v.addr, v.size, v.capacity = it.Addr, wordAt(it.Data, l.Count), wordAt(it.Data, l.Capacity)
	v.flags |= flagAddress | flagSize | flagCapacity
	if uint32(wordAt(it.Data, l.Closed)) != 0 {
		v.flags |= flagClosed
	}
	if v.size > 0 && t.elem.id == 0 { // the plan did not describe it
		v.reason = reasonDepth
		return
	}
	v.content = contentElements
	buffer, first := wordAt(it.Data, l.Buffer), wordAt(it.Data, l.Receive)
	size, limit := v.size, uint64(r.layout.limits.Collection)
	capacity := v.capacity
	n := min(size, limit)
	why := captured
	if n < size {
		why = reasonCollectionSize
	}
	r.path = append(r.path, visit{t.id, it.Addr})
	for k := range n {
		if r.left <= 0 {
			why = reasonPruned
			break
		}
		var elem view
		if t.elem.size > 0 {
			from, offset := buffer+first*t.elem.size, k*t.elem.size
			if first+k >= capacity { // the ring begins again
				from, offset = buffer, (first+k-capacity)*t.elem.size
			}
			run := r.index.find(t.id, from)
			if run == nil || offset+t.elem.size > uint64(len(run.Data)) {
				why = reasonPruned
				if run != nil {
					why = kernelReason(run.Reason).or(reasonPruned)
				}
				break
			}
			elem = view{data: run.Data, missing: kernelReason(run.Reason)}.sub(offset, t.elem.size)
		}
		r.read(nil, t.elem, elem, where{at.depth - 1, at.nesting + 1})
	}
	r.path = r.path[:len(r.path)-1]
	r.values[i].reason = why
}

// function is a word that leads to a closure, whose first word is the code.
func (r *reader) function(v *value, t *typeInfo, w view) {
	closure := w.word(0)
	if closure == 0 {
		v.flags |= flagNull
		return
	}
	it := r.index.find(t.id, closure)
	switch {
	case it == nil:
		v.reason = w.unfollowed()
	case len(it.Data) < 8:
		v.reason = kernelReason(it.Reason).or(reasonUnavailable)
	default:
		v.content, v.addr, v.capacity, v.flags = contentFunction, closure, wordAt(it.Data, 0), v.flags|flagAddress
	}
}

// zone is how many seconds east of UTC a time's location is, when the location
// remembers that; else 0.
func (r *reader) zone(t *typeInfo, w view) int64 {
	l := r.layout.behind.Location
	it := r.index.find(t.id, w.word(16))
	if w.word(16) == 0 || it == nil || l.CacheZone == 0 {
		return 0
	}
	sec, _ := seconds(w.data)
	if sec < int64(wordAt(it.Data, l.CacheStart)) || sec >= int64(wordAt(it.Data, l.CacheEnd)) {
		return 0
	}
	zone := r.index.find(t.id, wordAt(it.Data, l.CacheZone))
	if zone == nil {
		return 0
	}
	return int64(wordAt(zone.Data, l.ZoneOffset))
}
