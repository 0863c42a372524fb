package bpf

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/plan/interp"
)

// TestKernelAgreesWithTheReferenceInterpreter captures random graphs and lets
// the reference interpreter follow the same roots through the memory of the
// process, which waits.
func TestKernelAgreesWithTheReferenceInterpreter(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	target := b.start(t)
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", target.pid))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mem.Close()) })
	read := func(p []byte, addr uint64) error {
		_, err := mem.ReadAt(p, int64(addr))
		return err
	}
	var items, fragmented int
	for _, limits := range []plan.Limits{
		{},
		{Depth: 1},
		{Depth: 2, Collection: 3, Length: 5, Fields: 3},
		{Depth: 10, Collection: 1000, Length: 10},
		{Depth: 6, Collection: 400, Length: 10_000},
	} {
		p := b.entry(t, "main.Walk")
		var a abi
		ty, node := nodeTypes()
		all := ty.slice(node)
		p.Types, p.Limits = &ty.Table, limits
		p.Variables = []plan.Variable{
			{Name: "n", Type: node, Pieces: a.words(1)},
			{Name: "all", Type: all, Pieces: a.words(3)},
		}
		require.NoError(t, plan.Compile(p))
		s := load(t, Options{}, Probe{Plan: p})
		require.NoError(t, s.Attach(target.exe, target.pid, 0))
		sent := map[uint64]bool{}
		for seed := range 40 {
			target.call(t, "graph", seed)
			events := drain(t, s)
			require.Len(t, events, 1)
			got := events[0]
			frames := len(got.Stack)
			if sent[got.StackID] {
				frames = 0
			}
			sent[got.StackID] = true
			want := interp.Follow(p, plan.SiteEntry, got.Items[0], interp.Machine{Read: read}, frames)
			require.Equal(t, want.Items, got.Items, "limits %+v, seed %d", limits, seed)
			require.Equal(t, want.Incomplete, got.Incomplete)
			items += len(got.Items)
			bytes := 0
			for _, item := range got.Items {
				bytes += len(item.Data)
			}
			if bytes > maxFragment {
				fragmented++
			}
		}
		st := stats(t, s)
		t.Logf("limits %+v: %v a capture", limits, st.Busy/time.Duration(st.Sent))
	}
	t.Logf("%d items agree; %d events came in fragments", items, fragmented)
	require.Positive(t, fragmented)
}

// nodeTypes is the type graph of main.Node in the target, and *main.Node.
func nodeTypes() (*types, gotype.ID) {
	ty := &types{}
	str := ty.str()
	i64 := ty.scalar(gotype.Int, "int64", 8)
	node := ty.Add(gotype.Type{Name: "main.Node"})
	ptr := ty.pointer(node)
	pair := ty.Add(gotype.Type{Kind: gotype.Struct, Name: "main.Pair", Size: 24, Fields: []gotype.Field{
		{Name: "Key", Type: str}, {Name: "Value", Offset: 16, Type: ty.pointer(i64)},
	}})
	pairs := ty.slice(pair)
	ty.Set(node, gotype.Type{Kind: gotype.Struct, Name: "main.Node", Size: 104, Fields: []gotype.Field{
		{Name: "ID", Type: i64},
		{Name: "Name", Offset: 8, Type: str},
		{Name: "Kids", Offset: 24, Type: ty.slice(ptr)},
		{Name: "Pairs", Offset: 48, Type: ty.Add(gotype.Type{Kind: gotype.Array, Name: "[2][]main.Pair", Size: 48, Elem: pairs, Len: 2})},
		{Name: "Next", Offset: 96, Type: ptr},
	}})
	return ty, ptr
}
