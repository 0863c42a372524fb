package binary_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

func TestFindFunction(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "generic", binarytest.Build{})
	for name, want := range map[string]string{
		"main.main":              "main.main",
		"main.(*first).stepOnce": "main.(*first).stepOnce",
		"(*first).stepOnce":      "main.(*first).stepOnce",
		"second.stepOnce":        "main.second.stepOnce",
		"fmt.Fprintln":           "fmt.Fprintln",
		"Fprintln":               "fmt.Fprintln",
		"main.Once":              "main.Once[go.shape.float64]",
		"main.Once[...]":         "main.Once[go.shape.float64]",
		"Once":                   "main.Once[go.shape.float64]",
		"Once[...]":              "main.Once[go.shape.float64]",

		"main.Once[go.shape.float64]": "main.Once[go.shape.float64]",
	} {
		fn, err := bin.FindFunction(name)
		require.NoError(t, err, name)
		require.Equal(t, want, fn.Name, name)
		require.Less(t, fn.Entry, fn.End)
		at, ok := bin.FunctionAt(fn.End - 1)
		require.True(t, ok)
		require.Equal(t, *fn, at)
	}
}

func TestFunctionNamed(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "generic", binarytest.Build{})
	require.NoError(t, bin.Functions(func(fn binary.Function) bool {
		found, ok := bin.FunctionNamed(fn.Name)
		require.True(t, ok)
		require.Equal(t, fn.Name, found.Name)
		return true
	}))
	for _, name := range []string{"", "main.mai", "main.main2", "stepOnce", "main.Once"} {
		_, ok := bin.FunctionNamed(name)
		require.False(t, ok, name)
	}
}

func TestFindFunctionErrors(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "generic", binarytest.Build{})
	for name, want := range map[string]string{
		"stepOnce":              `"stepOnce" is ambiguous: write one of main.(*first).stepOnce, main.second.stepOnce`,
		"main.Map":              `"main.Map" is ambiguous: write one of main.Map[go.shape.int,go.shape.string], main.Map[go.shape.string,go.shape.int]`,
		"main.inlined":          `function "main.inlined" exists only as inlined copies: probe a caller, or mark it //go:noinline and rebuild`,
		"inlined":               `function "main.inlined" exists only as inlined copies: probe a caller, or mark it //go:noinline and rebuild`,
		"main.Main":             `no function "main.Main" in the binary: did you mean main.main?`,
		"main.stpOnce":          `no function "main.stpOnce" in the binary: did you mean main.second.stepOnce, main.(*first).stepOnce, main.(*second).stepOnce?`,
		"main.(*frst).stepOnce": `no function "main.(*frst).stepOnce" in the binary: did you mean main.(*first).stepOnce?`,
		"zzzzzzzzzz":            `no function "zzzzzzzzzz" in the binary: names are written like main.run or net/http.(*Server).Serve`,
		"":                      `no function "" in the binary: names are written like main.run or net/http.(*Server).Serve`,
	} {
		_, err := bin.FindFunction(name)
		require.EqualError(t, err, want)
	}
}

func TestFindFunctionErrorTypes(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "generic", binarytest.Build{})
	_, err := bin.FindFunction("main.nain")
	var missing *binary.FunctionNotFoundError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "main.main", missing.Near[0])
	require.LessOrEqual(t, len(missing.Near), 5)

	_, err = bin.FindFunction("String")
	var ambiguous *binary.AmbiguousFunctionError
	require.ErrorAs(t, err, &ambiguous)
	require.Len(t, ambiguous.Candidates, 8)
	require.GreaterOrEqual(t, ambiguous.Total, 8)

	_, err = bin.FindFunction("other.Fprintln")
	require.EqualError(t, err, `no function "other.Fprintln" in the binary: did you mean fmt.Fprintln?`)

	_, err = bin.FindFunction("main.inlined")
	var inlined *binary.InlinedError
	require.ErrorAs(t, err, &inlined)
	require.Equal(t, "main.inlined", inlined.Name)
}

// TestFindFunctionWithoutDWARF shows that names do not need debug information.
func TestFindFunctionWithoutDWARF(t *testing.T) {
	t.Parallel()
	full := fixture(t, "generic", binarytest.Build{})
	stripped := fixture(t, "generic", binarytest.Variants["stripped"])
	names := func(bin *binary.Binary) (names []string) {
		require.NoError(t, bin.Functions(func(f binary.Function) bool {
			names = append(names, f.Name)
			return true
		}))
		return names
	}
	require.Equal(t, names(full), names(stripped))
}

func TestFunctionsStops(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "generic", binarytest.Build{})
	n := 0
	require.NoError(t, bin.Functions(func(binary.Function) bool { n++; return n < 3 }))
	require.Equal(t, 3, n)
}

// TestFindInstances finds every instance of a generic function, and nothing else
// by a name that fits several functions.
func TestFindInstances(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "generic", binarytest.Build{})
	names := func(name string) (found []string) {
		fns, err := bin.FindInstances(name)
		require.NoError(t, err)
		for _, f := range fns {
			found = append(found, f.Name)
		}
		return found
	}
	require.ElementsMatch(t, []string{"main.Map[go.shape.int,go.shape.string]", "main.Map[go.shape.string,go.shape.int]"}, names("main.Map"))
	require.ElementsMatch(t, []string{"main.(*List[go.shape.int]).Push", "main.(*List[go.shape.string]).Push"}, names("(*List).Push"))
	require.Equal(t, []string{"main.main"}, names("main.main"))
	_, err := bin.FindInstances("stepOnce")
	var ambiguous *binary.AmbiguousFunctionError
	require.ErrorAs(t, err, &ambiguous)
}
