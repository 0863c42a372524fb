// Package pclntab reads the table the Go linker leaves in every binary, also in
// stripped ones: which functions there are, and which file, line and inlined
// calls belong to a program counter. debug/gosym reads the same table but does
// not expand inlined calls.
//
// The format is that of Go 1.20 and later (internal/abi.Go120PCLnTabMagic); it
// is described by cmd/link/internal/ld/pcln.go and runtime/symtab.go. Every
// read is bounds-checked: a damaged table gives missing answers, not panics.
package pclntab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
)

// Magic is the first word of a table written by Go 1.20 and later.
const Magic = 0xfffffff1

// HeaderSize is the length of the header on a 64-bit machine: 8 bytes and 8
// words.
const HeaderSize = 72

// Errors of Parse.
var (
	// ErrBadMagic says that the bytes are not a table of a known format.
	ErrBadMagic = errors.New("not a Go 1.20+ pclntab")
	// ErrCorrupt says that the header points outside the table.
	ErrCorrupt = errors.New("corrupt pclntab")
)

// Indexes and sizes of runtime._func and its tails (runtime/runtime2.go,
// internal/abi/funcpc.go); the same in Go 1.20 to 1.26.
const (
	funcSize         = 44
	pcdataInlTree    = 2 // abi.PCDATA_InlTreeIndex
	funcdataInlTree  = 3 // abi.FUNCDATA_InlTree
	inlinedCallSize  = 16
	maxInlineDepth   = 64 // frames per pc; in cmd/go the most is 7
	noFuncdata       = ^uint32(0)
	functabEntrySize = 8
)

// Table is a parsed table. It refers to the bytes it was parsed from and is
// safe for concurrent use.
type Table struct {
	text     uint64
	nfunc    int
	minLC    uint64
	names    []byte
	cutab    []byte
	files    []byte
	pctab    []byte
	functab  []byte
	funcdata []byte
}

// Header is the fixed part of a table, for finding where the table is.
type Header struct {
	// Funcs and Files count entries.
	Funcs, Files uint64
	// TextStart is the address of runtime.text. It is 0 in tables of Go 1.26
	// and in position-independent binaries, where the loader fills it in.
	TextStart uint64
	// Offsets from the header to the function names, the file index of the
	// compilation units, the file names, the pc-value tables and the functions.
	Names, CUs, FileNames, PCTab, Functab uint64
	minLC                                 uint8
}

// ParseHeader reads the header at the start of data.
func ParseHeader(data []byte) (Header, error) {
	if len(data) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes are no header", ErrCorrupt, len(data))
	}
	if binary.LittleEndian.Uint32(data) != Magic || data[4] != 0 || data[5] != 0 {
		return Header{}, ErrBadMagic
	}
	if data[7] != 8 || (data[6] != 1 && data[6] != 2 && data[6] != 4) {
		return Header{}, ErrBadMagic
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8+8*i:]) }
	h := Header{
		Funcs: word(0), Files: word(1), TextStart: word(2),
		Names: word(3), CUs: word(4), FileNames: word(5), PCTab: word(6), Functab: word(7),
		minLC: data[6],
	}
	if h.Names < HeaderSize || h.Names > h.CUs || h.CUs > h.FileNames || h.FileNames > h.PCTab || h.PCTab > h.Functab {
		return Header{}, fmt.Errorf("%w: parts are out of order", ErrCorrupt)
	}
	return h, nil
}

// Parse reads a table. data starts at the header and may extend past the end of
// the table; text is the address of runtime.text; funcdata are the bytes that
// begin at go:func.*, which hold the inline trees, and may be nil when they are
// not known: then inlined calls are not expanded.
func Parse(data []byte, text uint64, funcdata []byte) (*Table, error) {
	h, err := ParseHeader(data)
	if err != nil {
		return nil, err
	}
	size := uint64(len(data))
	if h.Functab > size || h.Funcs > (size-h.Functab)/functabEntrySize {
		return nil, fmt.Errorf("%w: %d functions do not fit %d bytes", ErrCorrupt, h.Funcs, size)
	}
	// The list of functions ends with a lone end address.
	if h.Funcs*functabEntrySize+4 > size-h.Functab {
		return nil, fmt.Errorf("%w: list of functions is cut", ErrCorrupt)
	}
	return &Table{
		text: text, nfunc: int(h.Funcs), minLC: uint64(h.minLC),
		names: data[h.Names:h.CUs], cutab: data[h.CUs:h.FileNames], files: data[h.FileNames:h.PCTab],
		pctab: data[h.PCTab:h.Functab], functab: data[h.Functab:], funcdata: funcdata,
	}, nil
}

// Len is the number of functions.
func (t *Table) Len() int { return t.nfunc }

// entry is the address of function i; entry(Len) is the end of the last one.
func (t *Table) entry(i int) uint64 {
	return t.text + uint64(binary.LittleEndian.Uint32(t.functab[i*functabEntrySize:]))
}

// Func returns function i in address order; ok is false when its record is
// damaged.
func (t *Table) Func(i int) (f Func, ok bool) {
	if i < 0 || i >= t.nfunc {
		return Func{}, false
	}
	off := uint64(binary.LittleEndian.Uint32(t.functab[i*functabEntrySize+4:]))
	if off > uint64(len(t.functab)) || uint64(len(t.functab))-off < funcSize {
		return Func{}, false
	}
	f = Func{Entry: t.entry(i), End: t.entry(i + 1), table: t, raw: t.functab[off:]}
	return f, f.End >= f.Entry
}

// Find returns the function that holds pc.
func (t *Table) Find(pc uint64) (f Func, ok bool) {
	if t.nfunc == 0 || pc < t.entry(0) || pc >= t.entry(t.nfunc) {
		return Func{}, false
	}
	i := sort.Search(t.nfunc, func(i int) bool { return t.entry(i) > pc }) - 1
	if i < 0 {
		return Func{}, false
	}
	f, ok = t.Func(i)
	return f, ok && pc >= f.Entry && pc < f.End
}

// Named returns the function of a name as the linker spells it.
func (t *Table) Named(name string) (f Func, ok bool) {
	for i := range t.nfunc {
		if f, ok := t.Func(i); ok && f.isNamed(name) {
			return f, true
		}
	}
	return Func{}, false
}

// Names calls yield for each name in the table, including those of functions
// that exist only as inlined copies, until yield returns false. The bytes are
// valid as long as the table's.
func (t *Table) Names(yield func(name []byte) bool) {
	t.NameOffsets(func(_ uint32, name []byte) bool { return yield(name) })
}

// NameOffsets is Names with the offset that identifies each.
func (t *Table) NameOffsets(yield func(off uint32, name []byte) bool) { eachString(t.names, yield) }

// FileNames calls yield for each source file and the offset that identifies it,
// until it returns false. The bytes are valid as long as the table's.
func (t *Table) FileNames(yield func(off uint32, name []byte) bool) { eachString(t.files, yield) }

// eachString calls yield for each NUL-terminated string that is not empty.
func eachString(b []byte, yield func(off uint32, s []byte) bool) {
	for off := 0; off < len(b); {
		i := bytes.IndexByte(b[off:], 0)
		if i < 0 || (i > 0 && !yield(uint32(off), b[off:off+i])) {
			return
		}
		off += i + 1
	}
}

// cstring is the NUL-terminated string at off.
func cstring(b []byte, off uint64) []byte {
	if off >= uint64(len(b)) {
		return nil
	}
	b = b[off:]
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return nil
	}
	return b[:i]
}
