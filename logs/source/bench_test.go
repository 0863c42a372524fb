package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
)

const benchLine = "2026-10-09T08:07:06.543Z INFO http request done method=GET path=/v1/items/4711 status=200 took=1.234ms\n"

// BenchmarkTail reads a file to its end: open to last line, page cache warm.
func BenchmarkTail(b *testing.B) {
	const lines = 500_000
	path := filepath.Join(b.TempDir(), "app.log")
	require.NoError(b, os.WriteFile(path, []byte(strings.Repeat(benchLine, lines)), 0o600))
	b.SetBytes(lines * int64(len(benchLine)))
	b.ReportAllocs()
	for b.Loop() {
		var seen atomic.Int64
		all := make(chan struct{})
		reg, err := registry.New(registry.Config{Dir: b.TempDir()}, registry.Deps{})
		require.NoError(b, err)
		require.NoError(b, reg.Start(b.Context()))
		files, err := New(Config{Patterns: []Pattern{{Path: path}}}, Deps{Registry: reg, Sink: func(_ context.Context, recs []record.Record) error {
			if seen.Add(int64(len(recs))) == lines {
				close(all)
			}
			return nil
		}})
		require.NoError(b, err)
		require.NoError(b, files.Start(b.Context()))
		<-all
		require.NoError(b, files.Stop(b.Context()))
		require.NoError(b, reg.Stop(b.Context()))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
}

func BenchmarkCut(b *testing.B) {
	text := []byte(strings.Repeat(benchLine, groupSize))
	group := make([]record.Record, 0, groupSize)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		cut(group, text, 0, DefaultMaxLine, record.Record{})
	}
}

// Reading costs no memory: chunks are used again.
func TestReadingUsesItsMemoryAgain(t *testing.T) {
	const lines = 20_000
	path := filepath.Join(t.TempDir(), "app.log")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat(benchLine, lines)), 0o600))
	reg, err := registry.New(registry.Config{Dir: t.TempDir()}, registry.Deps{})
	require.NoError(t, err)
	require.NoError(t, reg.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, reg.Stop(context.Background())) })
	files, err := New(Config{Patterns: []Pattern{{Path: path}}}, Deps{
		Registry: reg, Sink: func(context.Context, []record.Record) error { return nil },
	})
	require.NoError(t, err)
	// Opened and read here, without the loop and its goroutines.
	files.faults, files.tails, files.newOnes = map[string]string{}, map[registry.Key]*tail{}, []bool{true}
	info, err := os.Stat(path)
	require.NoError(t, err)
	reader, _ := files.open(opening{path: path, key: keyOf(info), name: path, listed: true})
	require.NotNil(t, reader)
	files.admit(reader)
	t.Cleanup(func() { require.NoError(t, reader.file.Close()) })
	// lent is the chunk that all reading so far has used.
	lent := func() *chunk {
		require.Len(t, files.chunks.free, 1)
		c := <-files.chunks.free
		files.chunks.free <- c
		return c
	}
	var first *chunk
	var memory *byte
	for range 3 {
		reader.pos = 0
		for atEnd := false; !atEnd; {
			atEnd, err = reader.step(t.Context())
			require.NoError(t, err)
			if first == nil {
				first = lent()
				memory = &first.memory[:1][0]
			}
			require.Same(t, first, lent())
			require.Same(t, memory, &first.memory[:1][0])
			require.LessOrEqual(t, cap(reader.rest), 2*len(benchLine)+spareRest)
		}
	}
}
