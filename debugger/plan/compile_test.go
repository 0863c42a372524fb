package plan

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// table is a gotype.Table with short ways to fill it.
type table struct{ gotype.Table }

func (t *table) scalar(kind gotype.Kind, name string, size uint64) gotype.ID {
	return t.Add(gotype.Type{Kind: kind, Name: name, Size: size})
}

func (t *table) str() gotype.ID { return t.scalar(gotype.String, "string", 16) }

func (t *table) slice(elem gotype.ID) gotype.ID {
	return t.Add(gotype.Type{Kind: gotype.Slice, Name: "[]" + t.Get(elem).Name, Size: 24, Elem: elem})
}

func (t *table) pointer(elem gotype.ID) gotype.ID {
	return t.Add(gotype.Type{Kind: gotype.Pointer, Name: "*" + t.Get(elem).Name, Size: 8, Elem: elem})
}

func (t *table) array(elem gotype.ID, n uint64) gotype.ID {
	e := t.Get(elem)
	return t.Add(gotype.Type{Kind: gotype.Array, Name: "array of " + e.Name, Size: n * e.Size, Elem: elem, Len: n})
}

// structure adds a struct whose fields are laid out one after the other.
func (t *table) structure(name string, fields ...gotype.ID) gotype.ID {
	s := gotype.Type{Kind: gotype.Struct, Name: name}
	for i, id := range fields {
		s.Fields = append(s.Fields, gotype.Field{Name: string(rune('A' + i)), Offset: s.Size, Type: id})
		s.Size += (t.Get(id).Size + 7) &^ 7
	}
	return t.Add(s)
}

func registers(first uint8, n int) []Piece {
	var pieces []Piece
	for i := range n {
		pieces = append(pieces, Piece{Kind: PieceRegister, Reg: first + uint8(i), Dest: uint32(8 * i), Size: 8})
	}
	return pieces
}

func stack(offset int32, size uint32) []Piece {
	return []Piece{{Kind: PieceStack, Offset: offset, Size: size}}
}

// samples are plans that together use every instruction and every rule.
func samples() map[string]*Plan {
	plans := map[string]*Plan{}

	t := &table{}
	i8, i64 := t.scalar(gotype.Int, "int8", 1), t.scalar(gotype.Int, "int64", 8)
	plans["scalars"] = &Plan{Types: &t.Table, Variables: []Variable{
		{Name: "a", Type: i8, Pieces: []Piece{{Kind: PieceRegister, Reg: 0, Size: 1}}},
		{Name: "b", Type: i64, Pieces: registers(3, 1)},
		{Name: "gone", Type: i64, Unavailable: "optimised out", Pieces: registers(4, 1)},
		{Name: "c", Type: i64, Pieces: stack(16, 8)},
	}}

	plans["jumps"] = &Plan{
		Types: &t.Table, Sites: []Site{{Kind: SiteEntry}, {Kind: SiteTail}, {Kind: SiteReturn}},
		Variables: []Variable{
			{Name: "a", Role: RoleArgument, Type: i64, Pieces: registers(0, 1)},
			{Name: "r0", Role: RoleResult, Type: i64, Pieces: registers(0, 1)},
			{Name: "r1", Role: RoleResult, Type: i64, Pieces: registers(3, 1)},
			{Name: "r2", Role: RoleResult, Type: i64, Unavailable: "optimised out"},
		},
	}

	t = &table{}
	str := t.str()
	order := t.Add(gotype.Type{Name: "main.Order"})
	tags, next := t.slice(str), t.pointer(order)
	line := t.structure("main.Line", t.scalar(gotype.Int, "int32", 4), str)
	t.Set(order, gotype.Type{Kind: gotype.Struct, Name: "main.Order", Size: 120, Fields: []gotype.Field{
		{Name: "ID", Type: t.scalar(gotype.Int, "int", 8)},
		{Name: "Name", Offset: 8, Type: str},
		{Name: "Tags", Offset: 24, Type: tags},
		{Name: "Next", Offset: 48, Type: next},
		{Name: "Lines", Offset: 56, Type: t.array(line, 2)},
	}})
	plans["graph"] = &Plan{Types: &t.Table, Variables: []Variable{
		{Name: "o", Type: next, Pieces: registers(0, 1)},
		{Name: "s", Type: str, Pieces: []Piece{
			{Kind: PieceRegister, Reg: 3, Size: 8}, {Kind: PieceRegister, Reg: 2, Dest: 8, Size: 8},
		}},
		{Name: "all", Type: t.slice(next), Pieces: stack(8, 24)},
	}}

	t = &table{}
	f64 := t.scalar(gotype.Float, "float64", 8)
	vec := t.structure("main.Vec", t.scalar(gotype.Int, "int64", 8), f64)
	plans["vector"] = &Plan{Types: &t.Table, Variables: []Variable{
		{Name: "x", Type: f64, Pieces: registers(17, 1)},
		{Name: "v", Type: vec, Pieces: []Piece{
			{Kind: PieceRegister, Reg: 0, Size: 8}, {Kind: PieceRegister, Reg: 18, Dest: 8, Size: 8},
		}},
	}}

	t = &table{}
	str = t.str()
	page := t.array(t.scalar(gotype.Uint, "uint8", 1), 4096)
	huge := t.structure("main.Huge", str, t.array(page, 3), str)
	void := t.structure("struct {}")
	plans["limits"] = &Plan{
		Types:  &t.Table,
		Limits: Limits{Depth: 1, Collection: 3, Length: 10000, Fields: 2},
		Variables: []Variable{
			{Name: "wide", Type: t.structure("main.Wide", str, str, str), Pieces: stack(8, 48)},
			{Name: "array", Type: t.array(str, 5), Pieces: stack(56, 80)},
			{Name: "huge", Type: t.pointer(huge), Pieces: registers(0, 1)},
			{Name: "pages", Type: t.slice(page), Pieces: stack(136, 24)},
			{Name: "huges", Type: t.slice(huge), Pieces: stack(160, 24)},
			{Name: "void", Type: t.pointer(void), Pieces: registers(3, 1)},
			{Name: "voids", Type: t.slice(void), Pieces: stack(184, 24)},
			{Name: "byValue", Type: huge, Pieces: stack(208, 12320)},
		},
	}

	t = &table{}
	m := t.Add(gotype.Type{Kind: gotype.Map, Name: "map[string]int", Size: 8})
	f := t.Add(gotype.Type{Kind: gotype.Func, Name: "func()", Size: 8})
	any := t.Add(gotype.Type{Kind: gotype.Interface, Name: "any", Size: 16, Empty: true})
	plans["opaque"] = &Plan{Types: &t.Table, Variables: []Variable{
		{Name: "m", Type: t.pointer(m), Pieces: registers(0, 1)},
		{Name: "f", Type: f, Pieces: registers(3, 1)},
		{Name: "i", Type: any, Pieces: registers(4, 2)},
	}}

	t = &table{}
	str = t.str()
	plans["returns"] = &Plan{
		Types: &t.Table,
		Sites: []Site{{Kind: SiteEntry}, {Kind: SiteReturn}, {Kind: SiteReturn}},
		Variables: []Variable{
			{Name: "s", Role: RoleArgument, Type: str, Pieces: stack(8, 16)},
			{Name: "r0", Role: RoleResult, Type: str, Pieces: registers(0, 2)},
			{Name: "r1", Role: RoleResult, Type: t.slice(str), Pieces: stack(24, 24)},
		},
	}

	plans["runtime"] = behind(gotype.Runtime{Swiss: &gotype.SwissLayout{DirPtr: 16, DirLen: 24, GlobalDepth: 32, LocalDepth: 6, Index: 8, Groups: 16, LengthMask: 24}})
	plans["buckets"] = behind(gotype.Runtime{Hash: &gotype.HashLayout{Flags: 8, B: 9, Buckets: 16, OldBuckets: 24, SameSize: 8}})
	plans["empty"] = &Plan{}
	return plans
}

// behind is a plan with everything that the runtime keeps behind a word.
func behind(r gotype.Runtime) *Plan {
	t := &table{}
	r.Types, r.ItabType = 0x500000, 8
	r.Chan = gotype.ChanLayout{Capacity: 8, Buffer: 16, Closed: 28, Receive: 56}
	r.Location = gotype.LocationLayout{CacheStart: 80, CacheEnd: 88, CacheZone: 96, ZoneOffset: 16}
	t.Runtime = r
	i64, str := t.scalar(gotype.Int, "int", 8), t.str()
	t.Set(i64, gotype.Type{Kind: gotype.Int, Name: "int", Size: 8, RuntimeOffset: 0x40, Held: gotype.HeldBehind})
	t.Set(str, gotype.Type{Kind: gotype.String, Name: "string", Size: 16, RuntimeOffset: 0x20, Held: gotype.HeldBehind})
	layout := func(key, elem uint32) *gotype.MapLayout {
		m := &gotype.MapLayout{GroupSize: 8 + 8*(key+elem), Keys: 8, KeyStride: key + elem, Elems: 8 + key, ElemStride: key + elem}
		if r.Swiss == nil {
			m.KeyStride, m.ElemStride, m.Elems = key, elem, 8+8*key
			m.Overflow = m.GroupSize
			m.GroupSize += 8
		}
		return m
	}
	big := t.array(str, 10)
	names := t.Add(gotype.Type{Kind: gotype.Map, Name: "map[string]int", Size: 8, Key: str, Elem: i64, Map: layout(16, 8), RuntimeOffset: 0x60, Held: gotype.HeldDirect})
	bigs := layout(8, 8)
	bigs.IndirectElem = true
	any := t.Add(gotype.Type{Kind: gotype.Interface, Name: "interface {}", Size: 16, Empty: true})
	loc := t.Add(gotype.Type{Kind: gotype.Pointer, Name: "*time.Location", Size: 8})
	tm := t.Add(gotype.Type{Kind: gotype.Struct, Name: "time.Time", Size: 24, Fields: []gotype.Field{
		{Name: "wall", Type: i64}, {Name: "ext", Offset: 8, Type: i64}, {Name: "loc", Offset: 16, Type: loc},
	}})
	box := t.structure("main.Box", t.pointer(i64))
	t.Set(box, gotype.Type{Kind: gotype.Struct, Name: "main.Box", Size: 8, Fields: t.Get(box).Fields, RuntimeOffset: 0x10, Held: gotype.HeldDirect})
	return &Plan{Types: &t.Table, Variables: []Variable{
		{Name: "names", Type: names, Pieces: registers(0, 1)},
		{Name: "bigs", Type: t.Add(gotype.Type{Kind: gotype.Map, Name: "map[int][10]string", Size: 8, Key: i64, Elem: big, Map: bigs}), Pieces: registers(1, 1)},
		{Name: "numbers", Type: t.Add(gotype.Type{Kind: gotype.Map, Name: "map[int]int", Size: 8, Key: i64, Elem: i64, Map: layout(8, 8)}), Pieces: registers(2, 1)},
		{Name: "far", Type: t.Add(gotype.Type{Kind: gotype.Map, Name: "map[int]main.Far", Size: 8, Key: i64, Map: layout(8, 8)}), Pieces: registers(3, 1)},
		{Name: "c", Type: t.Add(gotype.Type{Kind: gotype.Chan, Name: "chan string", Size: 8, Elem: str}), Pieces: registers(4, 1)},
		{Name: "f", Type: t.Add(gotype.Type{Kind: gotype.Func, Name: "func()", Size: 8}), Pieces: registers(5, 1)},
		{Name: "any", Type: any, Pieces: registers(6, 2)},
		{Name: "err", Type: t.Add(gotype.Type{Kind: gotype.Interface, Name: "error", Size: 16}), Pieces: registers(8, 2)},
		{Name: "ctx", Type: t.Add(gotype.Type{Kind: gotype.Interface, Name: "context.Context", Size: 16}), Pieces: stack(8, 16)},
		{Name: "at", Type: tm, Pieces: stack(24, 24)},
		{Name: "box", Type: box, Pieces: stack(48, 8)},
	}}
}

func TestCompileGolden(t *testing.T) {
	t.Parallel()
	for name, p := range samples() {
		p.Function = "main." + name
		require.NoError(t, Compile(p), name)
		got := DumpCode(p)
		for _, v := range p.Variables {
			if v.Unavailable != "" {
				got += v.Name + ": " + v.Unavailable + "\n"
			}
		}
		path := filepath.Join("testdata", "code", name+".txt")
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, name)
	}
}

func TestCompileIsDeterministic(t *testing.T) {
	t.Parallel()
	first, second := samples(), samples()
	for name, p := range first {
		require.NoError(t, Compile(p))
		require.NoError(t, Compile(second[name]))
		require.Equal(t, p.Code, second[name].Code, name)
		code := p.Code
		require.NoError(t, Compile(p), "a compiled plan can be compiled again")
		require.Equal(t, code, p.Code, name)
	}
}

func TestCompileKeepsAGivenLayout(t *testing.T) {
	t.Parallel()
	ty := &table{}
	p := &Plan{Types: &ty.Table, RootSize: 64, Variables: []Variable{
		{Name: "a", Type: ty.scalar(gotype.Int, "int", 8), RootOffset: 32, Pieces: registers(0, 1)},
	}}
	require.NoError(t, Compile(p))
	require.Equal(t, []Op{{Code: OpRegister, Offset: 32, Size: 8}, {Code: OpEnd}}, p.Code)
	require.EqualValues(t, 64, p.RootSize)
}

func TestCompileRejectsContradictions(t *testing.T) {
	t.Parallel()
	ty := &table{}
	i64 := ty.scalar(gotype.Int, "int64", 8)
	for want, p := range map[string]*Plan{
		"compile main.f: variable x has type id 9, which the plan's table does not hold": {
			Variables: []Variable{{Name: "x", Type: 9, Pieces: registers(0, 1)}},
		},
		"compile main.f: variable x of 8 bytes has a piece of 8 bytes at 4": {
			Variables: []Variable{{Name: "x", Type: i64, Pieces: []Piece{{Kind: PieceRegister, Dest: 4, Size: 8}}}},
		},
		"compile main.f: variable x of 8 bytes has a piece of 9 bytes at 0": {
			Variables: []Variable{{Name: "x", Type: i64, Pieces: []Piece{{Kind: PieceRegister, Size: 9}}}},
		},
		"compile main.f: variable x has a piece of unknown kind 7": {
			Variables: []Variable{{Name: "x", Type: i64, Pieces: []Piece{{Kind: 7, Size: 8}}}},
		},
		"compile main.f: variable x of 8 bytes at 4 does not fit the root of 8": {
			RootSize:  8,
			Variables: []Variable{{Name: "x", Type: i64, RootOffset: 4, Pieces: registers(0, 1)}},
		},
	} {
		p.Function = "main.f"
		if p.Types == nil {
			p.Types = &ty.Table
		}
		require.EqualError(t, Compile(p), want)
	}
}

// TestCompileBoundsAnyTable checks what the kernel program relies on, for tables
// no Go compiler would write: types that contain themselves, sizes that lie.
func TestCompileBoundsAnyTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const n = 12
		ty := behind(gotype.Runtime{Swiss: &gotype.SwissLayout{DirPtr: 16, DirLen: 24}}).Types
		*ty = gotype.Table{Runtime: ty.Runtime}
		if rapid.Bool().Draw(t, "buckets") {
			ty.Runtime.Swiss, ty.Runtime.Hash = nil, &gotype.HashLayout{B: 9, Buckets: 16, OldBuckets: 24}
		}
		id := rapid.Map(rapid.IntRange(0, n+1), func(i int) gotype.ID { return gotype.ID(i) })
		size := rapid.OneOf(rapid.Uint64Range(0, 64), rapid.Uint64Range(0, 1<<20), rapid.Uint64())
		for range n {
			typ := gotype.Type{
				Kind: gotype.Kind(rapid.IntRange(int(gotype.Invalid), int(gotype.Opaque)).Draw(t, "kind")),
				Size: size.Draw(t, "size"), Elem: id.Draw(t, "elem"), Len: size.Draw(t, "len"),
				Key: id.Draw(t, "key"), Empty: rapid.Bool().Draw(t, "empty"), RuntimeOffset: size.Draw(t, "runtime"),
				Held: gotype.Held(rapid.IntRange(0, 2).Draw(t, "held")),
			}
			if rapid.Bool().Draw(t, "layout") {
				typ.Map = &gotype.MapLayout{GroupSize: rapid.Uint32().Draw(t, "group"), Keys: 8, KeyStride: rapid.Uint32().Draw(t, "stride"), Elems: rapid.Uint32().Draw(t, "elems"), Overflow: rapid.Uint32().Draw(t, "overflow")}
			}
			for range rapid.IntRange(0, 4).Draw(t, "fields") {
				typ.Fields = append(typ.Fields, gotype.Field{Offset: size.Draw(t, "offset"), Type: id.Draw(t, "field")})
			}
			ty.Add(typ)
		}
		limit := rapid.IntRange(-1, 1<<30)
		p := &Plan{Types: ty, Limits: Limits{limit.Draw(t, "depth"), limit.Draw(t, "collection"), limit.Draw(t, "length"), limit.Draw(t, "fields")}}
		for i := range n {
			typ := ty.Get(gotype.ID(i + 1))
			p.Variables = append(p.Variables, Variable{Name: "v", Type: typ.ID, Pieces: stack(8, uint32(min(typ.Size, 1<<31)))})
		}
		require.NoError(t, Compile(p))
		require.LessOrEqual(t, p.RootSize, uint32(MaxItem))
		require.LessOrEqual(t, len(p.Code), (3*n+1)*(maxRoutine+1)+n)
		starts := map[uint32]bool{0: true}
		for i, op := range p.Code {
			if op.Code == OpEnd {
				starts[uint32(i)+1] = true
			}
		}
		require.Equal(t, OpEnd, p.Code[len(p.Code)-1].Code)
		for _, op := range p.Code {
			require.True(t, op.Routine == 0 || starts[op.Routine], "routine %d is not the start of one", op.Routine)
			require.Less(t, op.Offset, uint32(2*MaxItem))
			if op.Code == OpStack || op.Code == OpRegister {
				require.LessOrEqual(t, op.Offset+op.Size, p.RootSize)
			}
			if op.Code >= OpPointer {
				if op.Code != OpGroups && op.Code != OpInstance {
					require.LessOrEqual(t, uint64(op.Limit)*uint64(op.Size), uint64(MaxItem))
				}
				require.NotZero(t, op.Type)
			}
		}
	})
}

func TestRecordLayout(t *testing.T) {
	t.Parallel()
	op := Op{Code: OpSlice, Reg: 2, Reason: event.ReasonCollection, Offset: 0x01020304, CFA: -2, Size: 5, Limit: 6, Type: 7, Routine: 8, Flags: FlagItab, Aux: 9}
	require.Equal(t, []byte{
		0xee,
		6, 2, 3, 4,
		4, 3, 2, 1,
		0xfe, 0xff, 0xff, 0xff,
		5, 0, 0, 0,
		6, 0, 0, 0,
		7, 0, 0, 0,
		8, 0, 0, 0,
		9, 0, 0, 0,
	}, op.AppendRecord([]byte{0xee}))
	require.Len(t, op.AppendRecord(nil), RecordSize)
}

func BenchmarkCompile(b *testing.B) {
	p := samples()["graph"]
	b.ReportAllocs()
	for b.Loop() {
		if err := Compile(p); err != nil {
			b.Fatal(err)
		}
	}
}
