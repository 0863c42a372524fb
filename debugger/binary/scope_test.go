package binary_test

import (
	"bufio"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/binary/location"
)

// scopeLines are the lines of the fixture that say which variables are in scope.
func scopeLines(t *testing.T) map[int][]string {
	t.Helper()
	f, err := os.Open("testdata/scope/main.go")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	lines, n := map[int][]string{}, 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
		if _, names, ok := strings.Cut(s.Text(), "//: "); ok {
			lines[n] = strings.Fields(names)
		}
	}
	require.Greater(t, len(lines), 10)
	return lines
}

// scopeBuilds are the builds that describe variables.
func scopeBuilds() map[string]binarytest.Build {
	builds := binarytest.Matrix()
	maps.DeleteFunc(builds, func(name string, _ binarytest.Build) bool {
		return strings.HasPrefix(name, "stripped") || strings.HasPrefix(name, "no dwarf")
	})
	return builds
}

// TestScopeOfEveryLine finds every marked line, and at each of its places the
// variables that the source names. Without optimisation all of them can be read.
func TestScopeOfEveryLine(t *testing.T) {
	t.Parallel()
	for name, build := range scopeBuilds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "scope", build)
			for line, want := range scopeLines(t) {
				places, err := bin.FindLine("main.go", line)
				if missing := (*binary.LineNotFoundError)(nil); !strings.HasPrefix(name, "unoptimised") && errors.As(err, &missing) {
					continue // nothing is left to do on the line
				}
				require.NoError(t, err)
				for _, place := range places {
					require.Equal(t, line, place.Line)
					scope, err := bin.Scope(place, binary.Reach{Depth: 1})
					require.NoError(t, err)
					var names []string
					for _, v := range scope.Variables {
						names = append(names, v.Name)
						require.NotNil(t, scope.Types.Get(v.Type))
						if strings.HasPrefix(name, "unoptimised") {
							require.NoError(t, v.Err, "line %d: %s", line, v.Name)
							require.NotEmpty(t, v.Pieces, "line %d: %s", line, v.Name)
						}
						if v.Err != nil && !errors.Is(v.Err, location.ErrPartly) && !errors.Is(v.Err, location.ErrClobbered) {
							require.ErrorIs(t, v.Err, location.ErrOptimisedOut, "line %d: %s", line, v.Name)
						}
					}
					slices.Sort(names)
					slices.Sort(want)
					require.Equal(t, want, names, "line %d in %s, %d calls deep", line, place.Name, place.Depth)
				}
			}
		})
	}
}

// TestPlacesOfInlinedFunctions finds the copies of functions that have no code
// of their own.
func TestPlacesOfInlinedFunctions(t *testing.T) {
	t.Parallel()
	for name, build := range scopeBuilds() {
		if strings.HasPrefix(name, "unoptimised") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "scope", build)
			places, err := bin.Inlined("main.inner")
			require.NoError(t, err)
			require.Len(t, places, 2)
			for _, p := range places {
				require.Equal(t, "main.main", p.Function.Name)
				require.Equal(t, "main.inner", p.Name)
				require.Equal(t, 2, p.Depth, "inner in outer in main")
				require.Equal(t, 59, p.CallLine)
				scope, err := bin.Scope(p, binary.Reach{})
				require.NoError(t, err)
				require.Equal(t, "a", scope.Variables[0].Name)
				require.Equal(t, binary.Argument, scope.Variables[0].Role)
			}
			none, err := bin.Inlined("main.blocks")
			require.NoError(t, err)
			require.Empty(t, none)
		})
	}
}

// TestPlacesOfGenericLines finds one place for each instance.
func TestPlacesOfGenericLines(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "scope", binarytest.Build{})
	places, err := bin.FindLine("main.go", 66)
	require.NoError(t, err)
	var names []string
	for _, p := range places {
		names = append(names, p.Name)
		scope, err := bin.Scope(p, binary.Reach{})
		require.NoError(t, err)
		for _, v := range scope.Variables {
			require.NotEqual(t, binary.NoDictionary, v.Dictionary, v.Name)
		}
	}
	require.ElementsMatch(t, []string{"main.Generic[go.shape.int]", "main.Generic[go.shape.string]"}, names)
}

// TestLinesWithoutDebugInfo finds lines in stripped binaries.
func TestLinesWithoutDebugInfo(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "scope", binarytest.Variants["stripped"])
	places, err := bin.FindLine("main.go", 18)
	require.NoError(t, err)
	require.Equal(t, "main.blocks", places[0].Name)
	_, err = bin.Scope(places[0], binary.Reach{})
	require.ErrorIs(t, err, binary.ErrNoDWARF)
}

func TestLineErrors(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "scope", binarytest.Build{})
	for _, c := range []struct {
		file string
		line int
		want string
	}{
		{"main.go", 6, `main.go:6 has no instructions: lines near by that have some are 13, 16`},
		{"main.go", 5000, `main.go:5000 has no instructions: choose a line with a statement in a function that is used`},
		{"maim.go", 5, `no file "maim.go" in the binary: write the path as the compiler saw it, or the end of it from a slash on`},
	} {
		_, err := bin.FindLine(c.file, c.line)
		require.EqualError(t, err, c.want)
	}
	// internal/abi and runtime both have a type.go.
	var ambiguous *binary.AmbiguousFileError
	for line := 1; line < 500 && ambiguous == nil; line++ {
		_, err := bin.FindLine("type.go", line)
		errors.As(err, &ambiguous)
	}
	require.NotNil(t, ambiguous)
	require.Contains(t, ambiguous.Error(), "runtime/type.go")
}

// TestClosures finds what a function literal takes from its surroundings: a
// variable that changes by its address, one that does not by its value.
func TestClosures(t *testing.T) {
	t.Parallel()
	for name, build := range scopeBuilds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "scope", build)
			fn, err := bin.FindFunction("main.closures.func1")
			require.NoError(t, err)
			sig, err := bin.Signature(fn, binary.Reach{Depth: 1})
			require.NoError(t, err)
			pointer := sig.Types.Get(sig.Closure)
			require.Equal(t, "*main.closures.func1", pointer.Name)
			closure := sig.Types.Get(pointer.Elem)
			fields := map[string]string{}
			for _, f := range closure.Fields {
				fields[f.Name] = sig.Types.Get(f.Type).Name
				require.GreaterOrEqual(t, f.Offset, uint64(8), "the first word is the code")
				require.LessOrEqual(t, f.Offset+sig.Types.Get(f.Type).Size, closure.Size)
			}
			require.Equal(t, map[string]string{"&count": "*int", "step": "int"}, fields)
			outer, err := bin.FindFunction("main.closures")
			require.NoError(t, err)
			sig, err = bin.Signature(outer, binary.Reach{})
			require.NoError(t, err)
			require.Zero(t, sig.Closure)
		})
	}
}
