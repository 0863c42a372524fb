package journal

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openWith is a journal with its disk replaced; what wrap returns stands in for it.
func openWith(t *testing.T, path string, o Options, wrap func(target) target) *Journal {
	t.Helper()
	o = o.withDefaults()
	f, _, err := openFile(path, o, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	f.disk = wrap(f.disk)
	j := &Journal{file: f, log: slog.New(slog.DiscardHandler), done: make(chan struct{}), opened: f.sessions.list()}
	if o.Sync == SyncInterval {
		j.every = syncEvery
	}
	j.cond = sync.NewCond(&j.mu)
	go j.run()
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// syncCounter counts syncs.
type syncCounter struct {
	target

	mu    sync.Mutex
	count int
}

func (c *syncCounter) Sync() error {
	c.mu.Lock()
	c.count++
	c.mu.Unlock()
	return c.target.Sync()
}

func (c *syncCounter) syncs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// TestSyncPolicy: a batch is acknowledged before its sync, which follows within the
// interval, or with the end of the journal.
func TestSyncPolicy(t *testing.T) {
	t.Parallel()
	for _, policy := range []Sync{SyncBatch, SyncInterval, SyncOff} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal")
			c := &syncCounter{}
			j := openWith(t, path, Options{Sync: policy}, func(d target) target { c.target = d; return c })
			s := j.Stream()
			for n := range uint64(5) {
				put(t, s, Mark{"a", 1, n + 1})
			}
			if policy == SyncBatch {
				require.Equal(t, 5, c.syncs())
			} else {
				require.Zero(t, c.syncs())
			}
			if policy == SyncInterval {
				require.Eventually(t, func() bool { return c.syncs() == 1 }, waitFor, tick)
				time.Sleep(2 * syncEvery)
				require.Equal(t, 1, c.syncs(), "nothing is left to sync")
				put(t, s, Mark{"a", 1, 6})
				require.Eventually(t, func() bool { return c.syncs() == 2 }, waitFor, tick)
				put(t, s, Mark{"a", 1, 7})
			}
			before := c.syncs()
			require.NoError(t, j.Close())
			if policy == SyncBatch {
				require.Equal(t, before, c.syncs())
			} else {
				require.Equal(t, before+1, c.syncs())
			}
			next := open(t, path)
			require.Len(t, next.Sessions(), 1, "what ended in order is whole, whatever the policy")
			require.Len(t, texts(t, path), int(next.Sessions()[0].Seq))
		})
	}
}

// TestRetention: the oldest files go, the lines that stay are the newest without a
// gap, and the numbers of the files go on through restarts, also when somebody
// removed all that were put aside.
func TestRetention(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	o := Options{SegmentBytes: 300, MaxBytes: 2000}
	last := 0
	for n := 1; n <= 100; {
		j, err := Open(path, o, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		for range 20 {
			put(t, j.Stream(), Mark{"a", 1, uint64(n)})
			n++
		}
		require.NoError(t, j.Close())
		total := int64(0)
		names := append(segments(path), path)
		for _, name := range names {
			info, err := os.Stat(name)
			require.NoError(t, err)
			total += info.Size()
		}
		require.LessOrEqual(t, total, o.MaxBytes+100, "a file is exceeded by the batch that fills it")
		number := segmentNumber(path, names[len(names)-2])
		require.Greater(t, number, last)
		last = number
		got := texts(t, path)
		for i, text := range got {
			require.Equal(t, fmt.Sprintf("a %d", n-len(got)+i), text)
		}
		if n == 61 {
			for _, name := range segments(path) {
				require.NoError(t, os.Remove(name))
			}
		}
	}
	require.Greater(t, last, 20)
	// A smaller bound counts from the next start. The newest file stays.
	j, err := Open(path, Options{SegmentBytes: 300, MaxBytes: 1}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.Len(t, segments(path), 1)
}

func TestRetentionThatCannotRemove(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	for n := range 3 { // a directory with something in it cannot be removed
		require.NoError(t, os.MkdirAll(filepath.Join(segmentName(path, n+1), "x"), 0o700))
	}
	var log strings.Builder
	j, err := Open(path, Options{SegmentBytes: 300, MaxBytes: 600}, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.Contains(t, log.String(), "old files of the journal cannot be removed")
}
