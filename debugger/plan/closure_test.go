package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// TestInstancesOfCaptured leaves the type of a captured variable open when two type
// parameters have its shape and no parameter is called like it, or when none has.
func TestInstancesOfCaptured(t *testing.T) {
	t.Parallel()
	bin := open(t, "generic", binarytest.Build{})
	for function, known := range map[string][]bool{
		"main.Keep[go.shape.int,go.shape.int].func1":    {true, false, false},
		"main.Keep[go.shape.int,go.shape.string].func1": {true, true, false},
	} {
		p := resolve(t, bin, function)
		closure := p.Variables[len(p.Variables)-1]
		require.True(t, closure.Closure, function)
		var names []string
		for _, f := range p.Types.Get(p.Types.Get(closure.Type).Elem).Fields {
			names = append(names, f.Name)
		}
		require.Equal(t, []string{"key", "again", "value"}, names)
		for i, want := range known {
			require.Equal(t, want, closure.Instances[i] > 0, "%s: %s", function, names[i])
		}
	}
}

func TestDistinctShapes(t *testing.T) {
	t.Parallel()
	for function, want := range map[string]bool{
		"main.plain":                                                                 true,
		"main.One[go.shape.int]":                                                     true,
		"main.Two[go.shape.int,go.shape.string]":                                     true,
		"main.Two[go.shape.int,go.shape.int]":                                        false,
		"main.Two[go.shape.int,go.shape.[]int]":                                      true,
		"main.(*T[go.shape.*uint8,go.shape.*uint8]).M.func1":                         false,
		"main.F[go.shape.func(int, int) int,go.shape.map[string]int].func1":          true,
		"main.F[go.shape.struct { A, B int },go.shape.struct { A, B int }].func1.2":  false,
		"main.F[go.shape.interface { M(int, int) },go.shape.interface { M(int) }].1": true,
	} {
		require.Equal(t, want, distinctShapes(function), function)
	}
}
