package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// resolve makes a plan from the target's debug information.
func (b *targetFile) resolve(tb testing.TB, def plan.Definition) *plan.Plan {
	tb.Helper()
	bin, err := binary.Open(b.path)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, bin.Close()) })
	p, err := plan.Resolve(bin, def)
	require.NoError(tb, err)
	require.NoError(tb, plan.Compile(p))
	return p
}

// TestResolvedPlans captures with plans made from debug information, the way
// the product does it.
func TestResolvedPlans(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for function, c := range map[string]struct {
		command string
		want    []string
	}{
		"main.Ints": {"ints", []string{
			`a = -1`, `b = -2`, `c = -3`, `d = -4`, `e = 5`, `f = 6`, `g = 7`, `h = 8`, `i = true`,
		}},
		"main.OnStack": {"onstack", []string{
			`a = 1`, `b = 2`, `c = 3`, `d = 4`, `e = 5`, `f = 6`, `g = 7`, `h = 8`, `i = 9`, `j = 10`, `k = "stacked"`,
		}},
		"main.Pointers": {"pointers", captures["graph"].want},
		"main.Slices":   {"slices", captures["slices"].want},
		"main.Value":    {"value", captures["values"].want[:2]},
		"main.Large":    {"large", captures["large"].want},
		"main.Cold":     {"cold", []string{`s = "cold"`}},
		"main.Empty":    {"empty", nil},
	} {
		t.Run(function, func(t *testing.T) {
			p := b.resolve(t, plan.Definition{ProbeID: "p", Function: function})
			s := load(t, Options{}, Probe{Plan: p})
			target := b.start(t)
			require.NoError(t, s.Attach(target.exe, target.pid, 0))
			target.call(t, c.command, 1)
			events := drain(t, s)
			require.Len(t, events, 1)
			require.Equal(t, c.want, render(p, events[0]))
			require.EqualValues(t, 1, events[0].GoID)
		})
	}
}

func TestReturnSitesCaptureResults(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	p := b.resolve(t, plan.Definition{ProbeID: "p", Function: "main.Results", Returns: true})
	s := load(t, Options{}, Probe{Plan: p})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	target.call(t, "results", 3)
	var got [][]string
	for _, e := range drain(t, s) {
		role := plan.RoleArgument
		if p.Sites[e.Site].Kind == plan.SiteReturn {
			role = plan.RoleResult
		}
		var values []string
		for i, text := range render(p, e) {
			if p.Variables[i].Role == role {
				values = append(values, text)
			}
		}
		got = append(got, values)
		require.Equal(t, "main.call", b.function(e.Stack[1]))
	}
	require.Equal(t, [][]string{
		{`s = "hello"`, `n = -1`},
		{`r0 = ""`, `r1 = []`, `r2 = -1`, `r3 = ?`},
		{`s = "hello"`, `n = 0`},
		{`r0 = ""`, `r1 = []`, `r2 = 0`, `r3 = ?`},
		{`s = "hello"`, `n = 1`},
		{`r0 = "h"`, `r1 = ["string 0"]`, `r2 = 2`, `r3 = ?`},
	}, got)
}

// TestEntryAndReturnHaveOneDepth checks what pairs the two events of a call: the
// goroutine and the depth of its stack, which tells a recursion's calls apart.
func TestEntryAndReturnHaveOneDepth(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	p := b.resolve(t, plan.Definition{ProbeID: "p", Function: "main.Grow", Returns: true})
	s := load(t, Options{RingBytes: 16 << 20}, Probe{Plan: p})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	target.call(t, "stress", 1)
	open := map[uint64][]uint32{} // depths of the calls of a goroutine
	calls := 0
	for _, e := range drain(t, s) {
		require.NotZero(t, e.Depth)
		depths := open[e.GoID]
		if p.Sites[e.Site].Kind == plan.SiteEntry {
			if n := len(depths); n > 0 {
				require.Greater(t, e.Depth, depths[n-1])
			}
			open[e.GoID] = append(depths, e.Depth)
			continue
		}
		require.NotEmpty(t, depths)
		require.Equal(t, depths[len(depths)-1], e.Depth, "also when the stack was moved in between")
		open[e.GoID] = depths[:len(depths)-1]
		calls++
	}
	require.Equal(t, 20*201, calls)
}
