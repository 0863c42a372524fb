package pclntab

import (
	"encoding/binary"
	"iter"
)

// Run is a stretch of instructions for which a table holds one value.
type Run struct {
	Low, High uint64
	Value     int32
}

// runs are those of the pc-value table at off, in address order.
func (t *Table) runs(off uint32, entry, end uint64) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		if off == 0 || uint64(off) >= uint64(len(t.pctab)) {
			return
		}
		p, value, at := t.pctab[off:], int32(-1), entry
		for first := true; at < end; first = false {
			delta, n := uvarint32(p)
			if n == 0 || (delta == 0 && !first) {
				return
			}
			p = p[n:]
			value += int32(delta>>1) ^ -int32(delta&1)
			step, n := uvarint32(p)
			if n == 0 {
				return
			}
			p = p[n:]
			low := at
			at += uint64(step) * t.minLC
			if at > low && !yield(Run{low, at, value}) {
				return
			}
		}
	}
}

// SPDelta is how far the stack pointer is, before the instruction at pc, below
// where it was at the function's entry, in bytes: the canonical frame address
// is the stack pointer plus SPDelta plus the 8 bytes of the return address.
func (f Func) SPDelta(pc uint64) (delta int32, ok bool) {
	delta, ok = f.table.pcvalue(f.u32(fieldPCSP), f.Entry, pc)
	return delta, ok && delta >= 0
}

// Lines are the runs of source lines, of the innermost inlined call.
func (f Func) Lines() iter.Seq[Run] { return f.table.runs(f.u32(fieldPCLine), f.Entry, f.End) }

// Files are the runs of source files; File names the Value.
func (f Func) Files() iter.Seq[Run] { return f.table.runs(f.u32(fieldPCFile), f.Entry, f.End) }

// FileOffset identifies a file of Files within the table; ok is false when
// there is none.
func (f Func) FileOffset(value int32) (off uint32, ok bool) {
	at := (uint64(f.u32(fieldCU)) + uint64(value)) * 4
	if value < 0 || at+4 > uint64(len(f.table.cutab)) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(f.table.cutab[at:]), true
}

// InlinedCall is one copy of a function in the code of another.
type InlinedCall struct {
	// Index identifies the copy within the function that holds it.
	Index int32
	// Parent is the Index of the copy that holds this one, or -1 when it is the
	// function's own code.
	Parent int32
	// CallPC is an instruction of the caller, at the call.
	CallPC uint64
	// StartLine is the line of the func keyword.
	StartLine int
	// NameOffset identifies the name within the table; see NameOffsets.
	NameOffset uint32

	name []byte
}

// NameBytes is the qualified name as the linker spells it. It is valid as long
// as the table's bytes are.
func (c InlinedCall) NameBytes() []byte { return c.name }

// Inlined are the runs of inlined copies: the Index of the innermost one, -1 for
// the function's own code.
func (f Func) Inlined() iter.Seq[Run] {
	const at = funcSize + 4*pcdataInlTree
	if f.inlineTree() == nil || at+4 > len(f.raw) {
		return func(func(Run) bool) {}
	}
	return f.table.runs(f.u32(at), f.Entry, f.End)
}

// InlinedCall is the copy of an Index.
func (f Func) InlinedCall(index int32) (c InlinedCall, ok bool) {
	tree := f.inlineTree()
	if index < 0 || (int(index)+1)*inlinedCallSize > len(tree) {
		return InlinedCall{}, false
	}
	record := tree[int(index)*inlinedCallSize:][:inlinedCallSize]
	c = InlinedCall{
		Index: index, Parent: -1, CallPC: f.Entry + uint64(binary.LittleEndian.Uint32(record[8:])),
		StartLine:  int(int32(binary.LittleEndian.Uint32(record[12:]))),
		NameOffset: binary.LittleEndian.Uint32(record[4:]),
	}
	c.name = cstring(f.table.names, uint64(c.NameOffset))
	const at = funcSize + 4*pcdataInlTree
	if parent, ok := f.table.pcvalue(f.u32(at), f.Entry, c.CallPC); ok {
		c.Parent = parent
	}
	return c, c.name != nil
}

// AppendCalls appends the inlined copies that hold the instruction at pc,
// innermost first.
func (f Func) AppendCalls(dst []InlinedCall, pc uint64) []InlinedCall {
	const at = funcSize + 4*pcdataInlTree
	if f.inlineTree() == nil || at+4 > len(f.raw) {
		return dst
	}
	index, ok := f.table.pcvalue(f.u32(at), f.Entry, pc)
	for range maxInlineDepth {
		if !ok {
			break
		}
		var c InlinedCall
		if c, ok = f.InlinedCall(index); ok {
			dst = append(dst, c)
			index = c.Parent
		}
	}
	return dst
}
