package explain

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// masked are what differs between toolchains of one minor version.
var masked = regexp.MustCompile(`0x[0-9a-f]+`)

// questions are one of each kind.
var questions = map[string]string{
	"function": "main.blocks", "inlined": "main.inner", "generic": "Generic", "line of a generic": "main.go:66", "closure": "main.closures.func1",
	"line": "main.go:20", "line of a closure": "fixture/main.go:37", "heap": "main.go:45", "method value": "main.point.area-fm",
	"code of a function": "main.blocks", "code of a line": "main.go:45",
}

// TestText compares whole reports, of an optimised and of an unoptimised build.
func TestText(t *testing.T) {
	t.Parallel()
	for _, variant := range []string{"release", "unoptimised", "stripped"} {
		build := binarytest.Variants[variant]
		build.Flags = append([]string{"-trimpath"}, build.Flags...)
		bin := open(t, binarytest.Fixture(t, filepath.Join("..", "binary", "testdata", "scope"), build))
		for name, what := range questions {
			t.Run(variant+" "+name, func(t *testing.T) {
				report, err := What(bin, what, Options{Code: strings.HasPrefix(name, "code of")})
				text := ""
				if err != nil {
					text = err.Error() + "\n"
				} else {
					text = string(report.Text())
				}
				got := masked.ReplaceAllString(text, "0x…")
				path := filepath.Join("testdata", strings.ReplaceAll(variant+" "+name, " ", "_")+".txt")
				if *update {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
					return
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, string(want), got)
			})
		}
	}
}

// TestCosts says what the costs are from, in both forms.
func TestCosts(t *testing.T) {
	t.Parallel()
	bin := open(t, binarytest.Fixture(t, filepath.Join("..", "binary", "testdata", "scope"), binarytest.Build{}))
	for want, costs := range map[string]plan.Costs{
		"\nthe costs were measured on this machine\n":                          {PushRBP: 1, Emulated: 2, Stepped: 3},
		"\nthe costs are nominal, those of a virtual machine: not permitted\n": plan.NominalCosts("not permitted"),
	} {
		report, err := What(bin, "main.blocks", Options{Costs: func() plan.Costs { return costs }})
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(string(report.Text()), want), string(report.Text()))
		require.Equal(t, Costs{costs.Nominal == "", costs.Nominal, int64(costs.PushRBP), int64(costs.Emulated), int64(costs.Stepped)}, report.Costs)
		require.Equal(t, report.Costs.PushNS, report.Placements[0].Sites[0].CostNS)
		require.Equal(t, report.Costs.SteppedNS, report.Placements[0].Sites[1].CostNS)
	}
}

// TestTailJump shows where a call goes on.
func TestTailJump(t *testing.T) {
	t.Parallel()
	bin := open(t, binarytest.Fixture(t, filepath.Join("..", "testdata", "tail"), binarytest.Build{}))
	report, err := What(bin, "main.(*outer).add", Options{Code: true})
	require.NoError(t, err)
	require.Equal(t, []string{"entry", "tail"}, []string{report.Placements[0].Sites[0].Kind, report.Placements[0].Sites[1].Kind})
	require.Equal(t, "main.(*inner).add", report.Placements[0].Sites[1].To)
	require.Contains(t, string(report.Text()), "emulated, to main.(*inner).add")
	require.Contains(t, string(report.Text()), "root at tail jumps:")
}

// TestErrors are those of the binary.
func TestErrors(t *testing.T) {
	t.Parallel()
	bin := open(t, binarytest.Fixture(t, filepath.Join("..", "binary", "testdata", "scope"), binarytest.Build{}))
	_, err := What(bin, "main.nope", Options{})
	var notFound *binary.FunctionNotFoundError
	require.ErrorAs(t, err, &notFound)
	_, err = What(bin, "main.go:3", Options{})
	var noLine *binary.LineNotFoundError
	require.ErrorAs(t, err, &noLine)
	report, err := What(bin, "main.Generic", Options{Most: 1})
	require.NoError(t, err)
	require.Len(t, report.Placements, 1)
	require.Equal(t, 1, report.More)
	require.Contains(t, string(report.Text()), "and 1 more places")
}
