package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// TestConventionAgreesWithRecords resolves every function of a large program: in
// how many do the places the compiler recorded at the entry contradict the
// calling convention, and how many arguments and results are found.
func TestConventionAgreesWithRecords(t *testing.T) {
	t.Parallel()
	bin, err := binary.Open(binarytest.Command(t, "cmd/go"))
	require.NoError(t, err)
	defer func() { require.NoError(t, bin.Close()) }()
	var functions, contradicted, params, located, recorded int
	anchors := map[Anchor]int{}
	require.NoError(t, bin.Functions(func(fn binary.Function) bool {
		sig, err := bin.Signature(&fn, binary.Reach{})
		if err != nil {
			require.ErrorIs(t, err, binary.ErrNotDescribed)
			return true
		}
		r := resolver{bin: bin, fn: &fn, plan: &Plan{}, returns: true}
		require.NoError(t, r.sites())
		functions++
		anchors[r.plan.Sites[0].Anchor]++
		p := placesOf(sig, fn.Name, r.entry)
		if !p.trusted {
			contradicted++
		}
		for i := range sig.Params {
			params++
			if _, err := p.of(i); err == nil {
				located++
			}
			if p.recorded[i] != nil {
				recorded++
			}
		}
		return true
	}))
	t.Logf("%d functions, %d contradict the convention, anchors %v; %d parameters, %d located, %d of them recorded at the entry",
		functions, contradicted, anchors, params, located, recorded)
	require.Greater(t, functions, 10000)
	require.LessOrEqual(t, contradicted, functions/1000)
	require.GreaterOrEqual(t, located*1000, params*999)
	require.Greater(t, anchors[AnchorPushRBP]*100, functions*80)
}

func BenchmarkResolve(b *testing.B) {
	bin := open(b, "params", binarytest.Build{})
	def := Definition{Function: "main.(*Server).Handle", Returns: true}
	_, err := Resolve(bin, def) // reads the debug information
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := Resolve(bin, def)
		require.NoError(b, err)
	}
}
