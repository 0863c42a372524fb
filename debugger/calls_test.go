package debugger_test

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// call is what the tests of this file read of a snapshot.
type call struct {
	Duration int64
	Debugger struct {
		Snapshot struct {
			Probe            json.RawMessage
			Captures         json.RawMessage
			EvaluationErrors []struct{ Expr, Message string }
			Stack            []struct{ Function string }
		}
	}
}

func parseCall(t *testing.T, h debugger.Hit) (c call) {
	t.Helper()
	require.NoError(t, json.Unmarshal(h.JSON, &c))
	return c
}

// firstLine is the call in one line, without its duration and addresses.
func firstLine(h debugger.Hit) string {
	line, _, _ := strings.Cut(string(h.Text), "\n")
	line = regexp.MustCompile(` in [0-9.]+[µnm]?s$`).ReplaceAllString(line, " in TIME")
	return regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(line, "ADDR")
}

// TestReturns shows both ends of calls: one result, several, none, and every
// return of a function.
func TestReturns(t *testing.T) {
	needKernel(t)
	t.Parallel()
	for variant, flags := range map[string][]string{"plain": nil, "pie": {"-buildmode=pie"}, "unoptimised": {"-gcflags=-N -l"}} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			s := startShop(t, build(t, "calls", variant, flags...))
			for _, tc := range []struct {
				function, command string
				arg               int
				want, captures    string
			}{
				{
					"main.divide", "divide", 2, `main.divide(a=84, b=2) returned (int, error){quotient:42, err:nil} in TIME`,
					`{"entry":{"arguments":{"a":{"type":"int","value":"84"},"b":{"type":"int","value":"2"}}},"return":{"locals":{"@return":{"type":"(int, error)",` +
						`"fields":{"quotient":{"type":"int","value":"42"},"err":{"type":"error","isNull":true}}}}}}`,
				},
				{"main.divide", "divide", 0, `main.divide(a=84, b=0) returned (int, error){quotient:0, err:*errors.errorString{s:"divisor is zero"}} in TIME`, ""},
				{
					"main.name", "name", 7, `main.name(n=7) returned "number 7" in TIME`,
					`{"entry":{"arguments":{"n":{"type":"int","value":"7"}}},"return":{"locals":{"@return":{"type":"string","value":"number 7"}}}}`,
				},
				{"main.nothing", "nothing", 7, `main.nothing(n=7) returned in TIME`, `{"entry":{"arguments":{"n":{"type":"int","value":"7"}}},"return":{}}`},
			} {
				if variant != "plain" && tc.arg != 0 {
					continue // where things are differs, not what they are
				}
				hits, info, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: tc.function, Returns: true, Limit: 1}, func() { s.call(t, tc.command, tc.arg) })
				require.Equal(t, tc.want, firstLine(hits[0]))
				c := parseCall(t, hits[0])
				require.Positive(t, c.Duration)
				require.Empty(t, c.Debugger.Snapshot.EvaluationErrors)
				require.Equal(t, tc.function, c.Debugger.Snapshot.Stack[0].Function)
				if tc.captures != "" {
					require.Equal(t, tc.captures, string(c.Debugger.Snapshot.Captures))
				}
				require.Equal(t, "entry", info.Sites[0].Kind)
				require.Equal(t, "return", info.Sites[1].Kind)
				require.Positive(t, info.Sites[1].CostNS)
				require.True(t, info.Sites[1].CostMeasured)
				require.EqualValues(t, 1, sum.Hits)
				require.EqualValues(t, 1, sum.Paired)
			}
		})
	}
}

// TestReturnsOfStripped knows durations without debug information.
func TestReturnsOfStripped(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "stripped", "-ldflags=-s -w"))
	hits, _, _ := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.depth", Returns: true, Limit: 8 * 4}, func() { s.call(t, "depth", 3) })
	for _, h := range hits {
		require.Positive(t, parseCall(t, h).Duration)
	}
}

// TestReturnsOfRecursion pairs each call of a recursion with its own return while
// the stack grows and is moved, from several goroutines.
func TestReturnsOfRecursion(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	const goroutines, n = 8, 100
	got := map[string]int{}
	last := map[uint64]int64{}
	hits, _, sum := trace(t, debugger.TraceOptions{
		PID: s.pid, Function: "main.depth", Returns: true, Limit: goroutines * (n + 1), PerSecond: 1e6,
	}, func() { s.call(t, "depth", n) })
	for _, h := range hits {
		c := parseCall(t, h)
		got[string(c.Debugger.Snapshot.Captures)]++
		require.Greater(t, c.Duration, last[h.Goroutine], "the outer call lasts longer")
		last[h.Goroutine] = c.Duration
	}
	require.Len(t, got, n+1)
	for captures, times := range got {
		require.Equal(t, goroutines, times)
		m := regexp.MustCompile(`"value":"(\d+)".*"value":"(\d+)"`).FindStringSubmatch(captures)
		require.Equal(t, m[1], m[2], "the result is the argument")
	}
	require.EqualValues(t, goroutines*(n+1), sum.Paired)
	require.Zero(t, sum.Unwound+sum.Evicted+sum.Alone+sum.Unmatched)
}

// TestReturnsThatDoNotCome: a panic that is recovered further up, and the end of a
// goroutine, take calls away. They are shown without a result, and say why.
func TestReturnsThatDoNotCome(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	for _, tc := range []struct{ function, command, want, why string }{
		{"main.fall", "rescue", `main.fall(n=5)`, "return not received: the probe was removed or the process ended first"},
		{"main.leave", "leave", `main.leave(n=5)`, "return not received: the probe was removed or the process ended first"},
	} {
		// The end of the trace gives them back.
		ctx := t.Context()
		var hits []debugger.Hit
		stop := make(chan struct{})
		sum, err := debugger.Trace(contextUntil(ctx, stop), debugger.TraceOptions{
			PID: s.pid, Function: tc.function, Returns: true,
			OnReady: func(debugger.TraceInfo) { s.call(t, tc.command, 5); close(stop) },
			OnSnapshot: func(h debugger.Hit) {
				h.JSON, h.Text = append([]byte(nil), h.JSON...), append([]byte(nil), h.Text...)
				hits = append(hits, h)
			},
		})
		require.NoError(t, err)
		require.Len(t, hits, 1)
		require.Equal(t, tc.want, firstLine(hits[0]))
		errs := parseCall(t, hits[0]).Debugger.Snapshot.EvaluationErrors
		require.Equal(t, []struct{ Expr, Message string }{{"@duration", tc.why}, {"@return", tc.why}}, errs)
		require.EqualValues(t, 1, sum.Ended)
		require.Zero(t, sum.Returns)
	}
	// Where the goroutine goes on, the next call of the frame tells.
	hits, _, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.fall", Returns: true, Limit: 1}, func() {
		s.call(t, "rescue", 1)
		s.call(t, "rescue", 2)
	})
	require.Equal(t, `main.fall(n=1)`, firstLine(hits[0]))
	require.Equal(t, "return not received: the call was unwound by a panic, or its return was lost", parseCall(t, hits[0]).Debugger.Snapshot.EvaluationErrors[0].Message)
	require.EqualValues(t, 1, sum.Unwound)
	hits, _, _ = trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.rescue", Returns: true, Limit: 1}, func() { s.call(t, "rescue", 3) })
	require.Equal(t, `main.rescue(n=3) returned "recovered 3" in TIME`, firstLine(hits[0]))
}

// TestReturnsAreThrottledWithTheirCall captures both ends of a call or none.
func TestReturnsAreThrottledWithTheirCall(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	stop := make(chan struct{})
	const goroutines, n = 8, 200
	sum, err := debugger.Trace(contextUntil(t.Context(), stop), debugger.TraceOptions{
		PID: s.pid, Function: "main.depth", Returns: true, PerSecond: 20,
		OnReady:    func(debugger.TraceInfo) { s.call(t, "depth", n); close(stop) },
		OnSnapshot: func(debugger.Hit) {},
	})
	require.NoError(t, err)
	require.EqualValues(t, goroutines*(n+1), sum.Hits)
	require.EqualValues(t, goroutines*(n+1), sum.Returns)
	require.Equal(t, sum.Throttled, sum.Unmatched)
	require.Equal(t, sum.Hits-sum.Throttled, sum.Paired)
	require.Equal(t, sum.Paired, sum.Snapshots)
	require.GreaterOrEqual(t, sum.Paired, uint64(20))
}

// TestLine shows the locals of a line.
func TestLine(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	hits, info, _ := trace(t, debugger.TraceOptions{PID: s.pid, Function: "calls/main.go:" + lineOf(t, "// line probe"), Limit: 1}, func() { s.call(t, "twice", 6) })
	require.Equal(t, "line", info.Sites[0].Kind)
	require.Equal(t, "emulated", info.Sites[0].Anchor, "the call, not what loads its argument")
	require.Equal(t, "main.twice", info.Function)
	c := parseCall(t, hits[0])
	require.Contains(t, string(c.Debugger.Snapshot.Captures), `{"lines":{"`+lineOf(t, "// line probe")+`":{"arguments":{`)
	require.Contains(t, string(c.Debugger.Snapshot.Captures), `"square":{"type":"int","value":"36"}`)
	require.Contains(t, string(c.Debugger.Snapshot.Probe), `"line":`+lineOf(t, "// line probe"))
}

// TestInlined probes every copy of an inlined function.
func TestInlined(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	hits, info, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.double", Returns: true, Limit: 2}, func() { s.call(t, "twice", 6) })
	// In the first copy the argument is read a little later than its code begins.
	require.Contains(t, firstLine(hits[0]), `main.double(n=`)
	require.Equal(t, `main.double(n=6) with d=int{…unavailable}`, firstLine(hits[1]))
	require.Equal(t, "main.once", parseCall(t, hits[1]).Debugger.Snapshot.Stack[1].Function)
	require.Equal(t, "main.double", parseCall(t, hits[0]).Debugger.Snapshot.Stack[0].Function)
	require.Equal(t, "main.twice", parseCall(t, hits[0]).Debugger.Snapshot.Stack[1].Function)
	require.Len(t, info.Sites, 2)
	require.Contains(t, info.Notes, "the function is inlined: its return is not seen")
	require.EqualValues(t, 2, sum.Hits)

	// The rate is that of all places together.
	stop := make(chan struct{})
	sum, err := debugger.Trace(contextUntil(t.Context(), stop), debugger.TraceOptions{
		PID: s.pid, Function: "main.double", PerSecond: 0.001,
		OnReady:    func(debugger.TraceInfo) { s.call(t, "twice", 6); close(stop) },
		OnSnapshot: func(debugger.Hit) {},
	})
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 1, 1}, []uint64{sum.Hits, sum.Throttled, sum.Snapshots})
}

// TestGenericInstances probes every instance of a generic function.
func TestGenericInstances(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	hits, _, _ := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.swap", Returns: true, Limit: 2}, func() { s.call(t, "swap", 9) })
	require.Contains(t, firstLine(hits[0]), `{A:9, B:2}`)
	require.Contains(t, firstLine(hits[0]), `returned`)
	require.Contains(t, firstLine(hits[1]), `{A:"left", B:"right"}`)
	require.Contains(t, firstLine(hits[1]), `{A:"right", B:"left"}`)
}

// TestTypesThatSnapshotsMeet are captured once the probe was placed again with
// them; before, they have a name.
func TestTypesThatSnapshotsMeet(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	stop := make(chan struct{})
	var lines []string
	// Calls are made in turn, with time to place the probe again.
	next := make(chan struct{}, 1)
	var calling sync.WaitGroup
	calling.Go(func() {
		for range next {
			time.Sleep(100 * time.Millisecond)
			if _, err := io.WriteString(s.in, "show 1\n"); err != nil || !s.out.Scan() {
				return
			}
		}
	})
	sum, err := debugger.Trace(contextUntil(t.Context(), stop), debugger.TraceOptions{
		PID: s.pid, Function: "main.show",
		OnReady: func(debugger.TraceInfo) { next <- struct{}{} },
		OnSnapshot: func(h debugger.Hit) {
			lines = append(lines, firstLine(h))
			if strings.Contains(lines[len(lines)-1], "paper") {
				close(stop)
				return
			}
			next <- struct{}{}
		},
	})
	close(next)
	calling.Wait()
	require.NoError(t, err)
	require.Equal(t, `main.show(value=*main.crate{Boxes:[]interface {}{main.box[main.weight]{Content:main.weight{Grams:N}, Side:2}, *main.box[string]{Content:"paper", Side:3}}})`,
		regexp.MustCompile(`Grams:\d+`).ReplaceAllString(lines[len(lines)-1], "Grams:N"))
	require.Contains(t, lines[0], "main.crate")
	require.Positive(t, sum.Replans)
}
