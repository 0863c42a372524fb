package binary

import "encoding/binary"

// CommonTypes are the runtime offsets of the predeclared types that the program
// has, in the order of the file: what an empty interface most often holds. It
// needs no debug information.
func (b *Binary) CommonTypes() []uint64 {
	b.common.once.Do(func() {
		var err error
		defer guard(&err)()
		b.readCommon()
	})
	return b.common.types
}

// readCommon finds the types that slices and pointers of the program lead to:
// the linker lists no type that has a name.
func (b *Binary) readCommon() {
	found := map[uint64]bool{}
	links := b.bytesAt(b.module.typelinks.addr)
	for i := range b.module.typelinks.len {
		if 4*i+4 > uint64(len(links)) {
			return
		}
		t, ok := b.rtypeAt(uint64(binary.LittleEndian.Uint32(links[4*i:])))
		if !ok || t.kind() != kindSlice && t.kind() != kindPointer {
			continue
		}
		elem, ok := b.rtypeAt(t.elem())
		if !ok || found[elem.off] {
			continue
		}
		switch kind := elem.kind(); {
		case kind >= kindBool && kind <= kindComplex128, kind == kindString:
			if name := elem.name(); kindNames[name] {
				found[elem.off] = true
				b.common.types = append(b.common.types, elem.off)
			}
		}
	}
}

// kindNames are the predeclared types whose values are scalars or strings.
var kindNames = map[string]bool{
	"bool": true, "string": true, "int": true, "int8": true, "int16": true, "int32": true, "int64": true,
	"uint": true, "uint8": true, "uint16": true, "uint32": true, "uint64": true, "uintptr": true,
	"float32": true, "float64": true, "complex64": true, "complex128": true,
}
