package snapshot

import "github.com/vigil-agent/vigil/debugger/gotype"

// dataLabel is the only field of an interface.
var dataLabel = label{text: "data", key: []byte(`"data":`)}

func (r *reader) iface(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	word := w.word(0)
	if word == 0 {
		v.flags |= flagNull
		return
	}
	if t.isContext {
		r.context(i, t, w)
		return
	}
	it := r.index.find(t.id, word)
	switch {
	case r.layout.behind.Types == 0:
		v.reason = reasonNoType
		return
	case it == nil:
		v.reason = w.unfollowed()
		return
	case len(it.Data) < 8:
		v.reason = kernelReason(it.Reason).or(reasonUnavailable)
		return
	}
	offset := wordAt(it.Data, 0)
	dynamic := r.layout.typ(r.layout.table.ByRuntimeOffset(offset))
	if dynamic.id == 0 {
		r.unknownType(i, offset)
		return
	}
	v.content = contentFields
	r.data(dynamic, w, at)
}

// unknownType is the data of an interface whose dynamic type the plan does not
// know. It may have a name.
func (r *reader) unknownType(i int, offset uint64) {
	if b := r.layout.behind; b.Types+offset < b.Types || b.Types+offset >= b.ETypes {
		r.values[i].reason = reasonNoType // made at run time by package reflect
		return
	}
	r.unknown = append(r.unknown, offset)
	named := r.named(offset)
	if named == nil {
		r.values[i].reason = reasonNoType
		return
	}
	r.values[i].content = contentFields
	n := r.add(&dataLabel, named)
	r.values[n].reason = reasonNoType
	if named.redacted {
		r.values[n].reason = reasonRedactedType
	}
}

// maxNamed bounds the named types that are remembered.
const maxNamed = 1024

// typeKey is a type of a binary; a plan belongs to one.
type typeKey struct {
	layout *Layout
	offset uint64
}

// named stands for a type that is known by its name only; nil when it has none.
func (r *reader) named(offset uint64) *typeInfo {
	if r.namer == nil {
		return nil
	}
	key := typeKey{r.layout, offset}
	if t, ok := r.names[key]; ok {
		return t
	}
	var t *typeInfo
	if name, ok := r.namer.TypeName(offset); ok {
		t = &typeInfo{kind: gotype.Opaque, name: quote(name), goName: name, short: shortType(plain(name)), redacted: r.layout.hide.typ(name)}
	}
	if r.names == nil || len(r.names) >= maxNamed {
		r.names = map[typeKey]*typeInfo{}
	}
	r.names[key] = t
	return t
}

// data reads the dynamic value of an interface.
func (r *reader) data(t *typeInfo, w view, at where) {
	at.nesting++
	word := w.sub(8, 8)
	if t.direct {
		r.read(&dataLabel, t, word, at)
		return
	}
	if t.redacted {
		n := r.add(&dataLabel, t)
		r.values[n].reason = reasonRedactedType
		return
	}
	addr := word.word(0)
	why := captured
	value, ok := r.find(t, addr)
	switch {
	case at.depth == 0 && t.size > 0:
		why = reasonDepth
	case !ok:
		why = w.unfollowed()
	case r.visiting(t.id, addr) && t.size > 0:
		why = reasonCircular
	}
	if why != captured {
		n := r.add(&dataLabel, t)
		r.values[n].reason = why
		return
	}
	r.path = append(r.path, visit{t.id, addr})
	r.read(&dataLabel, t, value, where{max(at.depth-1, 0), at.nesting})
	r.path = r.path[:len(r.path)-1]
}
