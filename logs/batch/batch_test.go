package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines are records with the words of text as messages.
func lines(text string) []record.Record {
	var out []record.Record
	for word := range strings.FieldsSeq(text) {
		out = append(out, record.Record{Message: []byte(word)})
	}
	return out
}

// next records batches as their words, and blocks while gate holds a token.
type next struct {
	mu      sync.Mutex
	batches []string
	err     error
	gate    chan struct{}
}

func (n *next) take(ctx context.Context, batch []record.Record) error {
	if n.gate != nil {
		select {
		case <-n.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return n.err
	}
	var words []string
	for _, line := range batch {
		words = append(words, string(line.Message))
	}
	n.batches = append(n.batches, strings.Join(words, " "))
	return nil
}

func (n *next) got() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string{}, n.batches...)
}

func start(t *testing.T, cfg Config, n *next) *Batcher {
	t.Helper()
	b, err := New(cfg, n.take)
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	return b
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg  Config
		adds []string
		want []string
	}{
		"lines":              {Config{3, 1000, time.Hour}, []string{"a b c d", "e f g"}, []string{"a b c", "d e f", "g"}},
		"bytes":              {Config{100, 5, time.Hour}, []string{"aa bb", "cc d e ff"}, []string{"aa bb", "cc d e", "ff"}},
		"bytes exactly":      {Config{100, 4, time.Hour}, []string{"aa bb cc dd e"}, []string{"aa bb", "cc dd", "e"}},
		"line above bytes":   {Config{100, 4, time.Hour}, []string{"a bbbbbbbb c"}, []string{"a", "bbbbbbbb", "c"}},
		"nothing":            {Config{1, 1, time.Hour}, []string{""}, []string{}},
		"one line at a time": {Config{1, 100, time.Hour}, []string{"a b", "c"}, []string{"a", "b", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := &next{}
			b := start(t, c.cfg, n)
			for _, text := range c.adds {
				require.NoError(t, b.Add(t.Context(), lines(text)))
			}
			require.NoError(t, b.Stop(t.Context()))
			require.Equal(t, c.want, n.got())
		})
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &next{}
		b := start(t, Config{100, 1000, 5 * time.Second}, n)
		time.Sleep(time.Minute)
		require.NoError(t, b.Add(t.Context(), lines("a")))
		time.Sleep(3 * time.Second)
		require.NoError(t, b.Add(t.Context(), lines("b")))
		time.Sleep(2*time.Second - time.Nanosecond)
		synctest.Wait()
		require.Empty(t, n.got(), "the oldest line is not old enough")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, []string{"a b"}, n.got())

		// The next batch has an age of its own, also after an early seal.
		require.NoError(t, b.Add(t.Context(), lines("c")))
		time.Sleep(4 * time.Second)
		require.NoError(t, b.Flush(t.Context()))
		require.NoError(t, b.Add(t.Context(), lines("d")))
		time.Sleep(4 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a b", "c"}, n.got())
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a b", "c", "d"}, n.got())
		require.NoError(t, b.Stop(t.Context()))
		require.Equal(t, []string{"a b", "c", "d"}, n.got())
	})
}

func TestFlushWaitsForNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &next{gate: make(chan struct{})}
		b := start(t, Config{2, 1000, time.Hour}, n)
		require.NoError(t, b.Add(t.Context(), lines("a b c")))
		go func() {
			time.Sleep(time.Second)
			close(n.gate)
		}()
		before := time.Now()
		require.NoError(t, b.Flush(t.Context()))
		require.Equal(t, time.Second, time.Since(before))
		require.Equal(t, []string{"a b", "c"}, n.got())
		require.NoError(t, b.Flush(t.Context()))
		require.NoError(t, b.Stop(t.Context()))
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &next{gate: make(chan struct{})}
		b := start(t, Config{1, 1000, time.Hour}, n)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		added := 0
		for ctx.Err() == nil {
			if err := b.Add(ctx, lines("x")); err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				break
			}
			added++
		}
		require.Equal(t, 2, added, "one at Next and one sealed; the third waited and is open")
		require.ErrorIs(t, b.Flush(ctx), context.DeadlineExceeded)
		close(n.gate)
		require.NoError(t, b.Stop(t.Context()))
		require.Equal(t, []string{"x", "x", "x"}, n.got())
	})
}

func TestStopGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := &next{gate: make(chan struct{})}
		b := start(t, Config{1, 1000, time.Hour}, n)
		blocked := make(chan struct{})
		go func() {
			defer close(blocked)
			_ = b.Add(context.Background(), lines("a b c d e f")) // how much was taken before the stop is not the point
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.Stop(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "hand on the last batches")
		<-blocked
		require.Empty(t, n.got())
		require.ErrorIs(t, b.Add(t.Context(), lines("g")), context.Canceled)
	})
}

func TestNextFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		n := &next{err: broken}
		b := start(t, Config{2, 1000, time.Hour}, n)
		require.NoError(t, b.Add(t.Context(), lines("a")))
		require.ErrorIs(t, b.Flush(t.Context()), broken)
		require.ErrorIs(t, b.Flush(t.Context()), broken)
		require.ErrorIs(t, b.Add(t.Context(), lines("b")), broken)
		require.ErrorIs(t, b.Stop(t.Context()), broken)
	})
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	n := &next{}
	b, err := New(Config{2, 1000, time.Hour}, n.take)
	require.NoError(t, err)
	require.NoError(t, b.Add(t.Context(), lines("a")))
	require.NoError(t, b.Stop(t.Context()))
	require.NoError(t, b.Stop(t.Context()))
	require.NoError(t, b.Start(t.Context()))
	require.ErrorIs(t, b.Add(t.Context(), lines("b")), ErrStopped)
	require.ErrorIs(t, b.Flush(t.Context()), ErrStopped)
	require.Empty(t, n.got())

	b = start(t, Config{2, 1000, time.Hour}, n)
	require.NoError(t, b.Start(t.Context()))
	require.NoError(t, b.Add(t.Context(), lines("a")))
	require.NoError(t, b.Stop(t.Context()))
	require.NoError(t, b.Stop(t.Context()))
	require.Equal(t, []string{"a"}, n.got())
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {-1, -1, -1}} {
		_, err := New(cfg, (&next{}).take)
		require.ErrorContains(t, err, "bounds must be positive")
	}
	_, err := New(Config{1, 1, 1}, nil)
	require.EqualError(t, err, "batcher: nothing to hand batches to")
}

// However many add at once: nothing is lost, the lines of each stay in order,
// and no batch exceeds its bounds.
func TestConcurrentAdds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{rapid.IntRange(1, 7).Draw(t, "lines"), rapid.IntRange(1, 40).Draw(t, "bytes"), time.Millisecond}
		adders := rapid.IntRange(1, 4).Draw(t, "adders")
		adds := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 10).Draw(t, "adds")
		got := make(map[string]int)
		var problems []string
		b, err := New(cfg, func(_ context.Context, batch []record.Record) error {
			size := 0
			for _, line := range batch {
				size += len(line.Message)
				if line.Time != int64(got[line.Tags]) {
					problems = append(problems, fmt.Sprintf("line %d of %s after %d", line.Time, line.Tags, got[line.Tags]))
				}
				got[line.Tags]++
			}
			if len(batch) == 0 || len(batch) > cfg.MaxLines || size > cfg.MaxBytes && len(batch) > 1 {
				problems = append(problems, fmt.Sprintf("batch of %d lines and %d bytes", len(batch), size))
			}
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, b.Start(context.Background()))
		var wait sync.WaitGroup
		want := make(map[string]int)
		for id := range adders {
			name := fmt.Sprint(id)
			for _, n := range adds {
				want[name] += n
			}
			wait.Go(func() {
				count := int64(0)
				for _, n := range adds {
					var recs []record.Record
					for range n {
						recs = append(recs, record.Record{Tags: name, Time: count, Message: []byte("message")})
						count++
					}
					if err := b.Add(context.Background(), recs); err != nil {
						panic(err)
					}
				}
			})
		}
		wait.Wait()
		require.NoError(t, b.Stop(context.Background()))
		require.Empty(t, problems)
		for name, n := range want {
			require.Equal(t, n, got[name])
		}
	})
}

// What was added belongs to the caller again, and messages arrive whole however
// often their memory had to grow.
func TestMessagesAreCopied(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOfN(rapid.Byte(), 0, 700)
		messages := rapid.SliceOfN(message, 1, 50).Draw(t, "messages")
		var want, got [][]byte
		b, err := New(Config{rapid.IntRange(1, 20).Draw(t, "lines"), rapid.IntRange(1, 2000).Draw(t, "bytes"), time.Hour}, func(_ context.Context, batch []record.Record) error {
			for _, line := range batch {
				got = append(got, slices.Clone(line.Message))
				line.Message = append(line.Message, "appended"...) // reaches no neighbour
			}
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, b.Start(context.Background()))
		for _, m := range messages {
			want = append(want, append([]byte{}, m...))
			line := []record.Record{{Message: m}}
			require.NoError(t, b.Add(context.Background(), line))
			clear(m)
			line[0] = record.Record{}
		}
		require.NoError(t, b.Stop(context.Background()))
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, string(want[i]), string(got[i]))
		}
	})
}

// Memory for messages never exceeds the bound of a batch, and is given up after a
// batch that was unusually large.
func TestMemoryOfMessages(t *testing.T) {
	t.Parallel()
	const bound = 8 * keptBytes
	g := group{bound: bound}
	line := record.Record{Message: make([]byte, 1000)}
	for len(g.text)+1000 <= bound {
		g.add(line)
		require.LessOrEqual(t, cap(g.text), bound)
	}
	g.empty()
	require.Equal(t, bound, cap(g.text), "the next batch may be like it")
	for range 300 {
		g.add(line)
	}
	g.empty()
	require.Zero(t, cap(g.text))
	g.add(record.Record{Message: make([]byte, bound+1)})
	require.Equal(t, bound+1, cap(g.text))
}

func BenchmarkAdd(b *testing.B) {
	n := func(context.Context, []record.Record) error { return nil }
	batcher, err := New(Config{1000, 5_000_000, 5 * time.Second}, n)
	require.NoError(b, err)
	require.NoError(b, batcher.Start(b.Context()))
	recs := lines(strings.Repeat("2026-10-09T08:07:06.543Z,INFO,http,request ", 500))
	b.ReportAllocs()
	for b.Loop() {
		if err := batcher.Add(b.Context(), recs); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, batcher.Stop(b.Context()))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/line")
}
