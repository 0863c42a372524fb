package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// orderTypes is the type graph of main.Order in the target.
type orderTypes struct {
	types
	str, i32, i64, f64, strs, order, orderPtr, line gotype.ID
}

func newOrderTypes() *orderTypes {
	t := &orderTypes{}
	t.str = t.types.str()
	t.i32, t.i64 = t.scalar(gotype.Int, "int32", 4), t.scalar(gotype.Int, "int64", 8)
	t.f64 = t.scalar(gotype.Float, "float64", 8)
	t.strs = t.slice(t.str)
	t.order = t.Add(gotype.Type{Name: "main.Order"})
	t.orderPtr = t.pointer(t.order)
	t.line = t.Add(gotype.Type{Kind: gotype.Struct, Name: "main.Line", Size: 24, Fields: []gotype.Field{
		{Name: "Qty", Type: t.i32}, {Name: "Text", Offset: 8, Type: t.str},
	}})
	lines := t.Add(gotype.Type{Kind: gotype.Array, Name: "[2]main.Line", Size: 48, Elem: t.line, Len: 2})
	t.Set(t.order, gotype.Type{Kind: gotype.Struct, Name: "main.Order", Size: 112, Fields: []gotype.Field{
		{Name: "ID", Type: t.i64},
		{Name: "Name", Offset: 8, Type: t.str},
		{Name: "Tags", Offset: 24, Type: t.strs},
		{Name: "Next", Offset: 48, Type: t.orderPtr},
		{Name: "Lines", Offset: 56, Type: lines},
		{Name: "Score", Offset: 104, Type: t.pointer(t.f64)},
	}})
	return t
}

// capture is one function of the target, what to capture there and what the
// result looks like.
type capture struct {
	command, function string
	limits            plan.Limits
	variables         func(t *orderTypes, a *abi) []plan.Variable
	want              []string
	wantFaults        uint64
	wantItems         int // when it matters
}

var captures = map[string]capture{
	"strings": {
		command: "text", function: "main.Text",
		limits: plan.Limits{Length: 12},
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			return []plan.Variable{
				{Name: "a", Type: t.str, Pieces: a.words(2)},
				{Name: "b", Type: t.str, Pieces: a.words(2)},
				{Name: "c", Type: t.str, Pieces: a.words(2)},
			}
		},
		want: []string{
			`a = "hello"`,
			`b = ""`,
			`c = 12 of 1000: "012345678901"<length>`,
		},
	},
	"graph": {
		command: "pointers", function: "main.Pointers",
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			ptr := t.pointer(t.i64)
			return []plan.Variable{
				{Name: "p", Type: ptr, Pieces: a.words(1)},
				{Name: "null", Type: ptr, Pieces: a.words(1)},
				{Name: "o", Type: t.orderPtr, Pieces: a.words(1)},
				{Name: "wild", Type: ptr, Pieces: a.words(1)},
			}
		},
		want: []string{
			`p = &7`,
			`null = nil`,
			`o = &{ID:1 Name:"första" Tags:["a" "" "ccc"] Next:&{ID:2 Name:"leaf" Tags:["x"] Next:nil Lines:[{Qty:0 Text:""} {Qty:0 Text:""}] Score:nil} Lines:[{Qty:3 Text:"three"} {Qty:4 Text:"four"}] Score:&2.5}`,
			`wild = &0<unavailable>`,
		},
		wantFaults: 1,
	},
	"depth": {
		command: "pointers", function: "main.Pointers",
		limits: plan.Limits{Depth: 1},
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			a.next = 2
			return []plan.Variable{{Name: "o", Type: t.orderPtr, Pieces: a.words(1)}}
		},
		want: []string{
			`o = &{ID:1 Name:"första" Tags:["a" "" "ccc"] Next:&? Lines:[{Qty:3 Text:"three"} {Qty:4 Text:"four"}] Score:&?}`,
		},
	},
	"cycle": {
		command: "loop", function: "main.Pointers",
		limits: plan.Limits{Depth: 100},
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			a.next = 2
			return []plan.Variable{{Name: "o", Type: t.orderPtr, Pieces: a.words(1)}}
		},
		// The root, the order and its name.
		want:      []string{`o = &{ID:9 Name:"loop" Tags:[] Next:&^ Lines:[{Qty:0 Text:""} {Qty:0 Text:""}] Score:nil}`},
		wantItems: 3,
	},
	"slices": {
		command: "slices", function: "main.Slices",
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			ints := t.slice(t.i32)
			return []plan.Variable{
				{Name: "a", Type: ints, Pieces: a.words(3)},
				{Name: "b", Type: t.strs, Pieces: a.words(3)},
				{Name: "c", Type: t.slice(t.orderPtr), Pieces: a.words(3)},
				{Name: "d", Type: ints, Pieces: []plan.Piece{{Kind: plan.PieceStack, Size: 24}}},
			}
		},
		want: []string{
			`a = [1 2 3]`,
			`b = 1600 of 200: ["string 0" "string 1" "string 2" "string 3" … 100]<collection>`,
			`c = [&{ID:2 Name:"leaf" Tags:["x"] Next:nil Lines:[{Qty:0 Text:""} {Qty:0 Text:""}] Score:nil} nil &{ID:2 Name:"leaf" Tags:["x"] Next:nil Lines:[{Qty:0 Text:""} {Qty:0 Text:""}] Score:nil}]`,
			`d = 400 of 1000: [0 1 2 3 … 100]<collection>`,
		},
	},
	"values": {
		command: "value", function: "main.Value",
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			vec := t.Add(gotype.Type{Kind: gotype.Struct, Name: "main.Vec", Size: 16, Fields: []gotype.Field{
				{Name: "N", Type: t.i64}, {Name: "X", Offset: 8, Type: t.f64},
			}})
			line := []plan.Piece{a.piece(0, 4), a.piece(8, 8), a.piece(16, 8)}
			return []plan.Variable{
				{Name: "l", Type: t.line, Pieces: line},
				{Name: "v", Type: vec, Pieces: []plan.Piece{a.piece(0, 8), {Kind: plan.PieceRegister, Reg: 17, Dest: 8, Size: 8}}},
				{Name: "x", Type: t.f64, Pieces: []plan.Piece{{Kind: plan.PieceRegister, Reg: 17, Size: 8}}},
			}
		},
		want: []string{
			`l = {Qty:3 Text:"three"}`,
			`v = {N:4 X:0} (partly unread)`,
			`x = in a vector register, which the kernel does not expose to probes`,
		},
	},
	"stack": {
		command: "onstack", function: "main.OnStack",
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			return []plan.Variable{
				{Name: "i", Type: t.i64, Pieces: []plan.Piece{{Kind: plan.PieceRegister, Reg: intRegisters[8], Size: 8}}},
				{Name: "j", Type: t.i64, Pieces: []plan.Piece{{Kind: plan.PieceStack, Size: 8}}},
				{Name: "k", Type: t.str, Pieces: []plan.Piece{{Kind: plan.PieceStack, Offset: 8, Size: 16}}},
				{Name: "far", Type: t.i64, Pieces: []plan.Piece{{Kind: plan.PieceStack, Offset: 1 << 30, Size: 8}}},
			}
		},
		want:       []string{`i = 9`, `j = 10`, `k = "stacked"`, `far = 0 (partly unread)`},
		wantFaults: 1,
	},
	"large": {
		command: "large", function: "main.Large",
		variables: func(t *orderTypes, a *abi) []plan.Variable {
			u8 := t.scalar(gotype.Uint, "uint8", 1)
			body := t.Add(gotype.Type{Kind: gotype.Array, Name: "[10000]uint8", Size: 10000, Elem: u8, Len: 10000})
			page := t.Add(gotype.Type{Kind: gotype.Array, Name: "main.Page", Size: 4096, Elem: u8, Len: 4096})
			huge := t.Add(gotype.Type{Kind: gotype.Struct, Name: "main.Huge", Size: 10032, Fields: []gotype.Field{
				{Name: "Head", Type: t.str}, {Name: "Body", Offset: 16, Type: body}, {Name: "Tail", Offset: 10016, Type: t.str},
			}})
			return []plan.Variable{
				{Name: "h", Type: t.pointer(huge), Pieces: a.words(1)},
				{Name: "pages", Type: t.slice(page), Pieces: a.words(3)},
			}
		},
		want: []string{
			`h = &{Head:"head" Body:[0 0 0 0 … 10000] Tail:""}<too large>`,
			`pages = 8192 of 3: [[0 0 0 0 … 4096] [0 1 0 0 … 4096]]<too large>`,
		},
	},
}

func TestCaptures(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for mode, o := range map[string]Options{"sleepable": {}, "classic": {NoSleep: true}} {
		for name, c := range captures {
			t.Run(mode+" "+name, func(t *testing.T) {
				ty := newOrderTypes()
				p := b.entry(t, c.function)
				p.Limits = c.limits
				p.Variables = c.variables(ty, &abi{})
				p.Types = &ty.Table
				require.NoError(t, plan.Compile(p))
				s := load(t, o, Probe{Plan: p})
				target := b.start(t)
				require.NoError(t, s.Attach(target.exe, target.pid, 0))
				target.call(t, c.command, 1)
				events := drain(t, s)
				require.Len(t, events, 1)
				require.False(t, events[0].Incomplete)
				st := stats(t, s)
				st.Busy = 0
				require.Equal(t, ProbeStats{Hits: 1, Sent: 1, Faults: c.wantFaults}, st)
				if c.wantItems != 0 {
					require.Len(t, events[0].Items, c.wantItems)
				}
				require.Equal(t, c.want, render(p, events[0]))
			})
		}
	}
}
