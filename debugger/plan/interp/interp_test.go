package interp

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// memory is a process made of a few runs of bytes.
type memory map[uint64][]byte

var errFault = errors.New("nothing is mapped there")

func (m memory) read(b []byte, addr uint64) error {
	for start, run := range m {
		if start <= addr && addr+uint64(len(b)) <= start+uint64(len(run)) {
			copy(b, run[addr-start:])
			return nil
		}
	}
	return errFault
}

func words(w ...uint64) []byte {
	var b []byte
	for _, v := range w {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// list is a plan for one argument, a *node{ID int64; Name string; Next *node}.
func list(t *testing.T, limits plan.Limits) (*plan.Plan, gotype.ID, gotype.ID) {
	t.Helper()
	ty := &gotype.Table{}
	str := ty.Add(gotype.Type{Kind: gotype.String, Name: "string", Size: 16})
	node := ty.Add(gotype.Type{Name: "node"})
	ptr := ty.Add(gotype.Type{Kind: gotype.Pointer, Name: "*node", Size: 8, Elem: node})
	i64 := ty.Add(gotype.Type{Kind: gotype.Int, Name: "int64", Size: 8})
	ty.Set(node, gotype.Type{Kind: gotype.Struct, Name: "node", Size: 32, Fields: []gotype.Field{
		{Name: "ID", Type: i64}, {Name: "Name", Offset: 8, Type: str}, {Name: "Next", Offset: 24, Type: ptr},
	}})
	p := &plan.Plan{
		Types: ty, Limits: limits,
		Variables: []plan.Variable{
			{Name: "n", Type: ptr, Pieces: []plan.Piece{{Kind: plan.PieceRegister, Reg: 0, Size: 8}}},
			{Name: "k", Type: i64, Pieces: []plan.Piece{{Kind: plan.PieceStack, Offset: 8, Size: 8}}},
		},
	}
	require.NoError(t, plan.Compile(p))
	return p, node, str
}

func TestListIsFollowedToItsDepth(t *testing.T) {
	t.Parallel()
	p, node, str := list(t, plan.Limits{Depth: 2, Length: 3})
	first, second := words(1, 0x300, 5, 0x200), words(2, 0x999, 4, 0x100)
	m := Machine{CFA: 0x1000, Read: memory{0x100: first, 0x200: second, 0x300: []byte("hello"), 0x1008: words(42)}.read}
	m.Registers[0] = 0x100
	e := Run(p, plan.SiteEntry, m, 0)
	require.Equal(t, &event.Event{Items: []event.Item{
		{Addr: 0x1000, Data: words(0x100, 42)},
		{Type: node, Addr: 0x100, Data: first},
		{Type: str, Addr: 0x300, Data: []byte("hel"), Reason: event.ReasonLength},
		{Type: node, Addr: 0x200, Data: second},
		{Type: str, Addr: 0x999, Data: []byte{}, Reason: event.ReasonUnavailable},
	}}, e)

	require.Equal(t, e, Follow(p, plan.SiteEntry, e.Items[0], m, 0), "a captured root leads to the same items")
}

func TestUnreadableStackIsAHole(t *testing.T) {
	t.Parallel()
	p, _, _ := list(t, plan.Limits{})
	e := Run(p, plan.SiteEntry, Machine{Read: memory{}.read}, 0)
	require.True(t, e.Unread(8, 8))
	require.False(t, e.Unread(0, 8))
	require.Equal(t, words(0, 0), e.Items[0].Data)
}

// TestEventIsNeverTooLong captures a list that is longer than an event.
func TestEventIsNeverTooLong(t *testing.T) {
	t.Parallel()
	p, _, _ := list(t, plan.Limits{Depth: 100_000})
	m := Machine{Read: func(b []byte, addr uint64) error {
		// Every node is followed by the next one.
		if len(b) == 32 {
			copy(b, words(addr, 0, 0, addr+32))
		}
		return nil
	}}
	m.Registers[0] = 1 << 20
	for _, frames := range []int{0, 1, 128} {
		e := Run(p, plan.SiteEntry, m, frames)
		require.True(t, e.Incomplete || e.Items[len(e.Items)-1].Reason == event.ReasonTooLarge)
		e.Stack = make([]uint64, frames)
		const most = maxFragments * fragmentBytes
		require.LessOrEqual(t, len(event.Append(nil, e)), most)
		require.Greater(t, len(event.Append(nil, e)), most-maxFragments*(64+headerSize))
	}
}

// TestResultsHaveTheTypesOfTheDictionary runs both ends of calls of a generic
// function.
func TestResultsHaveTheTypesOfTheDictionary(t *testing.T) {
	t.Parallel()
	const types = 1 << 40
	p, node, _ := list(t, plan.Limits{})
	shape := p.Types.Add(gotype.Type{Kind: gotype.Pointer, Name: "*go.shape.uint8", Size: 8, Elem: p.Types.Add(gotype.Type{Kind: gotype.Uint, Name: "uint8", Size: 1})})
	ptr := p.Variables[0].Type
	held := *p.Types.Get(ptr)
	held.RuntimeOffset, held.Held = 0x40, gotype.HeldDirect
	p.Types.Set(ptr, held)
	register := func(n uint8) []plan.Piece { return []plan.Piece{{Kind: plan.PieceRegister, Reg: n, Size: 8}} }
	p.Variables = []plan.Variable{{Name: "r", Role: plan.RoleResult, Type: shape, Instance: 2, Pieces: register(0)}}
	p.Dictionary = &plan.Dictionary{Words: 2, Pieces: register(3)}
	p.Sites = []plan.Site{{Kind: plan.SiteEntry}, {Kind: plan.SiteReturn}}
	p.RootSize = 0
	require.NoError(t, plan.Compile(p))
	value := words(1, 0, 0, 0)
	for dictionary, want := range map[uint64]gotype.ID{
		types + 0x1000:                 node,
		types - 0x1000:                 node,
		types + plan.DictionaryFar:     p.Types.Get(shape).Elem,
		types - plan.DictionaryFar - 8: p.Types.Get(shape).Elem,
		0:                              p.Types.Get(shape).Elem,
	} {
		var kept uint64
		m := Machine{Types: types, Kept: &kept, Read: memory{0x100: value, dictionary: words(0, types+0x40)}.read}
		m.Registers[0], m.Registers[3] = 0x100, dictionary
		Run(p, plan.SiteEntry, m, 0)
		m.Registers[3] = 0xdead // overwritten by then
		e := Run(p, plan.SiteReturn, m, 0)
		last := e.Items[len(e.Items)-1]
		require.EqualValues(t, 0x100, last.Addr)
		require.Equal(t, want, last.Type, "dictionary at %#x", dictionary)
		require.Equal(t, words(0x100, kept), e.Items[0].Data)
	}
}
