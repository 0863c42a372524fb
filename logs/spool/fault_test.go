package spool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const childEnv = "VIGIL_TEST_SPOOL"

// child appends, reads and acknowledges for ever, and tells what was done once it
// was.
func child(dir string) {
	s, err := Open(Config{Dir: dir, MaxBytes: minBytes}, Deps{})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var b Batch
	for n := int(s.Stats().Next); ; n++ {
		seq, err := s.Append(context.Background(), lines(n, 3))
		if err != nil || seq != uint64(n) {
			fmt.Println("error", seq, err)
			return
		}
		fmt.Println("appended", seq)
		if n%3 == 0 {
			continue
		}
		if err := s.Next(context.Background(), &b); err != nil {
			fmt.Println("error", err)
			return
		}
		if err := s.Ack(b.Seq); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("acked", b.Seq)
	}
}

// TestF27KillNine: a real process is killed again and again at any moment. What it
// said it appended is there, whole and in order, and what it said it acknowledged
// does not come again. It is alone, for a process holds the locks of its parent
// until it has started.
func TestF27KillNine(t *testing.T) {
	dir := t.TempDir()
	appended, acked := uint64(0), uint64(0)
	for round := range 12 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		stop := appended + uint64(7+round*13)
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			word, number, _ := strings.Cut(scan.Text(), " ")
			n, err := strconv.ParseUint(number, 10, 64)
			require.NoError(t, err, scan.Text())
			switch word {
			case "appended":
				require.Equal(t, appended+1, n)
				appended = n
			case "acked":
				acked = n
			}
			if appended >= stop {
				_ = cmd.Process.Kill() // again and again, while its last words are read
			}
		}
		require.Error(t, cmd.Wait())

		s, err := Open(Config{Dir: dir, MaxBytes: minBytes}, Deps{})
		require.NoError(t, err)
		stats := s.Stats()
		require.Contains(t, []uint64{appended, appended + 1}, stats.Next-1, "all it told of, and maybe one it could not tell")
		require.Contains(t, []uint64{acked, acked + 1}, stats.Acked)
		require.False(t, s.NeedsNewSession(), "the kernel lives")
		var want []string
		for n := stats.Acked + 1; n < stats.Next; n++ {
			want = append(want, fmt.Sprint(n))
		}
		require.Equal(t, strings.Join(want, " "), drain(t, s))
		require.Zero(t, s.Stats().Lost)
		require.NoError(t, s.Ack(stats.Next-1))
		appended, acked = stats.Next-1, stats.Next-1
		require.NoError(t, s.Close())
	}
}

// badDisk fails on demand.
type badDisk struct {
	osFiles
	room  atomic.Int64 // bytes that can be written
	syncs atomic.Int64 // syncs that fail
}

type badFile struct {
	file
	disk *badDisk
}

func (d *badDisk) create(path string) (file, error) {
	f, err := d.osFiles.create(path)
	if err != nil {
		return nil, err
	}
	return badFile{f, d}, nil
}

// WriteAt writes a part when there is not room for all, as a disk does.
func (f badFile) WriteAt(p []byte, at int64) (int, error) {
	if left := f.disk.room.Add(-int64(len(p))); left < 0 {
		n := max(0, len(p)+int(left))
		_, _ = f.file.WriteAt(p[:n], at)
		f.disk.room.Store(0)
		return n, syscall.ENOSPC
	}
	return f.file.WriteAt(p, at)
}

func (f badFile) Sync() error {
	if f.disk.syncs.Add(-1) >= 0 {
		return syscall.EIO
	}
	return f.file.Sync()
}

func openBad(t *testing.T, cfg Config, room int64) (*Spool, *badDisk) {
	t.Helper()
	d := &badDisk{}
	d.room.Store(room)
	s, err := open(cfg, Deps{}, d)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, d
}

// TestF26DiskFullBlocks: Append waits, nothing breaks, and all of it is there when
// the disk has room again.
func TestF26DiskFullBlocks(t *testing.T) {
	t.Parallel()
	s, d := openBad(t, Config{Dir: t.TempDir()}, 1000)
	done := make(chan error, 1)
	go func() {
		for n := 1; n <= 20; n++ {
			if _, err := s.Append(context.Background(), lines(n, 3)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	require.Eventually(t, func() bool { return s.Stats().Waiting }, time.Minute, time.Millisecond)
	stats := s.Stats()
	require.ErrorContains(t, errors.New(stats.Error), "no space left on device")
	require.Less(t, stats.Next, uint64(20))
	require.Positive(t, stats.Failures)
	d.room.Store(1 << 20)
	require.NoError(t, <-done)
	require.Equal(t, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", drain(t, s))
	require.Zero(t, s.Stats().Lost)
	require.Empty(t, s.Stats().Error)
}

// TestDiskFullDrops: with DropOldest nothing waits, and what is dropped is
// counted to the line.
func TestDiskFullDrops(t *testing.T) {
	t.Parallel()
	s, d := openBad(t, Config{Dir: t.TempDir(), Full: DropOldest}, 1500)
	dropped := 0
	for range 20 {
		_, err := s.Append(t.Context(), lines(1, 3))
		if err != nil {
			require.ErrorIs(t, err, ErrDropped)
			require.ErrorIs(t, err, syscall.ENOSPC)
			dropped++
		}
	}
	require.Positive(t, dropped)
	stats := s.Stats()
	require.EqualValues(t, 20, stats.Dropped.Batches+stats.Pending.Batches-lostNumbers(s))
	require.Equal(t, 3*stats.Dropped.Batches, stats.Dropped.Lines)
	d.room.Store(1 << 20)
	seq, err := s.Append(t.Context(), lines(1, 3))
	require.NoError(t, err)
	var b Batch
	for want := uint64(1); want <= seq; want++ {
		require.NoError(t, s.Next(t.Context(), &b))
		require.Equal(t, want, b.Seq)
	}
	require.False(t, b.Lost)
	require.Zero(t, s.Stats().Lost)
}

// lostNumbers is how many pending numbers belong to dropped batches.
func lostNumbers(s *Spool) (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if g.dropped {
			n += g.last - g.first + 1
		}
	}
	return n
}

// TestRealDiskFull fills a real file system.
func TestRealDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("not supported here: mount a file system of a known size: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	s := openSpool(t, Config{Dir: filepath.Join(dir, "spool")})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	n := 0
	for {
		if _, err := s.Append(ctx, lines(n+1, 3)); err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			break
		}
		n++
	}
	require.Greater(t, n, 1000)
	for range n {
		b := next(t, s)
		require.False(t, b.Lost)
		require.NoError(t, s.Ack(b.Seq), "a full disk can take acknowledgements")
	}
	require.Zero(t, s.Stats().Lost)
	seq, err := s.Append(t.Context(), lines(n+1, 3))
	require.NoError(t, err, "acknowledgements made room")
	require.EqualValues(t, n+1, seq)
	require.Equal(t, fmt.Sprint(n+1), drain(t, s))
}

func TestFailedSyncIsNotTrusted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, d := openBad(t, Config{Dir: dir, Sync: SyncBatch}, 1<<20)
	appendAll(t, s, 1, 2)
	d.syncs.Store(1)
	appendAll(t, s, 3, 3)
	require.EqualValues(t, 1, s.Stats().Failures)
	require.Len(t, segmentFiles(t, dir), 2, "it goes on in another file")
	require.Equal(t, "1 2 3", drain(t, s))
}

// spoiled makes a spool with three segments of five batches, lets spoil change
// their files and opens it again.
func spoiled(t *testing.T, spoil func(names []string)) *Spool {
	t.Helper()
	dir := t.TempDir()
	for from := 1; from <= 11; from += 5 {
		s := openSpool(t, Config{Dir: dir})
		appendAll(t, s, from, from+4)
		require.NoError(t, s.Close())
	}
	names := segmentFiles(t, dir)
	require.Len(t, names, 3)
	spoil(names)
	return openSpool(t, Config{Dir: dir})
}

func edit(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, change(data), 0o600))
}

// TestF29CorruptSpool: whatever happens to the files, what is intact is handed
// out, and what is not is counted to the line.
func TestF29CorruptSpool(t *testing.T) {
	t.Parallel()
	var frameSize int
	cut := func(n int) func([]byte) []byte { return func(d []byte) []byte { return d[:len(d)-n] } }
	flip := func(at int) func([]byte) []byte {
		return func(d []byte) []byte { d[at] ^= 0x10; return d }
	}
	{
		var e encoder
		body, _ := e.append(nil, lines(1, 3))
		frameSize = frameHeaderSize + len(body)
	}
	frameAt := func(i int) int { return segmentHeaderSize + i*frameSize }
	size := uint64(3 * len("batch 001 line 1"))
	tests := map[string]struct {
		spoil func(names []string)
		want  string
		lost  Amount
		torn  int64
		renew bool
	}{
		"whole": {func([]string) {}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", Amount{}, 0, false},
		"bit flip in a body": {
			func(n []string) { edit(t, n[0], flip(frameAt(1)+frameHeaderSize+9)) },
			"1 (2) 3 4 5 6 7 8 9 10 11 12 13 14 15",
			Amount{1, 3, size},
			0, false,
		},
		"bit flip in a header": {
			func(n []string) { edit(t, n[1], flip(frameAt(2)+5)) },
			"1 2 3 4 5 6 7 (8) 9 10 11 12 13 14 15",
			Amount{1, 3, size},
			0, false,
		},
		"bit flip in the last body": {
			func(n []string) { edit(t, n[2], flip(frameAt(4)+frameHeaderSize)) },
			"1 2 3 4 5 6 7 8 9 10 11 12 13 14 (15)",
			Amount{1, 3, 0},
			0, false,
		},
		"bit flip in a segment's header": {
			func(n []string) { edit(t, n[0], flip(20)) },
			"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
			Amount{},
			0, false,
		},
		"zeros in the middle": {func(n []string) {
			edit(t, n[0], func(d []byte) []byte { clear(d[frameAt(1)+10 : frameAt(3)+10]); return d })
		}, "1 (2) (3) (4) 5 6 7 8 9 10 11 12 13 14 15", Amount{3, 9, 3 * size}, 0, false},
		"a middle segment is cut": {
			func(n []string) { edit(t, n[0], cut(frameSize+1)) },
			"1 2 3 (4) (5) 6 7 8 9 10 11 12 13 14 15",
			Amount{2, 6, 2 * size},
			0, false,
		},
		"the last batch is torn": {
			func(n []string) { edit(t, n[2], cut(1)) },
			"1 2 3 4 5 6 7 8 9 10 11 12 13 14",
			Amount{},
			int64(frameSize) - 1, false,
		},
		"the last header is torn": {
			func(n []string) {
				edit(t, n[2], func(d []byte) []byte { return append(d, d[frameAt(0):frameAt(0)+20]...) })
			},
			"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
			Amount{},
			20, false,
		},
		"the last header is corrupt": {func(n []string) {
			edit(t, n[2], func(d []byte) []byte { d[len(d)-frameSize] ^= 1; return d })
		}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14", Amount{1, 0, 0}, int64(frameSize), true},
		"a segment is gone": {
			func(n []string) { require.NoError(t, os.Remove(n[1])) },
			"1 2 3 4 5 (6) (7) (8) (9) (10) 11 12 13 14 15",
			Amount{5, 15, 0},
			0, false,
		},
		"a segment is nonsense": {func(n []string) {
			edit(t, n[1], func([]byte) []byte { return []byte(strings.Repeat("nonsense", 1000)) })
		}, "1 2 3 4 5 (6) (7) (8) (9) (10) 11 12 13 14 15", Amount{5, 15, 0}, 0, false},
		"a segment is empty": {
			func(n []string) { edit(t, n[1], func([]byte) []byte { return nil }) },
			"1 2 3 4 5 (6) (7) (8) (9) (10) 11 12 13 14 15",
			Amount{5, 15, 0},
			0, false,
		},
		"foreign files": {func(n []string) {
			for _, name := range []string{"x.seg", "0-0.seg", "0000000000000000-00000000.seg", "0000000000000009-0000000g.seg"} {
				require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(n[0]), name), []byte("x"), 0o600))
			}
		}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", Amount{}, 0, false},
		"the mark is gone": {
			func(n []string) { require.NoError(t, os.Remove(filepath.Join(filepath.Dir(n[0]), markName))) },
			"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
			Amount{},
			0, true,
		},
		"the later mark is corrupt": {func(n []string) {
			edit(t, filepath.Join(filepath.Dir(n[0]), markName), flip(20))
		}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", Amount{}, 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spoiled(t, test.spoil)
			require.Equal(t, test.renew, s.NeedsNewSession())
			require.Equal(t, test.want, drain(t, s))
			s.Rewind()
			require.Equal(t, test.want, drain(t, s), "again")
			stats := s.Stats()
			require.Equal(t, test.lost.Batches, stats.Lost.Batches)
			require.Equal(t, test.lost.Lines, stats.Lost.Lines, "and only once")
			if test.lost.Bytes > 0 {
				require.Equal(t, test.lost.Bytes, stats.Lost.Bytes)
			}
			if test.torn > 0 {
				require.Equal(t, test.torn, stats.TornBytes)
			}
			require.NoError(t, s.Ack(stats.Next-1))
			require.Zero(t, s.Stats().Pending)
			after := int(stats.Next)
			appendAll(t, s, after, after)
			require.Equal(t, fmt.Sprint(after), drain(t, s))
		})
	}
}

// TestPowerCut: after another start of the kernel, batches that were not synced
// may have been sent and be gone, so their numbers mean nothing any more.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for sync, renew := range map[Sync]bool{SyncBatch: false, SyncInterval: true, SyncOff: true} {
		dir := t.TempDir()
		s := openSpool(t, Config{Dir: dir, Sync: sync})
		appendAll(t, s, 1, 3)
		require.Equal(t, "1 2 3", drain(t, s))
		require.NoError(t, s.Ack(1))
		// As the disk is when the machine stops now, with a tail of zeros.
		left := t.TempDir()
		require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
		edit(t, segmentFiles(t, left)[0], func(d []byte) []byte { return append(d, make([]byte, 4096)...) })
		m, known, err := openMark(left)
		require.NoError(t, err)
		require.True(t, known)
		m.mark.boot++
		require.NoError(t, m.write())
		require.NoError(t, m.file.Close())

		s = openSpool(t, Config{Dir: left, Sync: sync})
		require.Equal(t, renew, s.NeedsNewSession(), sync)
		require.Equal(t, "2 3", drain(t, s))
		require.EqualValues(t, 4096, s.Stats().TornBytes)
	}
}

// FuzzSegment: no content of a file makes reading panic, loop or skip a number.
func FuzzSegment(f *testing.F) {
	var e encoder
	body, _ := e.append(make([]byte, frameHeaderSize), lines(1, 2))
	g := segment{salt: 7, first: 1}
	whole := g.appendHeader(nil)
	for seq := uint64(1); seq <= 3; seq++ {
		h := frame{length: uint32(len(body) - frameHeaderSize), seq: seq, lines: 2}
		h.put(body, 7)
		whole = append(whole, body...)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add((&segment{salt: 7, first: 1, last: 9, dropped: true}).appendHeader(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1, 7)), data, 0o600))
		s, err := Open(Config{Dir: dir, Sync: SyncOff}, Deps{})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		var b Batch
		for want := uint64(1); want < s.Stats().Next && want < 1000; want++ {
			require.NoError(t, s.Next(t.Context(), &b))
			require.Equal(t, want, b.Seq)
		}
	})
}
