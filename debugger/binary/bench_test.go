package binary_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

func BenchmarkOpen(b *testing.B) {
	path := binarytest.Command(b, "cmd/go")
	b.ReportAllocs()
	for b.Loop() {
		bin, err := binary.Open(path)
		require.NoError(b, err)
		require.NoError(b, bin.Close())
	}
}

func BenchmarkFindFunction(b *testing.B) {
	bin := open(b, binarytest.Command(b, "cmd/go"))
	b.ReportAllocs()
	for b.Loop() {
		_, err := bin.FindFunction("net/http.(*Client).do")
		require.NoError(b, err)
	}
}

// BenchmarkDebugInfo decompresses and indexes the debug information.
func BenchmarkDebugInfo(b *testing.B) {
	bin := open(b, binarytest.Command(b, "cmd/go"))
	b.ReportAllocs()
	for b.Loop() {
		bin.ReleaseDebugInfo()
		_, err := bin.GoIDOffset()
		require.NoError(b, err)
	}
}

func BenchmarkSignature(b *testing.B) {
	bin := open(b, binarytest.Command(b, "cmd/go"))
	fn, err := bin.FindFunction("net/http.(*Client).do")
	require.NoError(b, err)
	_, err = bin.GoIDOffset() // reads the debug information
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := bin.Signature(fn, binary.Reach{Depth: 3})
		require.NoError(b, err)
	}
}

func BenchmarkFrames(b *testing.B) {
	bin := open(b, binarytest.Command(b, "cmd/go"))
	fn, err := bin.FindFunction("net/http.(*Client).do")
	require.NoError(b, err)
	for name, step := range map[string]uint64{"cached": 0, "new": 1} {
		b.Run(name, func(b *testing.B) {
			s := bin.Symbolizer()
			b.ReportAllocs()
			pc := fn.Entry
			for b.Loop() {
				if pc += step; pc >= fn.End {
					pc, s = fn.Entry, bin.Symbolizer()
				}
				if s.Frames(pc, false) == nil {
					b.Fatal("no frames")
				}
			}
		})
	}
}

func TestCachedFramesDoNotAllocate(t *testing.T) {
	bin := fixture(t, "stack", binarytest.Build{})
	fn, err := bin.FindFunction("main.outer")
	require.NoError(t, err)
	s := bin.Symbolizer()
	s.Frames(fn.Entry, false)
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Frames(fn.Entry, false) }))
}

// TestMemory bounds what stays on the heap for a program of 20 MB: nothing to
// speak of after opening it, and the sections without their tree once its debug
// information was read.
func TestMemory(t *testing.T) {
	path := binarytest.Command(t, "cmd/go")
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	before := heap()
	bin := open(t, path)
	opened := heap() - before
	_, err := bin.GoIDOffset()
	require.NoError(t, err)
	read := heap() - before
	bin.ReleaseDebugInfo()
	released := heap() - before
	t.Logf("opened %.1f MiB, debug information read %.1f MiB, released %.1f MiB", opened, read, released)
	require.Less(t, opened, 2.0)
	require.Less(t, read, 40.0)
	require.Less(t, released, 2.0)
}

// BenchmarkFirstProbe opens a program, finds a function, and reads its parameters
// and the types they lead to: what must happen before the first probe is in
// place, the kernel's part left out. The large program is the one at the path
// in VIGIL_LARGE_BINARY. The aims are 0.4 s for 20 MB, 1 s for 100 MB and more,
// and 100 MB of memory.
func BenchmarkFirstProbe(b *testing.B) {
	programs := map[string]string{"20MB": binarytest.Command(b, "cmd/go")}
	if path := os.Getenv("VIGIL_LARGE_BINARY"); path != "" {
		programs["large"] = path
	}
	for name, path := range programs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var most uint64
			for b.Loop() {
				bin, err := binary.Open(path)
				require.NoError(b, err)
				fn, err := bin.FindFunction("net/http.(*Client).do")
				require.NoError(b, err)
				_, err = bin.Entry(fn)
				require.NoError(b, err)
				_, err = bin.Exits(fn)
				require.NoError(b, err)
				_, err = bin.Signature(fn, binary.Reach{Depth: 3})
				require.NoError(b, err)
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapSys-m.HeapReleased)
				require.NoError(b, bin.Close())
			}
			b.ReportMetric(float64(most)/(1<<20), "heap-MB")
		})
	}
}
