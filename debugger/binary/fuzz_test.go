package binary

import (
	"debug/dwarf"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// seedInfo is debug information of a small function with every kind of entry
// that is read: parameters, a block, an inlined call, types.
func seedInfo(tb testing.TB) (abbrev, info, str, loc []byte) {
	tb.Helper()
	h := newHandwritten()
	integer := h.base("int", kindInt, 8)
	pointer, _ := h.pointer("*int", integer)
	pair := h.typ(dwarf.TagStructType, "main.pair", kindStruct, 16)
	h.member("a", integer, 0)
	h.member("b", pointer, 8)
	h.TagClose()
	h.TagOpen(dwarf.TagSubprogram, "main.f")
	h.Attr(dwarf.AttrLowpc, uint64(0x1000))
	h.Attr(dwarf.AttrHighpc, uint64(0x1100))
	h.TagOpen(dwarf.TagFormalParameter, "p")
	h.Attr(dwarf.AttrType, pair)
	h.TagClose()
	h.TagOpen(dwarf.TagLexDwarfBlock, "")
	h.Attr(dwarf.AttrLowpc, uint64(0x1010))
	h.Attr(dwarf.AttrHighpc, uint64(0x1020))
	h.TagOpen(dwarf.TagVariable, "&v")
	h.Attr(dwarf.AttrType, pointer)
	h.TagClose()
	h.TagClose()
	h.TagClose()
	h.TagClose()
	abbrev, _, _, info, _, _, _, str, loc, err := h.Build()
	require.NoError(tb, err)
	return abbrev, info, str, loc
}

// FuzzDebugInfo reads signatures, scopes and types from changed debug
// information: whatever it says, there is an answer or an error.
func FuzzDebugInfo(f *testing.F) {
	abbrev, info, str, loc := seedInfo(f)
	f.Add(abbrev, info, str, loc, uint64(0x1015))
	f.Fuzz(func(t *testing.T, abbrev, info, str, loc []byte, pc uint64) {
		if len(abbrev)+len(info)+len(str)+len(loc) > 1<<16 {
			return
		}
		readAll(abbrev, info, str, loc, pc)
	})
}

// readAll answers what can be asked of one piece of debug information; a panic
// of the standard reader is an error, as it is of every question of a Binary.
func readAll(abbrev, info, str, loc []byte, pc uint64) {
	var err error
	defer guard(&err)()
	data, err := dwarf.New(abbrev, nil, nil, info, nil, nil, nil, str)
	if err != nil {
		return
	}
	d := &debugInfo{sections: map[string][]byte{"abbrev": abbrev, "info": info, "str": str}, lists: map[bool][]byte{false: loc, true: loc}}
	if d.open() != nil {
		return
	}
	if err := d.index(handwrittenBinary.module); err != nil {
		return
	}
	for i, fn := range d.funcs {
		if i == 16 {
			return
		}
		params, _, err := d.params(fn.off)
		if err != nil {
			continue
		}
		sig := Signature{Params: params}
		builder := newTypeBuilder(d, handwrittenBinary, Reach{Depth: 2})
		for i := range sig.Params {
			sig.Params[i].Type = builder.root(sig.Params[i].typ)
		}
		if sig.Types, err = builder.finish(); err == nil {
			for i := range sig.Params {
				_, _ = sig.At(i, pc)
			}
		}
		w := scopeWalk{info: d, detail: data, pc: pc, frames: make([]scopeFrame, 1)}
		if w.function(fn.off) != nil {
			continue
		}
		for depth := range w.frames {
			if found, err := w.variables(Place{Depth: depth, Line: 10}); err == nil {
				_, _ = handwrittenBinary.placed(d, fn.off, pc, found, Reach{Depth: 1})
			}
		}
	}
}

// FuzzRuntimeTypes reads the runtime's own types from changed bytes: a segment
// that holds nothing else.
func FuzzRuntimeTypes(f *testing.F) {
	b, err := Open(binarytest.Fixture(f, "testdata/generic", binarytest.Build{}))
	require.NoError(f, err)
	types := b.bytesAt(b.module.types)[:1<<12]
	f.Add(append([]byte(nil), types...), uint64(64))
	require.NoError(f, b.Close())
	f.Fuzz(func(t *testing.T, types []byte, off uint64) {
		if len(types) > 1<<16 {
			return
		}
		const at = 0x10000
		size := uint64(len(types))
		b := &Binary{data: types, module: moduleData{
			types: at, etypes: at + size, typelinks: listing{at, size / 4}, itablinks: listing{at, size / 8},
		}}
		b.segments = []segment{{vaddr: at, size: size}}
		b.elf = nil
		name, _ := b.RuntimeTypeName(off)
		if len(name) > 1<<22 {
			t.Fatalf("a name of %d bytes from %d", len(name), len(types))
		}
		b.ItabType(at + off)
		b.DictionaryType(at+off, 1)
		var err error
		defer guard(&err)()
		builder := newTypeBuilder(nil, b, Reach{Depth: 3, Implementers: 8, Dynamic: []uint64{off}})
		builder.part(typeRef{runtime: off})
		_, _ = builder.finish()
	})
}
