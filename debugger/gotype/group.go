package gotype

// Bounds of what a slot of a swiss map holds itself (abi.MapMaxKeyBytes and
// MapMaxElemBytes, Go 1.24 to 1.26): of what is larger it holds a pointer.
const maxInSlot = 128

// SwissGroup is the layout of a swiss map from its key and element types, as the
// compiler makes it (MapGroupType of cmd/compile): for maps of shapes, which have
// no runtime description. Nil when a type is not known.
func (t *Table) SwissGroup(key, elem ID) *MapLayout {
	k, okKey := t.slotPart(key)
	e, okElem := t.slotPart(elem)
	if !okKey || !okElem {
		return nil
	}
	align := max(k.align, e.align)
	at := roundUp(k.size, e.align)
	end := at + e.size
	if e.size == 0 && end > 0 { // so that no pointer to the last field leads behind the slot
		end++
	}
	slot := roundUp(end, align)
	const control = 8
	return &MapLayout{
		GroupSize: uint32(roundUp(control+Slots*slot, control)),
		Keys:      control, KeyStride: uint32(slot), Elems: uint32(control + at), ElemStride: uint32(slot),
		IndirectKey: k.indirect, IndirectElem: e.indirect,
	}
}

// slotPart is a key or element in a slot.
type slotPart struct {
	size, align uint64
	indirect    bool
}

func (t *Table) slotPart(id ID) (p slotPart, ok bool) {
	typ := t.Get(id)
	if typ == nil || typ.Kind == Opaque || typ.Kind == Invalid {
		return p, false
	}
	if typ.Size > maxInSlot {
		return slotPart{size: 8, align: 8, indirect: true}, true
	}
	return slotPart{size: typ.Size, align: t.align(id, 0)}, true
}

// align is the alignment of a type on 64-bit machines, in bytes.
func (t *Table) align(id ID, nesting int) uint64 {
	const maxNesting = 64 // a damaged table may have a type in itself
	typ := t.Get(id)
	if typ == nil || nesting > maxNesting {
		return 1
	}
	switch typ.Kind {
	case Bool, Int, Uint, Uintptr, Float:
		return max(min(typ.Size, 8), 1)
	case Complex:
		return max(typ.Size/2, 1)
	case Array:
		return t.align(typ.Elem, nesting+1)
	case Struct:
		align := uint64(1)
		for _, f := range typ.Fields {
			align = max(align, t.align(f.Type, nesting+1))
		}
		return align
	}
	return 8
}

func roundUp(n, to uint64) uint64 { return (n + to - 1) / to * to }
