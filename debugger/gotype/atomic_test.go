package gotype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

func TestAtomicPointer(t *testing.T) {
	t.Parallel()
	var table gotype.Table
	to := table.Add(gotype.Type{Kind: gotype.Int, Size: 8})
	ptr := table.Add(gotype.Type{Kind: gotype.Pointer, Size: 8, Elem: to})
	marker := table.Add(gotype.Type{Kind: gotype.Array, Elem: ptr})
	word := table.Add(gotype.Type{Kind: gotype.UnsafePointer, Size: 8})
	fields := []gotype.Field{{Name: "_", Type: marker}, {Name: "v", Offset: 16, Type: word}}
	atomic := gotype.Type{Kind: gotype.Struct, Name: "sync/atomic.Pointer[int]", Fields: fields}
	got, offset, ok := table.AtomicPointer(&atomic)
	require.True(t, ok)
	require.Equal(t, ptr, got)
	require.EqualValues(t, 16, offset)
	for _, other := range []gotype.Type{
		{Kind: gotype.Struct, Name: "main.Pointer[int]", Fields: fields},
		{Kind: gotype.Struct, Name: atomic.Name, Fields: fields[:1]},
		{Kind: gotype.Struct, Name: atomic.Name, Fields: fields[1:]},
	} {
		_, _, ok := table.AtomicPointer(&other)
		require.False(t, ok)
	}
}
