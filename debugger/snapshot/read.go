package snapshot

import (
	"unicode/utf8"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// Bounds of one snapshot, whatever its limits ask for.
const (
	// maxCaptureBytes bounds the JSON of all values. With the stack's bound it
	// keeps a snapshot under the 1 MiB of the debugger specification, 9.5.
	maxCaptureBytes = 896 << 10
	// maxNesting bounds how deep values lie in each other; a slice of slices
	// nests without following a pointer.
	maxNesting = 128
)

// reader builds the values of one event.
type reader struct {
	layout *Layout
	event  *event.Event
	index  itemIndex
	values []value
	// path holds the items being read, outermost first.
	path []visit
	// left is what remains of maxCaptureBytes.
	left int
	// lookups is what remains of maxLookups.
	lookups int
	// slots are entries of the maps being read, outermost first.
	slots []entry
	// unknown are distances from runtime.types of dynamic types that the plan
	// does not know.
	unknown []uint64
	// namer names them; nil when nobody can.
	namer TypeNamer
	// dictionary holds the types of this instance of a generic function, as
	// run-time addresses; types is that of runtime.types.
	dictionary []byte
	types      uint64
	names      map[typeKey]*typeInfo
	// active is the span of the first context that has one.
	active span
}

type visit struct {
	typ  gotype.ID
	addr uint64
}

// where is the place of a value: how many pointers may still be followed, and
// how many values it lies in.
type where struct{ depth, nesting int }

func (r *reader) begin(l *Layout) {
	r.layout, r.values, r.path, r.left = l, r.values[:0], r.path[:0], maxCaptureBytes
	r.lookups, r.active = maxLookups, span{}
	r.slots, r.unknown, r.dictionary = r.slots[:0], r.unknown[:0], nil
}

// root reads variables.
func (r *reader) root(vars []variable) {
	root := view{root: true}
	if it := r.index.items; len(it) > 0 {
		root.data, root.missing = it[0].Data, kernelReason(it[0].Reason)
	}
	r.variables(vars, root)
}

// variables reads those that lie in a run of memory.
func (r *reader) variables(vars []variable, in view) {
	for i := range vars {
		v := &vars[i]
		if v.closure {
			r.variables(v.captured, r.closure(v, in))
			continue
		}
		at := len(r.values)
		t, named := r.instance(v)
		r.variable(v, t, in)
		r.values[at].typ = named
	}
}

// variable reads one variable.
func (r *reader) variable(v *variable, t *typeInfo, in view) {
	at := where{depth: r.layout.limits.Depth}
	if v.unavailable == "" && !v.indirect {
		r.read(&v.label, t, in.sub(uint64(v.offset), t.size), at)
		return
	}
	n := r.add(&v.label, t)
	to := &r.values[n]
	switch {
	case v.redacted:
		to.reason = reasonRedactedIdent
	case v.unavailable == plan.UnavailableLarge:
		to.reason = reasonValueTooLarge
	case v.unavailable != "":
		to.reason = reasonUnavailable
	default:
		r.moved(n, t, in.sub(uint64(v.offset), wordSize), at)
	}
}

// moved fills in value n, which a pointer leads to that the program does not know
// of.
func (r *reader) moved(n int, t *typeInfo, w view, at where) {
	pointer := typeInfo{kind: gotype.Pointer, size: wordSize}
	if !r.whole(&r.values[n], &pointer, w) {
		return
	}
	found, ok := r.find(t, w.word(0))
	if !ok {
		r.values[n].reason = w.unfollowed()
		return
	}
	r.path = append(r.path, visit{t.id, w.word(0)})
	r.fill(n, t, found, at)
	r.path = r.path[:len(r.path)-1]
	r.values[n].end = int32(len(r.values))
}

const wordSize = 8

// closure is the memory of a closure.
func (r *reader) closure(v *variable, root view) view {
	w := root.sub(uint64(v.offset), wordSize)
	if len(w.data) < wordSize {
		return view{missing: w.missing}
	}
	it := r.index.find(v.typ.elem.id, w.word(0))
	if it == nil {
		return view{missing: w.unfollowed()}
	}
	return view{data: it.Data, missing: kernelReason(it.Reason)}
}

// learn finds the dictionary of a generic function in an event: at a return the
// kernel has kept it since the entry.
func (r *reader) learn(e *event.Event, returns bool) {
	r.dictionary = nil
	d, site := r.layout.plan.Dictionary, r.layout.site(e.Site)
	if d == nil || site == nil || e.PC == 0 || len(e.Items) == 0 {
		return
	}
	var at uint64
	switch {
	case returns && !r.layout.plan.KeepsDictionary():
	case returns || d.InClosure == 0:
		at = wordAt(e.Items[0].Data, d.RootOffset)
	default:
		for i := range r.layout.vars {
			if v := &r.layout.vars[i]; v.closure {
				at = wordAt(r.closure(v, view{data: e.Items[0].Data}).data, d.InClosure)
			}
		}
	}
	types := r.layout.behind.Types + e.PC - site.PC
	if at+plan.DictionaryFar-types > 2*plan.DictionaryFar {
		return
	}
	if it := r.index.find(event.TypeDictionary, at); it != nil {
		r.dictionary, r.types = it.Data, types
	}
}

// instance is the type a variable really has, by the dictionary, and the type to
// name: where the plan does not know it, values are those of the shape that
// instances share.
func (r *reader) instance(v *variable) (t, named *typeInfo) {
	if v.instance == 0 || 8*v.instance > len(r.dictionary) {
		return v.typ, v.typ
	}
	offset := wordAt(r.dictionary, uint32(8*(v.instance-1))) - r.types
	if t := r.layout.typ(r.layout.table.ByRuntimeOffset(offset)); t.id != 0 && t.size == v.typ.size {
		return t, t
	}
	r.unknown = append(r.unknown, offset)
	if named := r.named(offset); named != nil {
		return v.typ, named
	}
	return v.typ, v.typ
}

// add appends an empty value and charges its keys to the budget.
func (r *reader) add(lab *label, t *typeInfo) int {
	r.values = append(r.values, value{label: lab, typ: t, shape: t, end: int32(len(r.values) + 1)})
	const keys = len(`{"type":,"address":"0x0123456789abcdef","size":"0123456789","value":""},`)
	r.left -= keys + len(t.name)
	if lab != nil {
		r.left -= len(lab.key)
	}
	return len(r.values) - 1
}

// read adds a value and everything below it.
func (r *reader) read(lab *label, t *typeInfo, w view, at where) {
	i := r.add(lab, t)
	switch {
	case lab != nil && lab.redacted:
		r.values[i].reason = reasonRedactedIdent
	case at.nesting > maxNesting:
		r.values[i].reason = reasonNestingTooDeep
	default:
		r.fill(i, t, w, at)
	}
	r.values[i].end = int32(len(r.values))
}

// fill reads bytes of type t into value i, which stands for them: for a
// pointer this is the pointee's turn too.
func (r *reader) fill(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	v.shape = t
	if t.redacted {
		v.reason = reasonRedactedType
		return
	}
	if t.kind != gotype.Array && t.kind != gotype.Struct && !r.whole(v, t, w) {
		return
	}
	switch t.kind {
	case gotype.Bool, gotype.Int, gotype.Uint, gotype.Uintptr, gotype.Float, gotype.Complex:
		r.scalar(v, w)
	case gotype.UnsafePointer:
		v.addr, v.flags = w.word(0), v.flags|flagAddress
	case gotype.String:
		r.text(v, t, w)
	case gotype.Pointer:
		r.pointer(i, t, w, at)
	case gotype.Struct:
		r.structure(i, t, w, at)
	case gotype.Array:
		r.array(i, t, w, at)
	case gotype.Slice:
		r.slice(i, t, w, at)
	case gotype.Map:
		r.mapping(i, t, w, at)
	case gotype.Chan:
		r.channel(i, t, w, at)
	case gotype.Func:
		r.function(v, t, w)
	case gotype.Interface:
		r.iface(i, t, w, at)
	default:
		v.reason = reasonNoType
	}
}

// whole reports whether all bytes of a value were read, and says so in the
// value when not.
func (r *reader) whole(v *value, t *typeInfo, w view) bool {
	switch {
	case uint64(len(w.data)) < t.size:
		v.reason = w.missing.or(reasonPruned)
	case w.root && r.event.Unread(uint32(w.offset), uint32(t.size)):
		v.reason = reasonUnavailable
	default:
		return true
	}
	return false
}

func (r *reader) scalar(v *value, w view) {
	if !printable(v.shape) {
		v.reason = reasonNoType
		return
	}
	v.content, v.data = contentScalar, w.data
	if v.shape.kind == gotype.Float || v.shape.kind == gotype.Complex {
		r.left -= fixedPointLength(v.shape, w.data)
	}
}

func (r *reader) text(v *value, t *typeInfo, w view) {
	addr, size := w.word(0), w.word(8)
	if size == 0 || addr == 0 {
		v.content = contentString
		return
	}
	v.size = size
	it := r.index.find(t.id, addr)
	if it == nil {
		v.flags, v.reason = v.flags|flagSize, w.unfollowed()
		return
	}
	why := kernelReason(it.Reason)
	if len(it.Data) == 0 {
		v.flags, v.reason = v.flags|flagSize, why.or(reasonUnavailable)
		return
	}
	v.content = contentString
	v.data = it.Data[:min(uint64(len(it.Data)), size, uint64(r.layout.limits.Length))]
	if uint64(len(v.data)) < size {
		v.flags |= flagSize | flagTruncated
		v.data = wholeRunes(v.data)
		if why != reasonStringTruncated {
			v.reason = why
		}
	}
	if !utf8.Valid(v.data) {
		v.flags |= flagInvalidUTF8
	}
	r.left -= quotedLength(v.data)
}

func (r *reader) pointer(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	addr := w.word(0)
	elem := t.elem
	switch {
	case addr == 0:
		v.flags |= flagNull
		return
	case elem.redacted:
		v.reason = reasonRedactedType
		return
	case t.anyPointer:
		v.addr, v.flags, v.reason = addr, v.flags|flagAddress, reasonNoType
		return
	case at.depth == 0, elem.id == 0: // the plan did not describe the pointee
		v.reason = reasonDepth
		return
	case r.visiting(elem.id, addr):
		v.addr, v.flags, v.reason = addr, v.flags|flagAddress, reasonCircular
		return
	}
	pointee, ok := r.find(elem, addr)
	if !ok {
		v.reason = w.unfollowed()
		if r.index.shapes != nil && v.reason == reasonPruned && !r.event.Incomplete {
			// The kernel saw a pointer of a shape, which does not say to what.
			v.addr, v.flags, v.reason = addr, v.flags|flagAddress, reasonNoType
		}
		return
	}
	v.addr, v.flags = addr, v.flags|flagAddress
	r.path = append(r.path, visit{elem.id, addr})
	r.fill(i, elem, pointee, where{at.depth - 1, at.nesting})
	r.path = r.path[:len(r.path)-1]
}

// find is the captured memory of a type at an address. A type without size
// needs none.
func (r *reader) find(t *typeInfo, addr uint64) (view, bool) {
	if it := r.index.find(t.id, addr); it != nil {
		return view{data: it.Data, missing: kernelReason(it.Reason)}, true
	}
	return view{}, t.size == 0 && t.kind != gotype.Opaque
}

func (r *reader) visiting(t gotype.ID, addr uint64) bool {
	for _, p := range r.path {
		if p.typ == t && p.addr == addr {
			return true
		}
	}
	return false
}
