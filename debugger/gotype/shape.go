package gotype

import "strings"

// AnyPointer reports whether the type is the shape that instances of a generic
// function share for all pointers: what one leads to is not what the shape says.
func (t *Type) AnyPointer() bool {
	return t.Kind == Pointer && strings.HasPrefix(t.Name, "go.shape.*")
}

// AtomicPointer returns, for a sync/atomic.Pointer, the type of the pointer it
// holds and its offset: the field itself is an unsafe.Pointer, and a field
// without size says what it leads to.
func (t *Table) AtomicPointer(typ *Type) (pointer ID, offset uint64, ok bool) {
	if typ.Kind != Struct || !strings.HasPrefix(typ.Name, "sync/atomic.Pointer[") {
		return 0, 0, false
	}
	for _, f := range typ.Fields {
		part := t.Get(f.Type)
		if part == nil {
			continue
		}
		if elem := t.Get(part.Elem); part.Kind == Array && elem != nil && elem.Kind == Pointer {
			pointer = elem.ID
		}
		if f.Name == "v" && part.Size == 8 {
			offset, ok = f.Offset, true
		}
	}
	return pointer, offset, ok && pointer != 0
}
