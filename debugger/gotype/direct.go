package gotype

import "strings"

// AnyPointer reports whether the type is the shape that instances of a generic
// function share for all pointers: what one leads to is not what the shape says.
func (t *Type) AnyPointer() bool {
	return t.Kind == Pointer && strings.HasPrefix(t.Name, "go.shape.*")
}

// Direct reports whether an interface holds a value of the type in its data
// word, rather than a pointer to it. It is so for what is a single pointer: the
// answer is not known for a struct that has fields without size besides, because
// Go 1.26 changed it (IsDirectIface of cmd/compile/internal/types).
func (t *Table) Direct(id ID) (direct, known bool) {
	const maxNesting = 64 // a damaged table may have a type in itself
	for range maxNesting {
		typ := t.Get(id)
		switch {
		case typ == nil:
			return false, false
		case typ.Kind == Struct && typ.Size == 8 && len(typ.Fields) > 1:
			for _, f := range typ.Fields {
				if part := t.Get(f.Type); part == nil || part.Size == 8 && part.Kind != Int && part.Kind != Uint && part.Kind != Uintptr && part.Kind != Float && part.Kind != Complex {
					return false, false
				}
			}
			return false, true
		case typ.Kind == Struct && len(typ.Fields) == 1:
			id = typ.Fields[0].Type
		case typ.Kind == Array && typ.Len == 1:
			id = typ.Elem
		case typ.Kind == Opaque || typ.Kind == Invalid:
			return false, false
		default:
			return typ.Kind == Pointer || typ.Kind == UnsafePointer || typ.Kind == Map || typ.Kind == Chan || typ.Kind == Func, true
		}
	}
	return false, false
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
