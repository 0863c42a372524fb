package gotype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

func TestDirect(t *testing.T) {
	t.Parallel()
	var table gotype.Table
	i64 := table.Add(gotype.Type{Kind: gotype.Int, Size: 8})
	ptr := table.Add(gotype.Type{Kind: gotype.Pointer, Size: 8, Elem: i64})
	void := table.Add(gotype.Type{Kind: gotype.Struct})
	structure := func(size uint64, fields ...gotype.ID) gotype.ID {
		typ := gotype.Type{Kind: gotype.Struct, Size: size}
		for _, f := range fields {
			typ.Fields = append(typ.Fields, gotype.Field{Type: f})
		}
		return table.Add(typ)
	}
	self := table.Add(gotype.Type{})
	table.Set(self, gotype.Type{Kind: gotype.Array, Len: 1, Elem: self})
	for name, c := range map[string]struct {
		id            gotype.ID
		direct, known bool
	}{
		"int":               {i64, false, true},
		"pointer":           {ptr, true, true},
		"map":               {table.Add(gotype.Type{Kind: gotype.Map, Size: 8}), true, true},
		"string":            {table.Add(gotype.Type{Kind: gotype.String, Size: 16}), false, true},
		"struct of pointer": {structure(8, ptr), true, true},
		"nested":            {structure(8, table.Add(gotype.Type{Kind: gotype.Array, Len: 1, Size: 8, Elem: ptr})), true, true},
		"struct of int":     {structure(8, i64), false, true},
		"two pointers":      {structure(16, ptr, ptr), false, true},
		"padded pointer":    {structure(8, void, ptr), false, false},
		"padded int":        {structure(8, void, i64), false, true},
		"empty struct":      {void, false, true},
		"in itself":         {self, false, false},
		"nothing":           {0, false, false},
	} {
		direct, known := table.Direct(c.id)
		require.Equal(t, []bool{c.direct, c.known}, []bool{direct, known}, name)
	}
}

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
