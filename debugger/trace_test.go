package debugger_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// trace runs a trace until its end; act is called when the probe is in place.
func trace(t *testing.T, o debugger.TraceOptions, act func()) (hits []debugger.Hit, info debugger.TraceInfo, sum debugger.TraceSummary) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	o.OnReady = func(i debugger.TraceInfo) {
		info = i
		act()
	}
	o.OnSnapshot = func(h debugger.Hit) {
		h.JSON, h.Text, h.Tree = append([]byte(nil), h.JSON...), append([]byte(nil), h.Text...), append([]byte(nil), h.Tree...)
		hits = append(hits, h)
	}
	sum, err := debugger.Trace(ctx, o)
	require.NoError(t, err)
	require.NoError(t, ctx.Err(), "the trace did not end")
	return hits, info, sum
}

// mask replaces what differs from run to run.
func mask(text string, s *shop) string {
	text = strings.ReplaceAll(text, "pid "+strconv.Itoa(s.pid), "pid PID")
	text = regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(text, "ADDR")
	text = regexp.MustCompile(`\d\d:\d\d:\d\d\.\d{6}`).ReplaceAllString(text, "TIME")
	text = regexp.MustCompile(`goroutine \d+`).ReplaceAllString(text, "goroutine N")
	// The first instructions belong to the declaration or to the first statement.
	text = regexp.MustCompile(`(shop/main\.go):3[78]\b`).ReplaceAllString(text, "$1:DECL")
	return regexp.MustCompile(`(runtime/[a-z_0-9]+\.[gos]+):\d+`).ReplaceAllString(text, "$1:LINE")
}

// TestTraceHandle compares everything a hit shows, on builds that place things
// differently.
func TestTraceHandle(t *testing.T) {
	needKernel(t)
	t.Parallel()
	for variant, flags := range map[string][]string{"plain": nil, "pie": {"-buildmode=pie"}, "unoptimised": {"-gcflags=-N -l"}} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			s := startShop(t, buildShop(t, variant, flags...), "DD_SERVICE=tea")
			begin := time.Now()
			hits, info, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.handle", Limit: 1}, func() { s.call(t, "order", 42) })
			require.Len(t, hits, 1)
			require.Equal(t, s.pid, hits[0].PID)
			require.Positive(t, hits[0].Goroutine)
			require.WithinRange(t, hits[0].Time, begin.Add(-time.Second), time.Now())
			require.Equal(t, `main.handle(order=*main.Order{ID:42, Item:"green tea", Notes:[]string{"no sugar", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"…(300 bytes)}, `+
				`Customer:*main.Customer{Name:"ada", Since:2026-01-02T03:04:05Z}, Password:string{…redactedIdent}, Express:true}, n=1)
  TIME  goroutine N  pid PID  tea
    main.handle           github.com/vigil-agent/vigil/debugger/testdata/shop/main.go:DECL
    main.(*Server).Serve  github.com/vigil-agent/vigil/debugger/testdata/shop/main.go:45
    main.main             github.com/vigil-agent/vigil/debugger/testdata/shop/main.go:59
    runtime.main          runtime/proc.go:LINE
    runtime.goexit        runtime/asm_amd64.s:LINE
`, mask(string(hits[0].Text), s))
			require.Contains(t, string(hits[0].JSON), `"service":"tea"`)
			require.Contains(t, string(hits[0].JSON), `"ID":{"type":"int64","value":"42"}`)
			require.Contains(t, string(hits[0].Tree), "    ID int64 = 42\n")
			require.Equal(t, "main.handle", info.Function)
			require.Equal(t, s.exe, info.Exe)
			require.Equal(t, "tea", info.Service)
			require.Len(t, info.Sites, 1)
			require.Equal(t, debugger.TraceLimit, sum.End)
			require.Equal(t, uint64(1), sum.Hits)
			require.Equal(t, uint64(1), sum.Snapshots)
			require.Equal(t, uint64(len(hits[0].JSON)), sum.Bytes)
			require.Zero(t, sum.Dropped)
		})
	}
}

// TestTraceMethod shows the kinds that are not followed yet.
func TestTraceMethod(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	hits, _, _ := trace(t, debugger.TraceOptions{PID: s.pid, Function: "(*Server).Serve", Limit: 1}, func() { s.call(t, "order", 7) })
	line, _, _ := strings.Cut(mask(string(hits[0].Text), s), "\n")
	require.Equal(t, `main.(*Server).Serve(s=*main.Server{Name:"tea", total:0}, order=main.Order{ID:7, Item:"green tea", `+
		`Notes:[]string{"no sugar", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"…(300 bytes)}, `+
		`Customer:*main.Customer{Name:"ada", Since:2026-01-02T03:04:05Z}, Password:string{…redactedIdent}, Express:true}, `+
		`prices=map[string]int{"tea":3}, err=nil)`, line)
}

func TestTraceStripped(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "stripped", "-ldflags=-s -w"), "DD_SERVICE=")
	hits, info, _ := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.handle", Limit: 1}, func() { s.call(t, "order", 7) })
	require.True(t, strings.HasPrefix(mask(string(hits[0].Text), s), "main.handle()\n  TIME  goroutine N  pid PID  shop-stripped\n    main.handle "), string(hits[0].Text))
	require.Contains(t, string(hits[0].Text), "main.(*Server).Serve")
	require.Len(t, info.Notes, 1)
	require.Contains(t, info.Notes[0], "no debug information")
}

// TestTraceCrowd calls from several goroutines, far more often than the rate:
// every hit is accounted for, and the program is unharmed.
func TestTraceCrowd(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	const calls = 20000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hits := 0
	sum, err := debugger.Trace(ctx, debugger.TraceOptions{
		PID: s.pid, Function: "main.handle", PerSecond: 50,
		OnReady: func(debugger.TraceInfo) {
			s.call(t, "crowd", calls)
			cancel()
		},
		OnSnapshot: func(debugger.Hit) { hits++ },
	})
	require.NoError(t, err)
	require.Equal(t, debugger.TraceCanceled, sum.End)
	require.EqualValues(t, calls, sum.Hits)
	require.EqualValues(t, hits, sum.Snapshots)
	require.EqualValues(t, calls, sum.Throttled+sum.Snapshots+sum.Dropped)
	require.GreaterOrEqual(t, hits, 50)
	require.Less(t, hits, calls/10)
}

// TestTraceLeavesNothing traces the same process again and again: it would not
// survive a breakpoint that stayed.
func TestTraceLeavesNothing(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	for i := range 3 {
		hits, _, _ := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.handle", Limit: 1}, func() { s.call(t, "order", i) })
		require.Contains(t, string(hits[0].Text), "ID:"+strconv.Itoa(i))
		s.call(t, "crowd", 1000)
	}
}

func TestTraceEndsWithTheProcess(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	hits, _, sum := trace(t, debugger.TraceOptions{PID: s.pid, Function: "main.handle"}, func() {
		s.call(t, "order", 1)
		s.end(t)
	})
	require.Len(t, hits, 1)
	require.Equal(t, debugger.TraceExited, sum.End)
}

func TestTraceErrors(t *testing.T) {
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	sleep := exec.Command("sleep", "600")
	require.NoError(t, sleep.Start())
	t.Cleanup(func() {
		_ = sleep.Process.Kill()
		_ = sleep.Wait()
	})
	ended := startShop(t, buildShop(t, "plain"))
	ended.end(t)
	for name, tc := range map[string]struct {
		pid      int
		function string
		is       error
		want     string
	}{
		"no process":   {ended.pid, "main.handle", debugger.ErrNoProcess, "trace: pid " + strconv.Itoa(ended.pid) + ": no such process: "},
		"not Go":       {sleep.Process.Pid, "main.main", debugger.ErrNotGo, "not a Go program"},
		"self":         {os.Getpid(), "main.main", nil, "the pid of vigil itself"},
		"misspelt":     {s.pid, "main.handel", nil, `no function "main.handel" in the binary: did you mean main.handle`},
		"no such name": {s.pid, "zzzzzzzzzzzzzzz", nil, `no function "zzzzzzzzzzzzzzz" in the binary`},
		"no name":      {s.pid, "", nil, "trace: no function is named"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := debugger.Trace(t.Context(), debugger.TraceOptions{PID: tc.pid, Function: tc.function})
			require.ErrorContains(t, err, tc.want)
			if tc.is != nil {
				require.ErrorIs(t, err, tc.is)
			}
		})
	}
}

// TestTraceReadsWhatIsLeft captures far more than is read before the end: what
// was captured still comes.
func TestTraceReadsWhatIsLeft(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hits := 0
	sum, err := debugger.Trace(ctx, debugger.TraceOptions{
		PID: s.pid, Function: "main.handle", PerSecond: 1e6,
		OnReady: func(debugger.TraceInfo) {
			s.call(t, "crowd", 1000)
			cancel()
		},
		OnSnapshot: func(debugger.Hit) { hits++ },
	})
	require.NoError(t, err)
	require.EqualValues(t, 1000, sum.Hits)
	require.Equal(t, 1000, hits)
	require.EqualValues(t, 1000, sum.Snapshots)
}
