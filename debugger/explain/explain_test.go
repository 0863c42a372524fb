package explain

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// TestEveryFunctionOfALargeProgram explains all of cmd/go: nothing panics or
// fails, and of the parameters of functions with a frame 99.9 % are located.
func TestEveryFunctionOfALargeProgram(t *testing.T) {
	t.Parallel()
	bin := open(t, binarytest.Command(t, "cmd/go"))
	functions, params, located := everyFunction(t, bin)
	t.Logf("%d functions, %d parameters of functions with a frame, %d located", functions, params, located)
	require.Greater(t, functions, 10000)
	require.GreaterOrEqual(t, located*1000, params*999)
}

func open(tb testing.TB, path string) *binary.Binary {
	tb.Helper()
	bin, err := binary.Open(path)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, bin.Close()) })
	return bin
}

// everyFunction explains all functions of a binary and counts the parameters of
// those with a frame. A parameter in a vector register is located, though it
// cannot be read.
func everyFunction(tb testing.TB, bin *binary.Binary) (functions, params, located int) {
	tb.Helper()
	require.NoError(tb, bin.Functions(func(fn binary.Function) bool {
		p := Function(bin, &fn)
		if p.Error != "" {
			tb.Fatalf("%s: %s", fn.Name, p.Error)
		}
		functions++
		if p.Sites[0].Anchor != "push" {
			return true
		}
		for _, v := range p.Variables {
			params++
			if v.Readable || len(v.Where) > 0 {
				located++
			}
		}
		return true
	}))
	return functions, params, located
}

// BenchmarkEveryFunction opens cmd/go, explains all of its functions and lets go
// of it. The aim is 0.5 s and 100 MB.
func BenchmarkEveryFunction(b *testing.B) {
	path := binarytest.Command(b, "cmd/go")
	b.ReportAllocs()
	for b.Loop() {
		bin := open(b, path)
		start := time.Now()
		everyFunction(b, bin)
		b.ReportMetric(time.Since(start).Seconds(), "s/all")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MB")
		bin.ReleaseDebugInfo()
	}
}
