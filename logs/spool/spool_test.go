package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/logs/internal/disk"
	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// lines are n records of which each tells the batch and its place.
func lines(batch, n int) []record.Record {
	out := make([]record.Record, n)
	for i := range out {
		m := fmt.Appendf(nil, "batch %03d line %d", batch, i)
		out[i] = record.Record{
			Time: int64(1730000000000 + batch*1000 + i), Status: "info", Tags: "service:app", Message: m,
			Origin: record.Origin{Source: "file", End: int64(1e9 + batch*100_000 + i*30)},
		}
	}
	return out
}

func openSpool(t testing.TB, cfg Config) *Spool {
	t.Helper()
	s, err := Open(cfg, Deps{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func appendAll(t testing.TB, s *Spool, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		seq, err := s.Append(t.Context(), lines(n, 3))
		require.NoError(t, err)
		require.EqualValues(t, n, seq)
	}
}

// next reads one batch that must be there.
func next(t testing.TB, s *Spool) Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var b Batch
	require.NoError(t, s.Next(ctx, &b))
	return b
}

// drain reads everything up to the next number as one word a batch.
func drain(t testing.TB, s *Spool) string {
	t.Helper()
	var out []string
	for {
		s.mu.Lock()
		done := s.cursor == s.next
		s.mu.Unlock()
		if done {
			return strings.Join(out, " ")
		}
		b := next(t, s)
		if b.Lost {
			require.Empty(t, b.Records)
			out = append(out, fmt.Sprintf("(%d)", b.Seq))
			continue
		}
		require.Equal(t, lines(int(b.Seq), 3), b.Records)
		require.Equal(t, 3*len(b.Records[0].Message), b.Bytes)
		out = append(out, fmt.Sprint(b.Seq))
	}
}

func segmentFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	return names
}

func TestBatchesComeBackInOrder(t *testing.T) {
	t.Parallel()
	for _, sync := range []Sync{SyncBatch, SyncInterval, SyncOff} {
		dir := t.TempDir()
		s := openSpool(t, Config{Dir: dir, Sync: sync})
		require.True(t, s.NeedsNewSession(), "a new spool")
		appendAll(t, s, 1, 5)
		require.Equal(t, "1 2 3 4 5", drain(t, s))
		require.NoError(t, s.Ack(2))
		require.NoError(t, s.Ack(1), "again")
		require.ErrorIs(t, s.Ack(6), ErrNotRead)
		s.Rewind()
		require.Equal(t, "3 4 5", drain(t, s))
		stats := s.Stats()
		require.Equal(t, Amount{Batches: 5, Lines: 15, Bytes: 15 * 16}, stats.Appended)
		require.Equal(t, Amount{Batches: 3, Lines: 9, Bytes: 9 * 16}, stats.Pending)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.Ack(5), ErrClosed)
		require.ErrorIs(t, s.Next(t.Context(), &Batch{}), ErrClosed)
		_, err := s.Append(t.Context(), nil)
		require.ErrorIs(t, err, ErrClosed)

		s = openSpool(t, Config{Dir: dir, Sync: sync})
		require.False(t, s.NeedsNewSession())
		appendAll(t, s, 6, 7)
		require.Equal(t, "3 4 5 6 7", drain(t, s))
		require.NoError(t, s.Ack(7))
		require.Zero(t, s.Stats().Pending)
		require.NoError(t, s.Close())

		s = openSpool(t, Config{Dir: dir, Sync: sync})
		require.Empty(t, segmentFiles(t, dir), "all of it is acknowledged")
		require.Zero(t, s.Stats().Pending)
		appendAll(t, s, 8, 8)
		require.Equal(t, "8", drain(t, s))
		require.NoError(t, s.Close())
	}
}

func TestAnEmptyBatchIsABatch(t *testing.T) {
	t.Parallel()
	s := openSpool(t, Config{Dir: t.TempDir()})
	seq, err := s.Append(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, seq)
	b := next(t, s)
	require.Equal(t, uint64(1), b.Seq)
	require.False(t, b.Lost)
	require.Empty(t, b.Records)
}

func TestNextWaits(t *testing.T) {
	t.Parallel()
	s := openSpool(t, Config{Dir: t.TempDir()})
	got := make(chan error)
	go func() {
		var b Batch
		got <- s.Next(context.Background(), &b)
	}()
	appendAll(t, s, 1, 1)
	require.NoError(t, <-got)
	go func() { got <- s.Next(context.Background(), &Batch{}) }()
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-got, ErrClosed)
	ctx, cancel := context.WithCancel(t.Context())
	s = openSpool(t, Config{Dir: t.TempDir()})
	cancel()
	require.ErrorIs(t, s.Next(ctx, &Batch{}), context.Canceled)
}

func TestSegmentsAreDeletedWhenAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openSpool(t, Config{Dir: dir, MaxBytes: minBytes, Full: DropOldest})
	for n := 1; n <= 1000; n++ {
		appendAll(t, s, n, n)
		require.Equal(t, fmt.Sprint(n), drain(t, s))
		require.NoError(t, s.Ack(uint64(n)))
		require.LessOrEqual(t, len(segmentFiles(t, dir)), 2)
	}
	stats := s.Stats()
	require.Zero(t, stats.Dropped)
	require.Zero(t, stats.Lost)
	size := int64(0)
	for _, name := range segmentFiles(t, dir) {
		info, err := os.Stat(name)
		require.NoError(t, err)
		size += info.Size()
	}
	require.Equal(t, size, stats.DiskBytes)
}

// big is a batch that takes a little less than a fifth of the least spool.
func big(n int) []record.Record {
	return []record.Record{{Message: fmt.Appendf(nil, "%010d%s", n, strings.Repeat("x", minBytes/5-200))}}
}

func TestBlockWaitsForAcknowledgements(t *testing.T) {
	t.Parallel()
	s := openSpool(t, Config{Dir: t.TempDir(), MaxBytes: minBytes})
	appended := make(chan uint64, 100)
	go func() {
		for n := 1; n <= 20; n++ {
			if _, err := s.Append(context.Background(), big(n)); err != nil {
				t.Error(err)
			}
			appended <- uint64(n)
		}
		close(appended)
	}()
	require.Eventually(t, func() bool { return s.Stats().Waiting }, time.Minute, time.Millisecond)
	require.Len(t, appended, 5)
	require.Equal(t, errFull.Error(), s.Stats().Error)
	for n := 1; n <= 20; n++ {
		b := next(t, s)
		require.Equal(t, big(n)[0].Message, b.Records[0].Message)
		require.LessOrEqual(t, s.Stats().DiskBytes, int64(minBytes))
		require.NoError(t, s.Ack(b.Seq))
	}
	for range appended {
	}
	stats := s.Stats()
	require.Empty(t, stats.Error)
	require.Zero(t, stats.Failures)
	require.Zero(t, stats.Dropped)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for err := error(nil); err == nil; {
		if _, err = s.Append(ctx, big(1)); err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	}
	_, err := s.Append(t.Context(), []record.Record{{Message: make([]byte, minBytes)}})
	require.ErrorIs(t, err, ErrTooLarge)
}

// TestDropOldest: what was handed out stays, what was not goes from the front in
// whole segments, and its numbers are handed out without records.
func TestDropOldest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openSpool(t, Config{Dir: dir, MaxBytes: minBytes, Full: DropOldest})
	put := func(n int) {
		t.Helper()
		seq, err := s.Append(t.Context(), big(n))
		require.NoError(t, err)
		require.EqualValues(t, n, seq)
	}
	for n := 1; n <= 3; n++ {
		put(n)
	}
	require.False(t, next(t, s).Lost)
	for n := 4; n <= 50; n++ {
		put(n)
		require.LessOrEqual(t, s.Stats().DiskBytes, int64(minBytes))
	}
	stats := s.Stats()
	size := uint64(len(big(1)[0].Message))
	require.Equal(t, Amount{Batches: 45, Lines: 45, Bytes: 45 * size}, stats.Dropped)
	require.Equal(t, Amount{Batches: 50, Lines: 50, Bytes: 50 * size}, stats.Pending)
	require.LessOrEqual(t, len(segmentFiles(t, dir)), 6, "one file tells of all that was dropped")

	check := func() {
		t.Helper()
		var lost, found int
		for seq := uint64(2); seq <= 50; seq++ {
			b := next(t, s)
			require.Equal(t, seq, b.Seq)
			if b.Lost {
				lost++
				continue
			}
			found++
			require.Equal(t, big(int(seq))[0].Message, b.Records[0].Message)
		}
		require.Equal(t, 45, lost)
		require.Equal(t, 4, found)
		require.Zero(t, s.Stats().Lost, "dropped is counted as dropped only")
	}
	check()
	s.Rewind()
	require.False(t, next(t, s).Lost)
	check()
	// All that is left was handed out, so the new batch is the oldest that can go.
	_, err := s.Append(t.Context(), big(51))
	require.ErrorIs(t, err, ErrDropped)
	require.EqualValues(t, 46, s.Stats().Dropped.Batches)
	require.NoError(t, s.Close())

	s = openSpool(t, Config{Dir: dir, MaxBytes: minBytes, Full: DropOldest})
	require.False(t, next(t, s).Lost)
	check()
	require.Zero(t, s.Stats().Dropped, "counted by the process that dropped")
	require.NoError(t, s.Ack(50))
	require.Zero(t, s.Stats().Pending)
	put(51)
	require.Equal(t, big(51)[0].Message, next(t, s).Records[0].Message)
}

func TestOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openSpool(t, Config{Dir: dir})
	_, err := Open(Config{Dir: dir}, Deps{})
	var locked *disk.LockedError
	require.ErrorAs(t, err, &locked)
	require.NoError(t, s.Close())
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		"no directory given":                                          {},
		`sync "x": use batch, interval or off`:                        {Dir: "x", Sync: "x"},
		`full "x": use block or oldest`:                               {Dir: "x", Full: "x"},
		"at most 100 bytes leave no room: use 65536 or more":          {Dir: "x", MaxBytes: 100},
		"create spool: mkdir /proc/self/x: no such file or directory": {Dir: "/proc/self/x"},
	} {
		_, err := Open(cfg, Deps{})
		require.ErrorContains(t, err, want)
	}
}

func TestIntervalSyncs(t *testing.T) {
	t.Parallel()
	s := openSpool(t, Config{Dir: t.TempDir(), Sync: SyncInterval, SyncEvery: time.Millisecond})
	appendAll(t, s, 1, 1)
	require.Eventually(t, func() bool { return s.Stats().Syncs == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, s.Close())
	s = openSpool(t, Config{Dir: t.TempDir(), Sync: SyncBatch})
	appendAll(t, s, 1, 3)
	require.EqualValues(t, 3, s.Stats().Syncs)
	s = openSpool(t, Config{Dir: t.TempDir(), Sync: SyncOff})
	appendAll(t, s, 1, 3)
	require.NoError(t, s.Close())
	require.Zero(t, s.Stats().Syncs)
}
