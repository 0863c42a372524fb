package goabi

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// types is a table with one type of each shape.
type types struct{ gotype.Table }

func (t *types) number(kind gotype.Kind, size uint64) gotype.ID {
	return t.Add(gotype.Type{Kind: kind, Size: size})
}

func (t *types) array(elem gotype.ID, n uint64) gotype.ID {
	return t.Add(gotype.Type{Kind: gotype.Array, Elem: elem, Len: n, Size: n * t.Get(elem).Size})
}

// structure lays fields out as the compiler does.
func (t *types) structure(fields ...gotype.ID) gotype.ID {
	typ := gotype.Type{Kind: gotype.Struct}
	most := uint64(1)
	for _, id := range fields {
		a := Align(&t.Table, id)
		most = max(most, a)
		typ.Size = align(typ.Size, a)
		typ.Fields = append(typ.Fields, gotype.Field{Offset: typ.Size, Type: id})
		typ.Size += t.Get(id).Size
	}
	typ.Size = align(typ.Size, most)
	return t.Add(typ)
}

func reg(r uint8, dest, size uint32) location.Piece {
	return location.Piece{Kind: location.Register, Reg: r, Dest: dest, Size: size}
}

func stack(off int32, size uint32) []location.Piece {
	return []location.Piece{{Kind: location.Stack, Offset: off, Size: size}}
}

// DWARF numbers of the integer registers, in order, and of X0.
const (
	rax, rbx, rcx, rdi, rsi = 0, 3, 2, 5, 4
	x0                      = 17
)

// TestSpecificationExample is the example of abi-internal.md on amd64:
//
//	func f(a1 uint8, a2 [2]uintptr, a3 uint8) (r1 struct{x uintptr; y [2]uintptr}, r2 string)
func TestSpecificationExample(t *testing.T) {
	t.Parallel()
	var ty types
	u8, word := ty.number(gotype.Uint, 1), ty.number(gotype.Uintptr, 8)
	pair := ty.array(word, 2)
	got := AMD64.Assign(&ty.Table, []gotype.ID{u8, pair, u8}, []gotype.ID{ty.structure(word, pair), ty.number(gotype.String, 16)})
	require.Equal(t, Assignment{
		Args:    [][]location.Piece{{reg(rax, 0, 1)}, stack(0, 16), {reg(rbx, 0, 1)}},
		Results: [][]location.Piece{stack(16, 24), {reg(rax, 0, 8), reg(rbx, 8, 8)}},
	}, got)
}

func TestAssign(t *testing.T) {
	t.Parallel()
	var ty types
	i64, i32, i8, b := ty.number(gotype.Int, 8), ty.number(gotype.Int, 4), ty.number(gotype.Int, 1), ty.number(gotype.Bool, 1)
	f32, f64, c128 := ty.number(gotype.Float, 4), ty.number(gotype.Float, 8), ty.number(gotype.Complex, 16)
	str, slice, iface := ty.number(gotype.String, 16), ty.number(gotype.Slice, 24), ty.number(gotype.Interface, 16)
	ptr, opaque := ty.number(gotype.Pointer, 8), ty.number(gotype.Opaque, 8)
	empty, none, one := ty.structure(), ty.array(i64, 0), ty.array(i32, 1)
	padded := ty.structure(b, i64, i8)
	mixed := ty.structure(f32, i32, f64)
	for name, tt := range map[string]struct {
		args []gotype.ID
		want [][]location.Piece
	}{
		"integers and floats count apart": {
			[]gotype.ID{i64, f64, i8, f32},
			[][]location.Piece{{reg(rax, 0, 8)}, {reg(x0, 0, 8)}, {reg(rbx, 0, 1)}, {reg(x0+1, 0, 4)}},
		},
		"words of strings, slices, interfaces": {
			[]gotype.ID{str, slice, iface},
			[][]location.Piece{
				{reg(rax, 0, 8), reg(rbx, 8, 8)},
				{reg(rcx, 0, 8), reg(rdi, 8, 8), reg(rsi, 16, 8)},
				{reg(8, 0, 8), reg(9, 8, 8)},
			},
		},
		"padding is skipped":     {[]gotype.ID{padded}, [][]location.Piece{{reg(rax, 0, 1), reg(rbx, 8, 8), reg(rcx, 16, 1)}}},
		"struct of both":         {[]gotype.ID{mixed}, [][]location.Piece{{reg(x0, 0, 4), reg(rax, 4, 4), reg(x0+1, 8, 8)}}},
		"complex":                {[]gotype.ID{c128}, [][]location.Piece{{reg(x0, 0, 8), reg(x0+1, 8, 8)}}},
		"arrays of none and one": {[]gotype.ID{none, one, ptr}, [][]location.Piece{nil, {reg(rax, 0, 4)}, {reg(rbx, 0, 8)}}},
		"empty struct":           {[]gotype.ID{empty, i64}, [][]location.Piece{nil, {reg(rax, 0, 8)}}},
		"a value that does not fit leaves its registers": {
			[]gotype.ID{slice, slice, iface, iface, i64, i64},
			[][]location.Piece{
				{reg(rax, 0, 8), reg(rbx, 8, 8), reg(rcx, 16, 8)},
				{reg(rdi, 0, 8), reg(rsi, 8, 8), reg(8, 16, 8)},
				{reg(9, 0, 8), reg(10, 8, 8)},
				stack(0, 16),
				{reg(11, 0, 8)},
				stack(16, 8),
			},
		},
		"the stack is aligned": {
			[]gotype.ID{slice, slice, slice, i8, i32, i8, i64},
			[][]location.Piece{
				{reg(rax, 0, 8), reg(rbx, 8, 8), reg(rcx, 16, 8)},
				{reg(rdi, 0, 8), reg(rsi, 8, 8), reg(8, 16, 8)},
				{reg(9, 0, 8), reg(10, 8, 8), reg(11, 16, 8)},
				stack(0, 1), stack(4, 4), stack(8, 1), stack(16, 8),
			},
		},
		"dictionary":   {[]gotype.ID{HiddenWord, i64}, [][]location.Piece{{reg(rax, 0, 8)}, {reg(rbx, 0, 8)}}},
		"unknown type": {[]gotype.ID{0, i64}, [][]location.Piece{nil, {reg(rax, 0, 8)}}},
		"opaque type":  {[]gotype.ID{opaque, i64}, [][]location.Piece{stack(0, 8), {reg(rax, 0, 8)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, Assignment{Args: tt.want}, AMD64.Assign(&ty.Table, tt.args, nil))
		})
	}
}

// TestABI0 has no registers: everything follows on the stack, and results start
// on a word.
func TestABI0(t *testing.T) {
	t.Parallel()
	var ty types
	i8, i64 := ty.number(gotype.Int, 1), ty.number(gotype.Int, 8)
	require.Equal(t, Assignment{
		Args:    [][]location.Piece{stack(0, 8), stack(8, 1), stack(9, 1)},
		Results: [][]location.Piece{stack(16, 1), stack(24, 8)},
	}, ABI0.Assign(&ty.Table, []gotype.ID{i64, i8, i8}, []gotype.ID{i8, i64}))
}

func TestParts(t *testing.T) {
	t.Parallel()
	var ty types
	i8, i64 := ty.number(gotype.Int, 1), ty.number(gotype.Int, 8)
	require.Equal(t, []Part{{0, 1}, {8, 8}, {16, 1}}, Parts(&ty.Table, ty.structure(i8, i64, i8)))
	require.Equal(t, []Part{{0, 8}, {8, 8}}, Parts(&ty.Table, ty.number(gotype.String, 16)))
	require.Nil(t, Parts(&ty.Table, ty.array(i64, 2)))
	require.Nil(t, Parts(&ty.Table, 0))
}

// TestHostileTypes shows that types that contain themselves come to an end.
func TestHostileTypes(t *testing.T) {
	t.Parallel()
	var ty types
	loop := ty.Add(gotype.Type{})
	ty.Set(loop, gotype.Type{Kind: gotype.Struct, Size: 8, Fields: []gotype.Field{{Type: loop}, {Type: loop}}})
	require.Equal(t, Assignment{Args: [][]location.Piece{stack(0, 8)}}, AMD64.Assign(&ty.Table, []gotype.ID{loop}, nil))
	ty.Set(loop, gotype.Type{Kind: gotype.Array, Size: 8, Elem: loop, Len: 1})
	require.Equal(t, Assignment{Args: [][]location.Piece{stack(0, 8)}}, AMD64.Assign(&ty.Table, []gotype.ID{loop}, nil))
}

// TestNoOverlap draws signatures and checks that no two values share a place and
// that every piece is inside its value.
func TestNoOverlap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var ty types
		ids := []gotype.ID{
			ty.number(gotype.Int, 1), ty.number(gotype.Int, 2), ty.number(gotype.Int, 4), ty.number(gotype.Int, 8),
			ty.number(gotype.Float, 4), ty.number(gotype.Float, 8), ty.number(gotype.String, 16), ty.number(gotype.Slice, 24),
		}
		for range rapid.IntRange(0, 6).Draw(t, "composites") {
			pick := rapid.SliceOfN(rapid.SampledFrom(ids), 1, 4).Draw(t, "fields")
			if rapid.Bool().Draw(t, "array") {
				ids = append(ids, ty.array(pick[0], uint64(rapid.IntRange(0, 3).Draw(t, "len"))))
			} else {
				ids = append(ids, ty.structure(pick...))
			}
		}
		args := rapid.SliceOfN(rapid.SampledFrom(ids), 0, 12).Draw(t, "args")
		out := AMD64.Assign(&ty.Table, args, nil)
		registers := map[uint8]bool{}
		var end int32
		for i, pieces := range out.Args {
			size := ty.Get(args[i]).Size
			for _, p := range pieces {
				if uint64(p.Dest)+uint64(p.Size) > size {
					t.Fatalf("piece %+v is outside a value of %d bytes", p, size)
				}
				if p.Kind == location.Register {
					if registers[p.Reg] {
						t.Fatalf("register %d is used twice", p.Reg)
					}
					registers[p.Reg] = true
					continue
				}
				if p.Offset < end || uint64(p.Offset)%Align(&ty.Table, args[i]) != 0 {
					t.Fatalf("stack piece %+v after %d", p, end)
				}
				end = p.Offset + int32(p.Size)
			}
		}
	})
}
