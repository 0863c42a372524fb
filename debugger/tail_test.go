package debugger_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// tailBuilds are the builds whose wrappers end by jumps.
func tailBuilds() map[string]binarytest.Build {
	builds := map[string]binarytest.Build{"release": {}, "pie": binarytest.Variants["pie"], "stripped": binarytest.Variants["stripped"]}
	for _, toolchain := range binarytest.Older {
		builds[toolchain] = binarytest.Build{Toolchain: toolchain}
	}
	return builds
}

// TestTailJumps joins the calls of a function that is left by a jump with its
// jump, while other calls of the same function return.
func TestTailJumps(t *testing.T) {
	needKernel(t)
	t.Parallel()
	const goroutines, n = 8, 50
	for name, b := range tailBuilds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startShop(t, binarytest.Fixture(t, "testdata/tail", b))
			got := map[string]int{}
			hits, info, sum := trace(t, debugger.TraceOptions{
				PID: s.pid, Function: "main.hop", Returns: true, Limit: goroutines * (n + 1), PerSecond: 1e6,
			}, func() { s.call(t, "hop", n) })
			var kinds []string
			for _, site := range info.Sites {
				kinds = append(kinds, site.Kind+" "+site.Anchor)
			}
			require.Equal(t, []string{"entry stepped", "tail emulated", "return stepped"}, kinds)
			require.NotContains(t, strings.Join(info.Notes, "\n"), "leave")
			for _, h := range hits {
				c := parseCall(t, h)
				require.Positive(t, c.Duration)
				require.Equal(t, "main.hop", c.Debugger.Snapshot.Stack[0].Function)
				line := regexp.MustCompile(` (in|after) [0-9.]+[µnm]?s$`).ReplaceAllString(firstLine(h), " $1 TIME")
				errs := c.Debugger.Snapshot.EvaluationErrors
				got[line]++
				if strings.Contains(line, "went on") {
					require.Equal(t, []struct{ Expr, Message string }{{"@return", "the call went on in main.land, which sets the results: the duration is the time until then"}}, errs)
				} else {
					require.Empty(t, errs)
				}
				caller := c.Debugger.Snapshot.Stack[1].Function
				require.Contains(t, []string{"main.land", "main.run.func1", "main.hop"}, caller)
			}
			require.Equal(t, map[string]int{"main.hop() went on in main.land after TIME": goroutines * n, "main.hop() returned in TIME": goroutines}, got)
			require.EqualValues(t, goroutines*(n+1), sum.Paired)
			require.Zero(t, sum.Unwound+sum.Evicted+sum.Alone+sum.Unmatched)
		})
	}
}

// TestTailJumpThroughRegister is how functions end that choose one of several
// others, as reflectcall does.
func TestTailJumpThroughRegister(t *testing.T) {
	needKernel(t)
	t.Parallel()
	for name, b := range tailBuilds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startShop(t, binarytest.Fixture(t, "testdata/tail", b))
			hits, info, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.leap", Returns: true, Limit: 1}, func() { s.call(t, "leap", 7) })
			require.Equal(t, "tail stepped", info.Sites[1].Kind+" "+info.Sites[1].Anchor)
			c := parseCall(t, hits[0])
			require.Positive(t, c.Duration)
			require.Equal(t, "main.run", c.Debugger.Snapshot.Stack[1].Function)
			require.Contains(t, firstLine(hits[0]), "main.leap() went on in main.land after ")
			require.EqualValues(t, 1, sum.Paired)
		})
	}
}

// TestTailJumpOfWrapper shows the arguments of a method that the compiler made
// of an embedded one, and says of each result that it is not there yet.
func TestTailJumpOfWrapper(t *testing.T) {
	needKernel(t)
	t.Parallel()
	for name, b := range tailBuilds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startShop(t, binarytest.Fixture(t, "testdata/tail", b))
			hits, info, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.(*outer).add", Returns: true, Limit: 1}, func() { s.call(t, "add", 7) })
			require.Equal(t, "entry stepped", info.Sites[0].Kind+" "+info.Sites[0].Anchor, "not the jump, which is the end")
			require.Equal(t, "tail emulated", info.Sites[1].Kind+" "+info.Sites[1].Anchor)
			c := parseCall(t, hits[0])
			require.Positive(t, c.Duration)
			require.Equal(t, []struct{ Expr, Message string }{
				{"@return", "the call went on in main.(*inner).add, which sets the results: the duration is the time until then"},
			}, c.Debugger.Snapshot.EvaluationErrors)
			require.Equal(t, "main.run", c.Debugger.Snapshot.Stack[1].Function)
			captures := regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(string(c.Debugger.Snapshot.Captures), "ADDR")
			want := `{"entry":{"arguments":{"i":{"type":"*main.outer","address":"ADDR","fields":{"inner":{"type":"main.inner","fields":{"base":{"type":"int","value":"7"}}}}},` +
				`"n":{"type":"int","value":"1"}}},"return":{"locals":{"@return":{"type":"(int, error)",` +
				`"fields":{"sum":{"type":"int","notCapturedReason":"unavailable"},"err":{"type":"error","notCapturedReason":"unavailable"}}}}}}`
			if name == "stripped" {
				want = `{"entry":{"arguments":{}},"return":{}}`
			}
			require.Equal(t, want, captures)
			require.EqualValues(t, 1, sum.Paired)
		})
	}
}
