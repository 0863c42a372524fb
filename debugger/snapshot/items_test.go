package snapshot

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// TestItemIndex holds the index to a map, over several events in a row.
func TestItemIndex(t *testing.T) {
	t.Parallel()
	type key struct {
		typ  gotype.ID
		addr uint64
	}
	rapid.Check(t, func(t *rapid.T) {
		var x itemIndex
		require.Nil(t, x.find(1, 1), "nothing was indexed yet")
		x.generation = rapid.SampledFrom([]uint32{0, 1<<32 - 2}).Draw(t, "generation")
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			var items []event.Item
			want := map[key][]byte{}
			for range rapid.IntRange(0, 200).Draw(t, "items") {
				it := event.Item{
					Type: gotype.ID(rapid.IntRange(0, 3).Draw(t, "type")),
					Addr: rapid.Uint64Range(0, 60).Draw(t, "addr") << rapid.SampledFrom([]int{0, 4, 40}).Draw(t, "shift"),
					Data: make([]byte, rapid.IntRange(0, 4).Draw(t, "size")),
				}
				items = append(items, it)
				k := key{it.Type, it.Addr}
				if have, ok := want[k]; !ok || len(it.Data) > len(have) {
					want[k] = it.Data
				}
			}
			x.reset(items, nil)
			for k, data := range want {
				got := x.find(k.typ, k.addr)
				require.NotNil(t, got)
				require.Len(t, got.Data, len(data))
			}
			require.Nil(t, x.find(9, 1))
			require.Nil(t, x.find(1, 1<<63))
		}
	})
}

// TestItemsOfShapes: what was captured as the shape of a type is found by the
// type.
func TestItemsOfShapes(t *testing.T) {
	t.Parallel()
	l := &Layout{}
	table := &gotype.Table{}
	shape := table.Add(gotype.Type{Kind: gotype.String, Name: "go.shape.string", Size: 16})
	number := table.Add(gotype.Type{Kind: gotype.Int, Name: "int", Size: 8})
	name := table.Add(gotype.Type{Kind: gotype.String, Name: "main.name", Size: 16})
	l.link(table, newRedactor(Redaction{}))
	items := []event.Item{{}, {Type: number, Addr: 8, Data: []byte("number")}, {Type: shape, Addr: 8, Data: []byte("text")}}
	var x itemIndex
	x.reset(items, nil)
	require.Nil(t, x.find(name, 8))
	x.reset(items, l)
	require.Equal(t, "text", string(x.find(name, 8).Data))
	require.Equal(t, "number", string(x.find(number, 8).Data))
	require.Nil(t, x.find(name, 16))
}

// TestChosenAddressesHaveSlotsOfTheirOwn: what a process can make of addresses does
// not fill few slots of the index.
func TestChosenAddressesHaveSlotsOfTheirOwn(t *testing.T) {
	t.Parallel()
	const n = 1 << 15
	for shift := range 49 {
		slots := map[uint64]bool{}
		for i := range uint64(n) {
			slots[hash(1, i<<shift)&(2*n-1)] = true
		}
		require.Greater(t, len(slots), n/2, "addresses %d bits apart", shift)
	}
}
