package binary

import (
	"debug/dwarf"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Encodings of base types (DWARF 5, section 7.8), for types of C that have no
// Go kind.
const (
	encodingBoolean      = 0x02
	encodingComplexFloat = 0x03
	encodingFloat        = 0x04
	encodingSigned       = 0x05
	encodingSignedChar   = 0x06
	encodingUnsigned     = 0x07
	encodingUnsignedChar = 0x08
)

// kindOf is the kind of the type an entry describes: by its Go kind, or by the
// shape of the entry when it comes from C.
func kindOf(e *die.Entry) gotype.Kind {
	if kind := goKind(e); kind != 0 {
		return kindOfGo(kind)
	}
	return kindOfC(e)
}

// kindOfGo is the kind of an abi.Kind.
func kindOfGo(kind int64) gotype.Kind {
	switch kind {
	case kindBool:
		return gotype.Bool
	case kindUintptr:
		return gotype.Uintptr
	case kindFloat32, kindFloat64:
		return gotype.Float
	case kindComplex64, kindComplex128:
		return gotype.Complex
	case kindArray:
		return gotype.Array
	case kindChan:
		return gotype.Chan
	case kindFunc:
		return gotype.Func
	case kindInterface:
		return gotype.Interface
	case kindMap:
		return gotype.Map
	case kindPointer:
		return gotype.Pointer
	case kindSlice:
		return gotype.Slice
	case kindString:
		return gotype.String
	case kindStruct:
		return gotype.Struct
	case kindUnsafePointer:
		return gotype.UnsafePointer
	default:
		switch {
		case kind >= kindInt && kind <= kindInt64:
			return gotype.Int
		case kind >= kindUint && kind <= kindUint64:
			return gotype.Uint
		}
	}
	return gotype.Opaque
}

func kindOfC(e *die.Entry) gotype.Kind {
	switch e.Tag {
	case dwarf.TagPointerType:
		return gotype.Pointer
	case dwarf.TagStructType:
		return gotype.Struct
	case dwarf.TagArrayType:
		return gotype.Array
	case dwarf.TagEnumerationType:
		return gotype.Int
	case dwarf.TagBaseType:
		switch e.Value(dwarf.AttrEncoding).Int() {
		case encodingBoolean:
			return gotype.Bool
		case encodingComplexFloat:
			return gotype.Complex
		case encodingFloat:
			return gotype.Float
		case encodingSigned, encodingSignedChar:
			return gotype.Int
		case encodingUnsigned, encodingUnsignedChar:
			return gotype.Uint
		}
	}
	return gotype.Opaque
}

// sizeFits reports whether a number of a kind can have a size, in bytes. Those
// of Go always do; C has a floating-point number of 16 bytes.
func sizeFits(kind gotype.Kind, size uint64) bool {
	switch kind {
	case gotype.Bool:
		return size == 1
	case gotype.Float:
		return size == 4 || size == 8
	case gotype.Complex:
		return size == 8 || size == 16
	}
	return size == 1 || size == 2 || size == 4 || size == 8
}
