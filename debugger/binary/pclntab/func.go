package pclntab

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Func is one function of a table: a view of its record.
type Func struct {
	// Entry is the address of the first instruction; End is the entry of the
	// next function, so it includes padding.
	Entry, End uint64

	table *Table
	raw   []byte
}

// Frame is one logical call: a function, and where in it.
type Frame struct {
	// Function is the qualified name, with type arguments as "[...]".
	Function string
	File     string
	Line     int
}

// Fields of runtime._func, by byte offset.
const (
	fieldName      = 4
	fieldPCSP      = 16
	fieldPCFile    = 20
	fieldPCLine    = 24
	fieldNPCData   = 28
	fieldCU        = 32
	fieldStartLine = 36
	fieldFlag      = 41
	fieldNFuncData = 43
)

func (f Func) u32(off int) uint32 { return binary.LittleEndian.Uint32(f.raw[off:]) }

// NameBytes is the qualified name as the linker spells it, e.g.
// "main.(*Server).Handle" or "main.Map[go.shape.int]". It is valid as long as
// the table's bytes are.
func (f Func) NameBytes() []byte { return cstring(f.table.names, uint64(f.u32(fieldName))) }

// isNamed reports whether NameBytes is name, without looking for its end.
func (f Func) isNamed(name string) bool {
	names, off := f.table.names, uint64(f.u32(fieldName))
	end := off + uint64(len(name))
	return end < uint64(len(names)) && names[end] == 0 && string(names[off:end]) == name
}

// Name is NameBytes as a string of its own.
func (f Func) Name() string { return string(f.NameBytes()) }

// PrintName replaces the type arguments in a name, which are long and tell how
// the compiler shares code rather than what was written, as the runtime does in
// stack traces (runtime.funcNameForPrint).
func PrintName(name []byte, arguments string) []byte {
	i, j := bytes.IndexByte(name, '['), bytes.LastIndexByte(name, ']')
	if i < 0 || j <= i {
		return name
	}
	return slices.Concat(name[:i], []byte(arguments), name[j+1:])
}

// StartLine is the line of the func keyword, 0 when it was not recorded.
func (f Func) StartLine() int { return int(int32(f.u32(fieldStartLine))) }

// flagAsm is abi.FuncFlagAsm.
const flagAsm = 1 << 2

// Assembly reports whether the function is written in assembly.
func (f Func) Assembly() bool { return f.raw[fieldFlag]&flagAsm != 0 }

// FileLine is the position of the instruction at pc, in the innermost inlined
// call. The file is "?" when the table does not say.
func (f Func) FileLine(pc uint64) (file string, line int) {
	file = "?"
	n, ok := f.table.pcvalue(f.u32(fieldPCFile), f.Entry, pc)
	if ok && n >= 0 {
		at := (uint64(f.u32(fieldCU)) + uint64(n)) * 4
		if at+4 <= uint64(len(f.table.cutab)) {
			off := binary.LittleEndian.Uint32(f.table.cutab[at:])
			if s := cstring(f.table.files, uint64(off)); s != nil {
				file = string(s)
			}
		}
	}
	if n, ok := f.table.pcvalue(f.u32(fieldPCLine), f.Entry, pc); ok && n > 0 {
		line = int(n)
	}
	return file, line
}

// AppendFrames appends the logical calls at pc, innermost first: the inlined
// calls the instruction belongs to, then the function itself.
func (f Func) AppendFrames(dst []Frame, pc uint64) []Frame {
	tree := f.inlineTree()
	for range maxInlineDepth {
		file, line := f.FileLine(pc)
		call, ok := f.inlinedCall(tree, pc)
		if !ok {
			return append(dst, Frame{Function: string(PrintName(f.NameBytes(), "[...]")), File: file, Line: line})
		}
		name := cstring(f.table.names, uint64(binary.LittleEndian.Uint32(call[4:])))
		dst = append(dst, Frame{Function: string(PrintName(name, "[...]")), File: file, Line: line})
		pc = f.Entry + uint64(binary.LittleEndian.Uint32(call[8:]))
	}
	return dst
}

// inlineTree is the function's array of runtime.inlinedCall, nil without one.
func (f Func) inlineTree() []byte {
	npcdata, nfuncdata := uint64(f.u32(fieldNPCData)), uint64(f.raw[fieldNFuncData])
	if npcdata <= pcdataInlTree || nfuncdata <= funcdataInlTree {
		return nil
	}
	at := funcSize + 4*npcdata + 4*funcdataInlTree
	if at+4 > uint64(len(f.raw)) {
		return nil
	}
	off := binary.LittleEndian.Uint32(f.raw[at:])
	if off == noFuncdata || uint64(off) >= uint64(len(f.table.funcdata)) {
		return nil
	}
	return f.table.funcdata[off:]
}

// inlinedCall is the record of the innermost inlined call at pc; ok is false
// when pc is the function's own.
func (f Func) inlinedCall(tree []byte, pc uint64) (call []byte, ok bool) {
	const at = funcSize + 4*pcdataInlTree
	if tree == nil || at+4 > len(f.raw) {
		return nil, false
	}
	index, ok := f.table.pcvalue(f.u32(at), f.Entry, pc)
	if !ok || index < 0 || (int(index)+1)*inlinedCallSize > len(tree) {
		return nil, false
	}
	return tree[int(index)*inlinedCallSize:][:inlinedCallSize], true
}

// pcvalue looks pc up in the pc-value table at off: a list of pairs of varints,
// a zig-zag value delta and a pc delta, that ends with a zero value delta
// (runtime.pcvalue, runtime.step).
func (t *Table) pcvalue(off uint32, entry, pc uint64) (value int32, ok bool) {
	if off == 0 || uint64(off) >= uint64(len(t.pctab)) {
		return -1, false
	}
	p := t.pctab[off:]
	value = -1
	at := entry
	for first := true; ; first = false {
		delta, n := uvarint32(p)
		if n == 0 || (delta == 0 && !first) {
			return -1, false
		}
		p = p[n:]
		value += int32(delta>>1) ^ -int32(delta&1)
		step, n := uvarint32(p)
		if n == 0 {
			return -1, false
		}
		p = p[n:]
		at += uint64(step) * t.minLC
		if pc < at {
			return value, true
		}
	}
}

// uvarint32 decodes a varint of at most five bytes; n is 0 when it is cut or
// too long.
func uvarint32(p []byte) (v uint32, n int) {
	for i, b := range p {
		if i == 5 {
			return 0, 0
		}
		v |= uint32(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
