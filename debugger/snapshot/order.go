package snapshot

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// sort orders the entries of a map by their keys: the order in memory differs
// from run to run. What has no order that means anything, like pointers, is left
// as it is.
func (r *reader) sort(key *typeInfo, list []entry) {
	slices.SortStableFunc(list, func(a, b entry) int { return r.compare(key, a.key, b.key, 0) })
}

// compare orders two values: numbers and strings by what they are, what is made of
// such by its parts, and what interfaces hold by its type first.
func (r *reader) compare(t *typeInfo, a, b view, nesting int) int {
	if uint64(len(a.data)) < t.size || uint64(len(b.data)) < t.size || t.size == 0 || nesting > maxOrdered {
		return 0
	}
	switch t.kind {
	case gotype.String:
		return bytes.Compare(r.textOf(t, a), r.textOf(t, b))
	case gotype.Bool, gotype.Int, gotype.Uint, gotype.Uintptr, gotype.Float:
		return compareScalars(t, a.data, b.data)
	case gotype.Array:
		for i := range min(t.count, uint64(r.layout.limits.Collection)) {
			at := i * t.elem.size
			if c := r.compare(t.elem, a.sub(at, t.elem.size), b.sub(at, t.elem.size), nesting+1); c != 0 {
				return c
			}
		}
	case gotype.Struct:
		for i := range t.fields {
			f := &t.fields[i]
			if c := r.compare(f.typ, a.sub(f.offset, f.typ.size), b.sub(f.offset, f.typ.size), nesting+1); c != 0 {
				return c
			}
		}
	case gotype.Interface:
		x, a := r.dynamic(t, a)
		y, b := r.dynamic(t, b)
		if c := cmp.Compare(x.goName, y.goName); c != 0 || x != y {
			return c
		}
		return r.compare(x, a, b, nesting+1)
	}
	return 0
}

// maxOrdered bounds how deep values that are compared lie in each other.
const maxOrdered = 16

func compareScalars(t *typeInfo, a, b []byte) int {
	if !printable(t) {
		return 0
	}
	if t.kind == gotype.Float {
		x, _ := float(a, t.size)
		y, _ := float(b, t.size)
		return cmp.Compare(x, y)
	}
	x, y := unsigned(a, t.size), unsigned(b, t.size)
	if t.kind == gotype.Int {
		shift := 64 - 8*t.size
		return cmp.Compare(int64(x<<shift), int64(y<<shift))
	}
	return cmp.Compare(x, y)
}

// dynamic is the value that an interface holds and its type; unknownType when the
// plan does not know that.
func (r *reader) dynamic(t *typeInfo, w view) (*typeInfo, view) {
	if len(w.data) < 16 {
		return unknownType, view{}
	}
	word := r.index.find(t.id, w.word(0))
	if word == nil {
		return unknownType, view{}
	}
	typ := r.layout.typ(r.layout.table.ByRuntimeOffset(wordAt(word.Data, 0)))
	if typ.direct {
		return typ, w.sub(8, 8)
	}
	data, _ := r.find(typ, w.word(8))
	return typ, data
}
