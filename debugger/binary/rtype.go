package binary

import (
	"encoding/binary"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// rtype is the runtime's own description of a type, which every binary carries
// for the types that become interface values: an abi.Type and what follows it,
// in the mapping.
type rtype struct {
	b   *Binary
	off uint64 // from runtime.types on
	raw []byte // to the end of the segment
}

// Offsets in abi.Type and in the types that begin with one, on 64-bit machines
// (internal/abi/type.go, map_swiss.go, map_noswiss.go), the same in Go 1.24 to
// 1.26.
const (
	rtypeTypeSize = 0
	rtypeHash     = 16
	rtypeFlags    = 20
	rtypeAlign    = 21
	rtypeKind     = 23
	rtypeName     = 40
	rtypeSize     = 48

	rtypeElem      = 48 // of a pointer, slice, array or channel
	rtypeArrayLen  = 64
	rtypeChanDir   = 56
	rtypeSlice     = 56 // methods of an interface, fields of a struct
	rtypeMapKey    = 48
	rtypeMapElem   = 56
	rtypeMapGroup  = 64 // or bucket
	rtypeMapSize   = 80
	rtypeSlotSize  = 88
	rtypeElemOff   = 96
	rtypeMapFlags  = 104
	rtypeHashFlags = 84

	flagUncommon  = 1 << 0
	flagExtraStar = 1 << 1
	flagNamed     = 1 << 2
	flagDirect    = 1 << 5 // TFlagDirectIface, since Go 1.26
	kindDirect    = 1 << 5 // KindDirectIface of the kind, until Go 1.25
	flagEmbedded  = 1 << 3 // of a name
	flagTag       = 1 << 1 // of a name

	fieldRecord  = 24 // name, type, offset
	methodRecord = 8  // of an interface: name and type, as offsets
)

// uncommonAt is where abi.UncommonType follows, by kind.
var uncommonAt = map[uint8]uint64{
	kindArray: 72, kindChan: 64, kindFunc: 56, kindInterface: 80, kindMap: 112,
	kindPointer: 56, kindSlice: 56, kindStruct: 80,
}

// rtypeAt is the description at an offset from runtime.types; ok is false when
// none can be there.
func (b *Binary) rtypeAt(off uint64) (t rtype, ok bool) {
	if size := b.module.etypes - b.module.types; off == 0 || off >= size || off%4 != 0 {
		return rtype{}, false
	}
	t = rtype{b: b, off: off, raw: b.bytesAt(b.module.types + off)}
	if len(t.raw) < rtypeSize {
		return rtype{}, false
	}
	kind := t.kind()
	return t, kind > 0 && kind <= kindUnsafePointer && t.align() > 0
}

func (t rtype) kind() uint8  { return t.raw[rtypeKind] & kindMask }
func (t rtype) align() uint8 { return t.raw[rtypeAlign] }
func (t rtype) flags() uint8 { return t.raw[rtypeFlags] }

// direct reports whether an interface holds a value of the type in its data word.
// No version of Go uses the bit of the other ones for anything else.
func (t rtype) direct() bool {
	return t.flags()&flagDirect != 0 || t.raw[rtypeKind]&kindDirect != 0
}

func (t rtype) size() uint64 { return binary.LittleEndian.Uint64(t.raw[rtypeTypeSize:]) }
func (t rtype) addr() uint64 { return t.b.module.types + t.off }
func (t rtype) u32(off uint64) uint32 {
	if off+4 > uint64(len(t.raw)) {
		return 0
	}
	return binary.LittleEndian.Uint32(t.raw[off:])
}

// word is a word of the description, relocated.
func (t rtype) word(off uint64) uint64 {
	v, _ := t.b.word(t.addr() + off)
	return v
}

// pointed is the offset of the type that a word of the description points to, 0
// when it is not one of the binary.
func (t rtype) pointed(off uint64) uint64 { return t.b.rtypeOffset(t.word(off)) }

// rtypeOffset is the offset from runtime.types of a link-time address, 0 when it
// is not among the types.
func (b *Binary) rtypeOffset(addr uint64) uint64 {
	if addr <= b.module.types || addr >= b.module.etypes {
		return 0
	}
	return addr - b.module.types
}

// elem is the offset of the type that a pointer leads to, or a slice, array,
// channel or map holds.
func (t rtype) elem() uint64 {
	switch t.kind() {
	case kindPointer, kindSlice, kindArray, kindChan:
		return t.pointed(rtypeElem)
	case kindMap:
		return t.pointed(rtypeMapElem)
	}
	return 0
}

// rfield is one field of a struct.
type rfield struct {
	name     string
	tag      string
	embedded bool
	typ, off uint64
}

// maxFields bounds the fields of a struct; the compiler has no bound of its own.
const maxFields = 1 << 16

func (t rtype) fields() (fields []rfield) {
	at, n := t.word(rtypeSlice), t.word(rtypeSlice+8)
	if t.kind() != kindStruct || n > maxFields {
		return nil
	}
	for ; n > 0; n-- {
		name, okName := t.b.word(at)
		typ, okType := t.b.word(at + 8)
		off, okOff := t.b.word(at + 16)
		if !okName || !okType || !okOff || off > t.size() {
			return fields
		}
		text, flags := t.b.nameAt(name)
		fields = append(fields, rfield{name: text, tag: t.b.tagAt(name), embedded: flags&flagEmbedded != 0, typ: t.b.rtypeOffset(typ), off: off})
		at += fieldRecord
	}
	return fields
}

// maxName bounds a name, in bytes: those of generic types are long.
const maxName = 1 << 14

// nameAt reads an abi.Name: flags, length, text.
func (b *Binary) nameAt(addr uint64) (text string, flags uint8) {
	raw := b.bytesAt(addr)
	if len(raw) < 2 {
		return "", 0
	}
	n, size := binary.Uvarint(raw[1:])
	if size <= 0 || n > maxName || n > uint64(len(raw)-1-size) {
		return "", 0
	}
	return string(raw[1+size:][:n]), raw[0]
}

// tagAt is the tag that may follow the text of an abi.Name.
func (b *Binary) tagAt(addr uint64) string {
	raw := b.bytesAt(addr)
	if len(raw) < 2 || raw[0]&flagTag == 0 {
		return ""
	}
	n, size := binary.Uvarint(raw[1:])
	if size <= 0 || n > maxName {
		return ""
	}
	// A tag is laid out like a name whose flags are the last byte of this one.
	tag, _ := b.nameAt(addr + uint64(size) + n)
	return tag
}

// uncommonSize is the length of abi.UncommonType.
const uncommonSize = 16

// uncommon is the abi.UncommonType of a type with a name or methods.
func (t rtype) uncommon() []byte {
	if t.flags()&flagUncommon == 0 {
		return nil
	}
	at, ok := uncommonAt[t.kind()]
	if !ok {
		at = rtypeSize
	}
	if t.kind() == kindMap && t.isBuckets() {
		at = 88
	}
	if at+uncommonSize > uint64(len(t.raw)) {
		return nil
	}
	return t.raw[at:][:uncommonSize]
}

// isBuckets reports whether a map type is one of GOEXPERIMENT=noswissmap: its
// bucket ends with a pointer, a group begins with the control word.
func (t rtype) isBuckets() bool {
	group, ok := t.b.rtypeAt(t.pointed(rtypeMapGroup))
	if !ok {
		return false
	}
	fields := group.fields()
	return len(fields) > 0 && fields[0].name == "topbits"
}

// mapLayout is how a map type holds its entries.
func (t rtype) mapLayout() *gotype.MapLayout {
	group, ok := t.b.rtypeAt(t.pointed(rtypeMapGroup))
	if !ok || group.size() > maxGroup {
		return nil
	}
	fields := group.fields()
	if len(fields) == 4 && fields[0].name == "topbits" {
		flags := t.u32(rtypeHashFlags)
		keySize, elemSize := uint32(t.raw[rtypeMapSize]), uint32(t.raw[rtypeMapSize+1])
		return &gotype.MapLayout{
			GroupSize: uint32(group.size()), Control: uint32(fields[0].off),
			Keys: uint32(fields[1].off), KeyStride: keySize, Elems: uint32(fields[2].off), ElemStride: elemSize,
			Overflow: uint32(fields[3].off), IndirectKey: flags&1 != 0, IndirectElem: flags&2 != 0,
		}
	}
	slot, elem := t.word(rtypeSlotSize), t.word(rtypeElemOff)
	if len(fields) != 2 || fields[0].name != "ctrl" || fields[1].off+gotype.Slots*slot > group.size() || elem > slot {
		return nil
	}
	flags := t.u32(rtypeMapFlags)
	return &gotype.MapLayout{
		GroupSize: uint32(group.size()), Control: uint32(fields[0].off),
		Keys: uint32(fields[1].off), KeyStride: uint32(slot),
		Elems: uint32(fields[1].off + elem), ElemStride: uint32(slot),
		IndirectKey: flags&4 != 0, IndirectElem: flags&8 != 0,
	}
}

// maxGroup bounds a group or bucket: eight keys and elements of at most 128
// bytes, and a few words.
const maxGroup = 4096
