package die

import "debug/dwarf"

// form is how a value is encoded: section 7.5.6 of DWARF 5.
type form uint16

const (
	formAddr          form = 0x01
	formBlock2        form = 0x03
	formBlock4        form = 0x04
	formData2         form = 0x05
	formData4         form = 0x06
	formData8         form = 0x07
	formString        form = 0x08
	formBlock         form = 0x09
	formBlock1        form = 0x0a
	formData1         form = 0x0b
	formFlag          form = 0x0c
	formSdata         form = 0x0d
	formStrp          form = 0x0e
	formUdata         form = 0x0f
	formRefAddr       form = 0x10
	formRef1          form = 0x11
	formRef2          form = 0x12
	formRef4          form = 0x13
	formRef8          form = 0x14
	formRefUdata      form = 0x15
	formIndirect      form = 0x16
	formSecOffset     form = 0x17
	formExprloc       form = 0x18
	formFlagPresent   form = 0x19
	formStrx          form = 0x1a
	formAddrx         form = 0x1b
	formRefSup4       form = 0x1c
	formStrpSup       form = 0x1d
	formData16        form = 0x1e
	formLineStrp      form = 0x1f
	formRefSig8       form = 0x20
	formImplicitConst form = 0x21
	formLoclistx      form = 0x22
	formRnglistx      form = 0x23
	formRefSup8       form = 0x24
	formStrx1         form = 0x25
	formStrx2         form = 0x26
	formStrx3         form = 0x27
	formStrx4         form = 0x28
	formAddrx1        form = 0x29
	formAddrx2        form = 0x2a
	formAddrx3        form = 0x2b
	formAddrx4        form = 0x2c
	formGNURefAlt     form = 0x1f20
	formGNUStrpAlt    form = 0x1f21
)

// Class says what a value is.
type Class uint8

// Classes.
const (
	Missing   Class = iota
	Address         // N
	Constant        // N, of which a negative one is the complement; also an offset in another section
	Reference       // N is the offset of another entry
	Flag            // N is 0 or 1
	Block           // Bytes
	Text            // Bytes
	Other           // of a kind that Go does not write, or damaged
)

// Value is the value of an attribute. Bytes are in the sections.
type Value struct {
	Class Class
	N     uint64
	Bytes []byte
}

// Offset is a Reference, 0 when it is none.
func (v Value) Offset() dwarf.Offset {
	if v.Class != Reference {
		return 0
	}
	return dwarf.Offset(v.N)
}

// Int is a Constant, 0 when it is none.
func (v Value) Int() int64 {
	if v.Class != Constant {
		return 0
	}
	return int64(v.N)
}

// True reports whether it is a Flag that is set.
func (v Value) True() bool { return v.Class == Flag && v.N == 1 }

// offset is where something is in another section, 0 when it is not said.
func (v Value) offset() uint64 {
	if v.Class != Constant {
		return 0
	}
	return v.N
}

// sizes has the forms of one size, and 0 for the others.
var sizes = [formAddrx4 + 1]uint8{
	formData1: 1, formData2: 2, formData4: 4, formData8: 8, formData16: 16, formFlag: 1,
	formRef1: 1, formRef2: 2, formRef4: 4, formRef8: 8, formRefSup4: 4, formRefSup8: 8, formRefSig8: 8,
	formStrx1: 1, formStrx2: 2, formStrx3: 3, formStrx4: 4, formAddrx1: 1, formAddrx2: 2, formAddrx3: 3, formAddrx4: 4,
}

// size is how many bytes a value of a form takes, when it is the same for all of
// the unit.
func (u *Unit) size(f form) (n int, ok bool) {
	switch f {
	case formFlagPresent, formImplicitConst:
		return 0, true
	case formAddr:
		return u.addrSize, true
	case formRefAddr:
		if u.Version == 2 {
			return u.addrSize, true
		}
		return u.offsetSize, true
	case formSecOffset, formStrp, formLineStrp, formStrpSup, formGNURefAlt, formGNUStrpAlt:
		return u.offsetSize, true
	}
	if int(f) < len(sizes) && sizes[f] > 0 {
		return int(sizes[f]), true
	}
	return 0, false
}

// skip goes past a value.
func (u *Unit) skip(b *buffer, f form) {
	if n, ok := u.size(f); ok {
		b.take(uint64(n))
		return
	}
	switch f {
	case formString:
		b.text()
	case formUdata, formSdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx:
		b.uvarint()
	case formIndirect:
		if f = form(b.uvarint()); f != formIndirect && f != formImplicitConst {
			u.skip(b, f)
			return
		}
		b.cut = true
	default:
		b.block(f)
	}
}

// block is a value that says how long it is.
func (b *buffer) block(f form) []byte {
	switch f {
	case formBlock1:
		return b.take(b.uint(1))
	case formBlock2:
		return b.take(b.uint(2))
	case formBlock4:
		return b.take(b.uint(4))
	case formBlock, formExprloc:
		return b.take(b.uvarint())
	}
	b.data, b.cut = nil, true // an unknown form
	return nil
}

// value reads a value.
func (d *Data) value(u *Unit, b *buffer, f field) Value {
	n, fixed := u.size(f.form)
	switch f.form {
	case formAddr:
		return Value{Class: Address, N: b.uint(n)}
	case formAddrx:
		return d.indexed(u, b.uvarint())
	case formAddrx1, formAddrx2, formAddrx3, formAddrx4:
		return d.indexed(u, b.uint(n))
	case formData1, formData2, formData4, formData8, formSecOffset:
		return Value{Class: Constant, N: b.uint(n)}
	case formUdata:
		return Value{Class: Constant, N: b.uvarint()}
	case formSdata:
		return Value{Class: Constant, N: uint64(b.varint())}
	case formImplicitConst:
		return Value{Class: Constant, N: uint64(f.implicit)}
	case formFlag:
		v := Value{Class: Flag}
		if b.uint(1) == 1 {
			v.N = 1
		}
		return v
	case formFlagPresent:
		return Value{Class: Flag, N: 1}
	case formRefAddr:
		return Value{Class: Reference, N: b.uint(n)}
	case formRef1, formRef2, formRef4, formRef8:
		return Value{Class: Reference, N: uint64(u.Header) + b.uint(n)}
	case formRefUdata:
		return Value{Class: Reference, N: uint64(u.Header) + b.uvarint()}
	case formString:
		return Value{Class: Text, Bytes: b.text()}
	case formStrp:
		return textAt(d.sections.Str, b.uint(n))
	case formLineStrp:
		return textAt(d.sections.LineStr, b.uint(n))
	case formStrx:
		return d.indexedText(u, b.uvarint())
	case formStrx1, formStrx2, formStrx3, formStrx4:
		return d.indexedText(u, b.uint(n))
	case formBlock, formBlock1, formBlock2, formBlock4, formExprloc:
		return Value{Class: Block, Bytes: b.block(f.form)}
	case formData16:
		return Value{Class: Block, Bytes: b.take(16)}
	case formIndirect:
		if f.form = form(b.uvarint()); f.form != formIndirect && f.form != formImplicitConst {
			return d.value(u, b, f)
		}
		return Value{Class: Other}
	}
	if fixed {
		b.take(uint64(n))
	} else {
		u.skip(b, f.form)
	}
	return Value{Class: Other}
}

// indexed is an address of .debug_addr.
func (d *Data) indexed(u *Unit, index uint64) Value {
	addrs, n := d.sections.Addr, uint64(u.addrSize)
	if n == 0 || u.AddrBase > uint64(len(addrs)) || index >= (uint64(len(addrs))-u.AddrBase)/n {
		return Value{Class: Other}
	}
	b := buffer{data: addrs[u.AddrBase+index*n:]}
	return Value{Class: Address, N: b.uint(u.addrSize)}
}

// indexedText is a string of .debug_str_offsets.
func (d *Data) indexedText(u *Unit, index uint64) Value {
	offs, n := d.sections.StrOffsets, uint64(u.offsetSize)
	if u.strBase > uint64(len(offs)) || index >= (uint64(len(offs))-u.strBase)/n {
		return Value{Class: Other}
	}
	b := buffer{data: offs[u.strBase+index*n:]}
	return textAt(d.sections.Str, b.uint(u.offsetSize))
}

func textAt(section []byte, off uint64) Value {
	if off > uint64(len(section)) {
		return Value{Class: Other}
	}
	b := buffer{data: section[off:]}
	text := b.text()
	if b.cut {
		return Value{Class: Other}
	}
	return Value{Class: Text, Bytes: text}
}
