package plan

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// open builds a fixture and opens it until the test ends.
func open(tb testing.TB, fixture string, b binarytest.Build) *binary.Binary {
	tb.Helper()
	bin, err := binary.Open(binarytest.Fixture(tb, filepath.Join("..", "binary", "testdata", fixture), b))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, bin.Close()) })
	return bin
}

// addresses and directories depend on the build.
var (
	addresses   = regexp.MustCompile(`0x[0-9a-f]+`)
	directories = regexp.MustCompile(`declared at [^\n]*/`)
)

func dump(t *testing.T, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Dump(&b))
	return directories.ReplaceAllString(addresses.ReplaceAllString(b.String(), "0x…"), "declared at …/")
}

// paramsFunctions are the functions of the params fixture whose plans are
// compared.
var paramsFunctions = []string{
	"main.ints", "main.uints", "main.floats", "main.texts", "main.pointers", "main.structs", "main.arrays",
	"main.spilled", "main.refs", "main.(*Server).Handle", "main.Padded.Sum", "main.named", "main.unnamed",
	"main.unused", "main.leaf", "main.nothing", "main.big", "main.forever",
}

func resolve(t *testing.T, bin *binary.Binary, function string) *Plan {
	t.Helper()
	p, err := Resolve(bin, Definition{ProbeID: "p", Version: 2, Function: function, Returns: true})
	require.NoError(t, err)
	return p
}

// compareGolden compares with a golden file of this test.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "resolve", name+".txt")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

var notInFileNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

func TestResolve(t *testing.T) {
	t.Parallel()
	for fixture, functions := range map[string][]string{
		"params": paramsFunctions,
		"generic": {
			"main.(*List[go.shape.int]).Push", "main.(*List[go.shape.string]).Push", "main.Map[go.shape.int,go.shape.string]",
			"main.Once", "main.(*first).stepOnce", "main.second.stepOnce",
		},
	} {
		bin := open(t, fixture, binarytest.Build{})
		for _, function := range functions {
			name := fixture + "_" + strings.Trim(notInFileNames.ReplaceAllString(function, "_"), "_")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				compareGolden(t, name, dump(t, resolve(t, bin, function)))
			})
		}
	}
}

// variablesOf is the part of a dump that depends on the signature only.
func variablesOf(t *testing.T, p *Plan) string {
	t.Helper()
	_, text, ok := strings.Cut(dump(t, p), "\nvariables: ")
	require.True(t, ok)
	return text
}

// TestResolveIsTheSameInEveryBuild shows that where arguments and results are
// does not depend on how, or by which toolchain, the program was built.
func TestResolveIsTheSameInEveryBuild(t *testing.T) {
	t.Parallel()
	release := open(t, "params", binarytest.Build{})
	builds := map[string]binarytest.Build{
		"unoptimised": binarytest.Variants["unoptimised"],
		"pie":         binarytest.Variants["pie"],
		"trimpath":    binarytest.Variants["trimpath"],
	}
	for _, toolchain := range binarytest.Older {
		builds[toolchain] = binarytest.Build{Toolchain: toolchain}
	}
	for name, b := range builds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := open(t, "params", b)
			for _, function := range paramsFunctions {
				want := variablesOf(t, resolve(t, release, function))
				require.Equal(t, want, variablesOf(t, resolve(t, bin, function)), function)
			}
		})
	}
}

func TestResolveEntryOnly(t *testing.T) {
	t.Parallel()
	bin := open(t, "params", binarytest.Build{})
	p, err := Resolve(bin, Definition{ProbeID: "p", Function: "main.named"})
	require.NoError(t, err)
	require.Len(t, p.Sites, 1)
	require.Len(t, p.Variables, 1)
	require.Equal(t, Variable{Name: "n", Role: RoleArgument, Type: 1, Pieces: []Piece{{Kind: PieceRegister, Size: 8}}}, p.Variables[0])
	require.Equal(t, uint32(8), p.RootSize)
	require.Equal(t, DefaultLimits(), p.Limits)

	fn, err := bin.FindFunction("main.named")
	require.NoError(t, err)
	off, ok := bin.FileOffset(p.Sites[0].PC)
	require.True(t, ok)
	require.Equal(t, fn.Entry+10, p.Sites[0].PC, "behind CMP and a long JBE")
	require.Equal(t, Site{PC: fn.Entry + 10, FileOffset: off, Kind: SiteEntry, Anchor: AnchorPushRBP, CFAOffset: 8}, p.Sites[0])
}

// TestResolveDepth bounds the types to what the limits can reach.
func TestResolveDepth(t *testing.T) {
	t.Parallel()
	bin := open(t, "params", binarytest.Build{})
	names := func(depth int) (names []string) {
		p, err := Resolve(bin, Definition{Function: "main.pointers", Limits: Limits{Depth: depth}})
		require.NoError(t, err)
		for id := 1; id <= p.Types.Len(); id++ {
			names = append(names, p.Types.Get(gotype.ID(id)).Name)
		}
		return names
	}
	roots := []string{"*int", "*main.Node", "unsafe.Pointer", "**string", "bool"}
	one := append(roots, "int", "main.Node", "*string")
	require.Equal(t, one, names(1))
	require.Equal(t, append(one, "string"), names(2))
	require.Equal(t, append(one, "string"), names(9))
}

func TestResolveWithoutDebugInformation(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"no dwarf", "stripped"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := resolve(t, open(t, "params", binarytest.Variants[name]), "main.named")
			require.Equal(t, []string{binary.ErrNoDWARF.Error()}, p.Notes)
			require.Empty(t, p.Variables)
			require.Zero(t, p.RootSize)
			require.Len(t, p.Sites, 4)
			require.Equal(t, uint32(152), p.GoIDOffset)
			require.NoError(t, Compile(p))
		})
	}
}

func TestResolveAssembly(t *testing.T) {
	t.Parallel()
	p := resolve(t, open(t, "params", binarytest.Build{}), "runtime.memmove")
	require.Contains(t, p.Notes, "the function is written in assembly: its parameters are not described")
	require.Empty(t, p.Variables)
}

func TestResolveErrors(t *testing.T) {
	t.Parallel()
	bin := open(t, "params", binarytest.Build{})
	for function, want := range map[string]string{
		"main.Ints": `no function "main.Ints" in the binary: did you mean main.ints, main.uints?`,
		"main.tiny": `function "main.tiny" exists only as inlined copies: probe a caller, or mark it //go:noinline and rebuild`,
	} {
		_, err := Resolve(bin, Definition{ProbeID: "p", Function: function})
		require.EqualError(t, err, want)
	}
	var missing *binary.FunctionNotFoundError
	_, err := Resolve(bin, Definition{Function: "main.none"})
	require.ErrorAs(t, err, &missing)
}

func TestDictionaryGuesses(t *testing.T) {
	t.Parallel()
	none := binary.NoDictionary
	for name, want := range map[string][]int{
		"main.run":                             {none},
		"main.Map[go.shape.int]":               {0, none},
		"main.(*List[go.shape.int]).Push":      {1, none},
		"main.List[go.shape.int].Len":          {1, none},
		"main.Map[go.shape.int].func1":         {none, 1},
		"main.(*List[go.shape.int]).Push-fm":   {none, 1},
		"main.Map[struct { A []int }].func1.2": {none, 1},
	} {
		require.Equal(t, want, dictionaryGuesses(name), name)
	}
}
