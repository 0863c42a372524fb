package sink_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/sink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func deps(w io.Writer) sink.Deps { return sink.Deps{Log: slog.New(slog.DiscardHandler), Writer: w} }

func started(t *testing.T, cfg sink.Config, d sink.Deps) *sink.NDJSON {
	t.Helper()
	s, err := sink.New(cfg, d)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.WithoutCancel(t.Context()))) })
	return s
}

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "snapshots.ndjson")
	for _, line := range []string{`{"n":1}`, `{"n":2}`} {
		s := started(t, sink.Config{Path: path}, deps(nil))
		require.True(t, s.Put([]byte(line)))
		require.NoError(t, s.Stop(t.Context()))
		require.Equal(t, sink.Stats{Lines: 1, Bytes: 8}, s.Stats())
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\"n\":1}\n{\"n\":2}\n", string(text))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

// TestFileTorn appends to a file whose writer died in the middle of a line.
func TestFileTorn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "snapshots.ndjson")
	require.NoError(t, os.WriteFile(path, []byte(`{"n":`), 0o600))
	s := started(t, sink.Config{Path: path}, deps(nil))
	s.Put([]byte(`{"n":2}`))
	require.NoError(t, s.Stop(t.Context()))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\"n\":\n{\"n\":2}\n", string(text))
}

// TestWritesWhenIdle shows that a line does not wait for others.
func TestWritesWhenIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w buffer
		s := started(t, sink.Config{}, deps(&w))
		s.Put([]byte("a"))
		synctest.Wait()
		require.Equal(t, "a\n", w.String())
	})
}

// TestQueueIsBounded blocks the writer and fills the queue.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &gate{open: make(chan struct{})}
		s := started(t, sink.Config{QueueBytes: 10}, deps(w))
		require.True(t, s.Put([]byte("1")))
		synctest.Wait() // the writer has it
		for i, want := range []bool{true, true, false, true, false} {
			require.Equal(t, want, s.Put([]byte("abc"[:3-i/3*2])), i) // 4, 4, 4, 2 and 2 bytes
		}
		require.Equal(t, sink.Stats{Dropped: 2}, s.Stats())
		close(w.open)
		require.NoError(t, s.Stop(t.Context()))
		require.Equal(t, "1\nabc\nabc\na\n", w.String())
		require.Equal(t, sink.Stats{Lines: 4, Bytes: 12, Dropped: 2}, s.Stats())
		require.False(t, s.Put([]byte("late")))
		require.Equal(t, uint64(3), s.Stats().Dropped)
	})
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &gate{open: make(chan struct{})}
		s := started(t, sink.Config{}, deps(w))
		s.Put([]byte("1"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.Stop(ctx), context.DeadlineExceeded)
		close(w.open)
	})
}

// TestWriteErrors tears lines and shows that the others survive and all are
// accounted for.
func TestWriteErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged buffer
		w := &faulty{}
		s := started(t, sink.Config{}, sink.Deps{Writer: w, Log: slog.New(slog.NewTextHandler(&logged, nil))})
		put := func(line string) {
			s.Put([]byte(line))
			synctest.Wait()
		}
		put("one")
		w.allow, w.err = 2, errors.New("disk full")
		put("two")
		require.Equal(t, sink.Stats{Lines: 1, Bytes: 4, Lost: 1, Error: "disk full"}, s.Stats())
		w.allow = 0
		put("three")
		w.err = nil
		put("four")
		require.Equal(t, "one\ntw\nfour\n", w.String())
		require.Equal(t, sink.Stats{Lines: 2, Bytes: 9, Lost: 2}, s.Stats())
		require.Equal(t, 2, strings.Count(logged.String(), "\n"), "one line for the failure, one for its end: %s", logged.String())
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := sink.New(sink.Config{}, sink.Deps{})
	require.EqualError(t, err, "ndjson sink: neither a path nor a writer to write to")
	_, err = sink.New(sink.Config{QueueBytes: -1}, deps(io.Discard))
	require.EqualError(t, err, "queue_bytes: must not be negative, not -1")
}

func TestStartNamesTheFile(t *testing.T) {
	t.Parallel()
	s, err := sink.New(sink.Config{Path: filepath.Join(t.TempDir(), "no", "such")}, deps(nil))
	require.NoError(t, err)
	require.ErrorIs(t, s.Start(t.Context()), os.ErrNotExist)
	require.NoError(t, s.Stop(t.Context()), "stop is safe without a successful start")
}

// TestNothingIsLostUnseen puts from several goroutines into a small queue:
// every line is written whole and once, or counted.
func TestNothingIsLostUnseen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var w buffer
		s, err := sink.New(sink.Config{QueueBytes: rapid.IntRange(8, 400).Draw(t, "queue")}, deps(&w))
		require.NoError(t, err)
		require.NoError(t, s.Start(context.Background()))
		var wg sync.WaitGroup
		var mu sync.Mutex
		want := map[string]bool{}
		for g := range rapid.IntRange(1, 4).Draw(t, "goroutines") {
			wg.Go(func() {
				for i := range 50 {
					line := fmt.Sprintf("%d-%d", g, i)
					if s.Put([]byte(line)) {
						mu.Lock()
						want[line] = true
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, s.Stop(context.Background()))
		got := map[string]bool{}
		for line := range strings.Lines(w.String()) {
			got[strings.TrimSpace(line)] = true
		}
		require.Equal(t, want, got)
		require.Equal(t, uint64(len(want)), s.Stats().Lines)
	})
}

func TestPutDoesNotAllocate(t *testing.T) {
	s := started(t, sink.Config{}, deps(io.Discard))
	line := bytes.Repeat([]byte("x"), 1000)
	for range 20000 { // both buffers grow to their size
		s.Put(line)
	}
	require.Less(t, testing.AllocsPerRun(1000, func() { s.Put(line) }), 0.01)
}

func BenchmarkPut(b *testing.B) {
	s, err := sink.New(sink.Config{}, deps(io.Discard))
	require.NoError(b, err)
	require.NoError(b, s.Start(b.Context()))
	line := bytes.Repeat([]byte("x"), 1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		s.Put(line)
	}
	require.NoError(b, s.Stop(context.WithoutCancel(b.Context())))
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// gate blocks writes until it is opened.
type gate struct {
	buffer
	open chan struct{}
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.buffer.Write(p)
}

// faulty writes allow bytes and fails while err is set.
type faulty struct {
	buffer
	allow int
	err   error
}

func (f *faulty) Write(p []byte) (int, error) {
	if f.err == nil {
		return f.buffer.Write(p)
	}
	n, _ := f.buffer.Write(p[:min(f.allow, len(p))])
	return n, f.err
}
