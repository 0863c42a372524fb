package gotype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

func TestTable(t *testing.T) {
	t.Parallel()
	var table gotype.Table
	require.Nil(t, table.Get(0), "0 is no type")
	require.Nil(t, table.Get(1))

	// A type that refers to itself: type List struct{ Next *List }.
	list := table.Add(gotype.Type{Kind: gotype.Opaque})
	next := table.Add(gotype.Type{Kind: gotype.Pointer, Name: "*List", Size: 8, Elem: list})
	table.Set(list, gotype.Type{Kind: gotype.Struct, Name: "List", Size: 8, Fields: []gotype.Field{{Name: "Next", Type: next}}})
	require.Equal(t, 2, table.Len())
	require.Equal(t, &gotype.Type{ID: 1, Kind: gotype.Struct, Name: "List", Size: 8, Fields: []gotype.Field{{Name: "Next", Type: 2}}}, table.Get(list))
	require.Equal(t, list, table.Get(table.Get(list).Fields[0].Type).Elem)
	require.Nil(t, table.Get(3))
}
