package binary

import (
	"debug/dwarf"
	"testing"

	"github.com/go-delve/delve/pkg/dwarf/dwarfbuilder"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// handwritten is debug information that no compiler writes.
type handwritten struct {
	*dwarfbuilder.Builder
}

func newHandwritten() handwritten {
	b := dwarfbuilder.New()
	b.AddCompileUnit("main", 0x1000)
	return handwritten{b}
}

// typ opens a type of a Go kind; close it with TagClose.
func (h handwritten) typ(tag dwarf.Tag, name string, kind uint8, size uint64) dwarf.Offset {
	off := h.TagOpen(tag, name)
	if kind != 0 {
		h.Attr(attrGoKind, kind)
	}
	h.Attr(dwarf.AttrByteSize, size)
	return off
}

func (h handwritten) base(name string, kind uint8, size uint64) dwarf.Offset {
	off := h.typ(dwarf.TagBaseType, name, kind, size)
	h.TagClose()
	return off
}

// pointer also returns where the pointee can be patched in.
func (h handwritten) pointer(name string, to dwarf.Offset) (off, patch dwarf.Offset) {
	off = h.TagOpen(dwarf.TagPointerType, name)
	patch = h.Attr(dwarf.AttrType, to)
	h.Attr(attrGoKind, uint8(kindPointer))
	h.TagClose()
	return off, patch
}

func (h handwritten) member(name string, typ dwarf.Offset, at uint64) {
	h.TagOpen(dwarf.TagMember, name)
	h.Attr(dwarf.AttrType, typ)
	h.Attr(dwarf.AttrDataMemberLoc, at)
	h.TagClose()
}

// read closes the unit and indexes it.
func (h handwritten) read(t *testing.T) *debugInfo {
	t.Helper()
	h.TagClose()
	abbrev, _, _, info, _, _, _, str, loc, err := h.Build()
	require.NoError(t, err)
	d := &debugInfo{sections: map[string][]byte{"abbrev": abbrev, "info": info, "str": str}, lists: map[bool][]byte{false: loc}}
	require.NoError(t, d.open())
	require.NoError(t, d.index(handwrittenBinary.module))
	return d
}

var handwrittenBinary = &Binary{module: moduleData{types: 0x8000, etypes: 0x9000}}

func table(t *testing.T, d *debugInfo, depth int, roots ...dwarf.Offset) (*gotype.Table, error) {
	t.Helper()
	b := newTypeBuilder(d, handwrittenBinary, Reach{Depth: depth})
	for _, off := range roots {
		b.root(off)
	}
	return b.finish()
}

func list(tab *gotype.Table) (all []gotype.Type) {
	for id := 1; id <= tab.Len(); id++ {
		all = append(all, *tab.Get(gotype.ID(id)))
	}
	return all
}

func TestTypesOfEveryKind(t *testing.T) {
	t.Parallel()
	h := newHandwritten()
	var roots []dwarf.Offset
	var want []gotype.Type
	add := func(name string, kind uint8, size uint64, wantKind gotype.Kind, wantSize uint64) {
		roots = append(roots, h.base(name, kind, size))
		want = append(want, gotype.Type{ID: gotype.ID(len(roots)), Kind: wantKind, Name: name, Size: wantSize})
	}
	add("bool", kindBool, 1, gotype.Bool, 1)
	add("int8", 3, 1, gotype.Int, 1)
	add("int", kindInt, 8, gotype.Int, 8)
	add("int64 with flags", kindInt64|1<<5, 8, gotype.Int, 8)
	add("uint8", 8, 1, gotype.Uint, 1)
	add("main.Color", 9, 2, gotype.Uint, 2)
	add("uintptr", kindUintptr, 8, gotype.Uintptr, 8)
	add("float32", kindFloat32, 4, gotype.Float, 4)
	add("complex128", kindComplex128, 16, gotype.Complex, 16)
	add("string", kindString, 16, gotype.String, 16)
	add("unsafe.Pointer", kindUnsafePointer, 8, gotype.UnsafePointer, 8)
	add("func()", kindFunc, 0, gotype.Func, 8)
	add("error", kindInterface, 16, gotype.Interface, 16)
	add("pointer to nothing", kindPointer, 8, gotype.UnsafePointer, 8)
	add("no kind", 0, 3, gotype.Opaque, 3)
	add("int of three bytes", kindInt, 3, gotype.Opaque, 3)
	add("float of two bytes", kindFloat64, 2, gotype.Opaque, 2)
	add("huge", kindInt, 1<<50, gotype.Opaque, 0)
	add("kind 31", 31, 8, gotype.Opaque, 8)
	tab, err := table(t, h.read(t), 3, roots...)
	require.NoError(t, err)
	require.Equal(t, want, list(tab))
}

// TestTypesOfC have no Go kind.
func TestTypesOfC(t *testing.T) {
	t.Parallel()
	h := newHandwritten()
	encoded := func(name string, encoding uint8, size uint64) dwarf.Offset {
		off := h.TagOpen(dwarf.TagBaseType, name)
		h.Attr(dwarf.AttrEncoding, encoding)
		h.Attr(dwarf.AttrByteSize, size)
		h.TagClose()
		return off
	}
	number := encoded("int", encodingSigned, 4)
	alias := h.TagOpen(dwarf.TagTypedef, "int32_t")
	h.Attr(dwarf.AttrType, number)
	h.TagClose()
	constant := h.TagOpen(dwarf.TagConstType, "")
	h.Attr(dwarf.AttrType, alias)
	h.TagClose()
	enum := h.typ(dwarf.TagEnumerationType, "color", 0, 4)
	h.TagClose()
	union := h.typ(dwarf.TagUnionType, "either", 0, 8)
	h.TagClose()
	roots := []dwarf.Offset{
		constant, encoded("char", encodingUnsignedChar, 1), encoded("bool", encodingBoolean, 1), encoded("double", encodingFloat, 8),
		encoded("long double", encodingFloat, 16), encoded("float complex", encodingComplexFloat, 8), enum, union,
	}
	tab, err := table(t, h.read(t), 3, roots...)
	require.NoError(t, err)
	var kinds []gotype.Kind
	for _, typ := range list(tab) {
		kinds = append(kinds, typ.Kind)
	}
	require.Equal(t, []gotype.Kind{
		gotype.Int, gotype.Uint, gotype.Bool, gotype.Float, gotype.Opaque, gotype.Complex, gotype.Int, gotype.Opaque,
	}, kinds)
	require.Equal(t, "int", tab.Get(1).Name)
}

// TestTypesRecursive reads a list: Node{Next *Node; Other *Leaf}.
func TestTypesRecursive(t *testing.T) {
	t.Parallel()
	h := newHandwritten()
	leaf := h.base("main.Leaf", kindInt, 8)
	toLeaf, _ := h.pointer("*main.Leaf", leaf)
	toNode, patch := h.pointer("*main.Node", 0)
	node := h.typ(dwarf.TagStructType, "main.Node", kindStruct, 16)
	h.Attr(attrGoRuntimeType, uint64(0x8040))
	h.SetHasChildren()
	h.member("Next", toNode, 0)
	h.member("Other", toLeaf, 8)
	h.TagClose()
	h.PatchOffset(patch, node)
	d := h.read(t)

	want := []gotype.Type{
		{ID: 1, Kind: gotype.Struct, Name: "main.Node", Size: 16, RuntimeOffset: 0x40, Fields: []gotype.Field{
			{Name: "Next", Offset: 0, Type: 2}, {Name: "Other", Offset: 8, Type: 3},
		}},
		{ID: 2, Kind: gotype.Pointer, Name: "*main.Node", Size: 8, Elem: 1},
		{ID: 3, Kind: gotype.Pointer, Name: "*main.Leaf", Size: 8},
	}
	tab, err := table(t, d, 0, node)
	require.NoError(t, err)
	require.Equal(t, want, list(tab), "the leaf is one pointer too deep, the node is known anyway")

	want[2].Elem = 4
	want = append(want, gotype.Type{ID: 4, Kind: gotype.Int, Name: "main.Leaf", Size: 8})
	tab, err = table(t, d, 1, node)
	require.NoError(t, err)
	require.Equal(t, want, list(tab))
}

func TestTypesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(h handwritten) dwarf.Offset{
		"struct in itself": func(h handwritten) dwarf.Offset {
			s := h.typ(dwarf.TagStructType, "main.S", kindStruct, 8)
			h.SetHasChildren()
			h.member("Self", s, 0)
			h.TagClose()
			return s
		},
		"array of itself": func(h handwritten) dwarf.Offset {
			a := h.typ(dwarf.TagArrayType, "main.A", kindArray, 8)
			patch := h.Attr(dwarf.AttrType, dwarf.Offset(0))
			h.PatchOffset(patch, a)
			h.TagClose()
			return a
		},
		"member larger than the struct": func(h handwritten) dwarf.Offset {
			text := h.base("string", kindString, 16)
			s := h.typ(dwarf.TagStructType, "main.S", kindStruct, 8)
			h.SetHasChildren()
			h.member("Text", text, 0)
			h.TagClose()
			return s
		},
		"array larger than itself": func(h handwritten) dwarf.Offset {
			elem := h.base("int", kindInt, 8)
			a := h.typ(dwarf.TagArrayType, "main.A", kindArray, 8)
			h.Attr(dwarf.AttrType, elem)
			h.SetHasChildren()
			h.TagOpen(dwarf.TagSubrangeType, "")
			h.Attr(dwarf.AttrCount, uint64(1<<40))
			h.TagClose()
			h.TagClose()
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHandwritten()
			root := build(h)
			_, err := table(t, h.read(t), 3, root)
			require.ErrorIs(t, err, ErrCorrupt)
		})
	}
}

func TestTypedefLoop(t *testing.T) {
	t.Parallel()
	h := newHandwritten()
	loop := h.TagOpen(dwarf.TagTypedef, "main.T")
	patch := h.Attr(dwarf.AttrType, dwarf.Offset(0))
	h.TagClose()
	h.PatchOffset(patch, loop)
	tab, err := table(t, h.read(t), 3, loop)
	require.NoError(t, err)
	require.Equal(t, []gotype.Type{{ID: 1, Kind: gotype.Opaque, Name: "main.T"}}, list(tab))
}

// TestParamsMerge reads a function that is also inlined: one parameter has a
// place, one is not used, one has no name, and the last is described twice.
func TestParamsMerge(t *testing.T) {
	t.Parallel()
	h := newHandwritten()
	integer := h.base("int", kindInt, 8)
	param := func(name string) dwarf.Offset {
		off := h.TagOpen(dwarf.TagFormalParameter, name)
		h.Attr(dwarf.AttrType, integer)
		h.TagClose()
		return off
	}
	abstract := h.TagOpen(dwarf.TagSubprogram, "main.f")
	h.Attr(dwarf.AttrInline, uint8(1))
	h.SetHasChildren()
	used := param("used")
	param("unused")
	sum := param("sum")
	h.TagClose()
	concrete := h.TagOpen(dwarf.TagSubprogram, "main.f")
	h.Attr(dwarf.AttrAbstractOrigin, abstract)
	h.Attr(dwarf.AttrLowpc, dwarfbuilder.Address(0x1000))
	h.Attr(dwarf.AttrHighpc, dwarfbuilder.Address(0x1040))
	h.SetHasChildren()
	param("~p0")
	h.TagOpen(dwarf.TagFormalParameter, "used")
	h.Attr(dwarf.AttrAbstractOrigin, used)
	h.Attr(dwarf.AttrLocation, []dwarfbuilder.LocEntry{{Lowpc: 0x1000, Highpc: 0x1010, Loc: []byte{0x50}}})
	h.TagClose()
	for range 2 {
		h.TagOpen(dwarf.TagFormalParameter, "sum")
		h.Attr(dwarf.AttrAbstractOrigin, sum)
		h.Attr(dwarf.AttrLocation, []byte{})
		h.TagClose()
	}
	h.TagClose()
	d := h.read(t)

	off, ok := d.function(0x1000)
	require.True(t, ok)
	require.Equal(t, concrete, off)
	_, ok = d.function(0x1001)
	require.False(t, ok)
	params, _, err := d.params(off)
	require.NoError(t, err)
	var names []string
	for _, p := range params {
		names = append(names, p.Name)
	}
	require.Equal(t, []string{"~p0", "used", "unused", "sum"}, names)

	tab, err := table(t, d, 0, integer)
	require.NoError(t, err)
	params[1].Type = 1
	sig := &Signature{Params: params, Types: tab}
	pieces, err := sig.At(1, 0x100f)
	require.NoError(t, err)
	require.Equal(t, []location.Piece{{Kind: location.Register, Size: 8}}, pieces)
	_, err = sig.At(1, 0x1010)
	require.ErrorIs(t, err, location.ErrOptimisedOut)
	_, err = sig.At(0, 0x1000)
	require.ErrorIs(t, err, location.ErrOptimisedOut)
}

func TestMergeKeepsTheOrderOfDeclaration(t *testing.T) {
	t.Parallel()
	abstract := []formal{{off: 10, param: Param{Name: "a"}}, {off: 11, param: Param{Name: "b"}}, {off: 12, param: Param{Name: "c"}}, {off: 13, param: Param{Name: "d"}}}
	concrete := []formal{{off: 20, param: Param{Name: "~p0"}}, {off: 21, origin: 11}, {off: 22, param: Param{Name: "~p3"}}, {off: 23, origin: 12}}
	var names []string
	for _, f := range merge(abstract, concrete) {
		names = append(names, f.param.Name)
	}
	require.Equal(t, []string{"~p0", "a", "b", "~p3", "c", "d"}, names)
}
