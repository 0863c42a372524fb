package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func line(at int64, message string) Line {
	return Line{Record: record.Record{Time: at, Status: "info", Tags: "env:dev", Message: []byte(message)}, WireBytes: 1.5}
}

func open(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := Open(path, Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// store appends and waits.
func store(s *Stream, lines ...Line) error {
	done := make(chan error, 1)
	s.Append(lines, Mark{}, func(err error) { done <- err })
	return <-done
}

func readAll(t *testing.T, path string) []Line {
	t.Helper()
	var out []Line
	for l, err := range Read(path) {
		require.NoError(t, err)
		out = append(out, l)
	}
	return out
}

func TestFormat(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j := open(t, path)
	lines := []Line{
		{Record: record.Record{Time: 1730000000000, Status: "info", Tags: "env:dev,service:app", Message: []byte("ready")}, WireBytes: 4.25},
		{Record: record.Record{Time: -1, Tags: "env:dev,service:app", Message: []byte("tab\t \"quote\" \\ é😀 \x00\x1b[0m\r <&> \u2028")}, WireBytes: 12.3456},
		{Record: record.Record{Message: []byte("bad \xff\xfe")}},
		{},
	}
	require.NoError(t, store(j.Stream(), lines...))
	require.NoError(t, j.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, `{"time":1730000000000,"status":"info","tags":"env:dev,service:app","message":"ready","wire_bytes":4.25}
{"time":-1,"status":"","tags":"env:dev,service:app","message":"tab\t \"quote\" \\ é😀 \u0000\u001b[0m\r <&> `+"\u2028"+`","wire_bytes":12.35}
{"time":0,"status":"","tags":"","message_base64":"YmFkIP/+","wire_bytes":0}
{"time":0,"status":"","tags":"","message":"","wire_bytes":0}
`, string(text))
	got := readAll(t, path)
	require.Len(t, got, 4)
	for i := range got {
		require.Equal(t, string(lines[i].Message), string(got[i].Message))
	}
	require.Equal(t, Stats{Lines: 4, Bytes: uint64(len(text)), Commits: 1}, j.Stats())
}

func TestAnyMessageComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) })).Draw(t, "message")
		in := Line{Record: record.Record{
			Time: rapid.Int64().Draw(t, "time"), Status: rapid.String().Draw(t, "status"), Tags: rapid.String().Draw(t, "tags"), Message: message,
		}, WireBytes: float64(rapid.IntRange(0, 1e6).Draw(t, "wire")) / 100}
		text := new(formatter).append(nil, &in)
		require.Equal(t, 1, strings.Count(string(text), "\n"))
		out, err := parse(text)
		require.NoError(t, err)
		require.Equal(t, string(in.Message), string(out.Message))
		in.Message, out.Message = nil, nil
		require.Equal(t, in, out)
	})
}

func TestHundredths(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 1: "1", 0.5: "0.5", 0.05: "0.05", 12.345: "12.35", 99.999: "100", 1e6: "1000000", -1.25: "-1.25", 10.1: "10.1", 0.001: "0"} {
		require.Equal(t, want, string(appendHundredths(nil, v)))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"time":1,"status":"","tags":"","message":"a","wire_bytes":0.5}`)
	f.Add(`{"message_base64":"/w=="}`)
	f.Add(`{"message_base64":"/w="}`)
	f.Add("{}\n")
	f.Add("null")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parse([]byte(text))
		if err != nil {
			return
		}
		if math.Abs(l.WireBytes) > 1e15 {
			return // no batch is that large
		}
		again, err := parse(new(formatter).append(nil, &l))
		require.NoError(t, err)
		require.Equal(t, string(l.Message), string(again.Message))
		require.Equal(t, l.Time, again.Time)
	})
}

func TestReopenAppends(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	for i := range 3 {
		j := open(t, path)
		require.NoError(t, store(j.Stream(), line(int64(i), "x")))
		require.NoError(t, j.Close())
	}
	require.Len(t, readAll(t, path), 3)
}

// TestTornTailIsCut: a crash in the middle of a write leaves bytes without a
// line feed, of any length.
func TestTornTailIsCut(t *testing.T) {
	t.Parallel()
	for _, torn := range []string{"", "{", `{"time":1,"mess`, strings.Repeat("x", 200_000), "\x00\x00\x00"} {
		path := filepath.Join(t.TempDir(), "journal")
		whole := "{\"time\":1,\"message\":\"a\"}\n{\"time\":2,\"message\":\"b\"}\n"
		require.NoError(t, os.WriteFile(path, []byte(whole+torn), 0o600))
		require.Len(t, readAll(t, path), 2, "a reader leaves the torn line out")
		var log strings.Builder
		j, err := Open(path, Options{}, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		require.NoError(t, store(j.Stream(), line(3, "c")))
		require.NoError(t, j.Close())
		got := readAll(t, path)
		require.Len(t, got, 3)
		require.Equal(t, "c", string(got[2].Message))
		if torn == "" {
			require.Empty(t, log.String())
		} else {
			require.Contains(t, log.String(), fmt.Sprintf("bytes=%d", len(torn)))
		}
	}
}

func TestTornOnlyLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
	require.NoError(t, open(t, path).Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Size())
}

func TestReadNamesTheBadLine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	require.NoError(t, os.WriteFile(path, []byte("{\"time\":1}\nnot json\n{\"time\":2}\n"), 0o600))
	var (
		n    int
		last error
	)
	for _, err := range Read(path) {
		n++
		last = err
	}
	require.Equal(t, 2, n)
	require.ErrorContains(t, last, path+":2: not a journal line")
	for _, err := range Read(filepath.Join(t.TempDir(), "none")) {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

func TestSecondWriterIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	first := open(t, path)
	_, err := Open(path, Options{}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, first.Close())
	require.NoError(t, open(t, path).Close())
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	_, err := Open(filepath.Join(t.TempDir(), "no", "such", "dir"), Options{}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(t.TempDir(), Options{}, slog.New(slog.DiscardHandler))
	require.Error(t, err)
}

// slowDisk counts syncs and holds them until it is told to go on; it fails
// writes beyond room.
type slowDisk struct {
	*os.File
	syncs   atomic.Int64
	gate    chan struct{}
	room    atomic.Int64
	failing bool
}

func (d *slowDisk) Sync() error {
	d.syncs.Add(1)
	if d.gate != nil {
		<-d.gate
	}
	return d.File.Sync()
}

func (d *slowDisk) Write(p []byte) (int, error) {
	if d.failing && int64(len(p)) > d.room.Load() {
		n, _ := d.File.Write(p[:d.room.Load()])
		d.room.Store(0)
		return n, syscall.ENOSPC
	}
	d.room.Add(-int64(len(p)))
	return d.File.Write(p)
}

func openOn(t *testing.T, d *slowDisk) *Journal {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "journal"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(t, err)
	d.File = f
	j := &Journal{file: &file{disk: d, regular: true}, done: make(chan struct{})}
	j.cond = sync.NewCond(&j.mu)
	go j.run()
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// TestGroupCommit: what arrives during one sync shares the next.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	d := &slowDisk{gate: make(chan struct{})}
	j := openOn(t, d)
	const streams, batches = 8, 25
	var durable atomic.Int64
	done := func(err error) {
		if err == nil {
			durable.Add(1)
		}
	}
	j.Stream().Append([]Line{line(0, "first")}, Mark{}, done)
	require.Eventually(t, func() bool { return d.syncs.Load() == 1 }, waitFor, tick)
	for s := range streams {
		stream := j.Stream()
		for b := range batches {
			stream.Append([]Line{line(int64(s), fmt.Sprint(b))}, Mark{}, done)
		}
	}
	require.Zero(t, durable.Load(), "nothing is durable before a sync has ended")
	d.gate <- struct{}{}
	require.Eventually(t, func() bool { return d.syncs.Load() == 2 }, waitFor, tick)
	require.EqualValues(t, 1, durable.Load())
	d.gate <- struct{}{}
	require.Eventually(t, func() bool { return durable.Load() == 1+streams*batches }, waitFor, tick)
	require.NoError(t, j.Close())
	require.EqualValues(t, 2, d.syncs.Load())
	next := map[int64]int{}
	for _, l := range readAll(t, d.Name())[1:] {
		require.Equal(t, fmt.Sprint(next[l.Time]), string(l.Message), "order holds in each stream")
		next[l.Time]++
	}
}

// TestFailedWriteLeavesNothing: the batch that failed is cut off, those of the
// same stream behind it fail too, and other streams go on when there is room.
func TestFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	d := &slowDisk{failing: true}
	d.room.Store(300)
	j := openOn(t, d)
	a, b := j.Stream(), j.Stream()
	require.NoError(t, store(a, line(1, "fits")))
	err := store(a, line(2, strings.Repeat("x", 1000)))
	require.ErrorIs(t, err, syscall.ENOSPC)
	err = store(b, line(3, "no room either"))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Eventually(t, func() bool { return j.Stats().Failing == err.Error() }, waitFor, tick)
	d.room.Store(10_000)
	err = store(a, line(4, "out of order"))
	require.ErrorIs(t, err, syscall.ENOSPC, "a batch before it failed")
	require.NoError(t, store(j.Stream(), line(5, "after")))
	require.Eventually(t, func() bool { return j.Stats().Failing == "" }, waitFor, tick)
	require.NoError(t, j.Close())
	var got []string
	for _, l := range readAll(t, d.Name()) {
		got = append(got, string(l.Message))
	}
	require.Equal(t, []string{"fits", "after"}, got)
	require.EqualValues(t, 2, j.Stats().Failures)
}

func TestClosedJournal(t *testing.T) {
	t.Parallel()
	j := open(t, filepath.Join(t.TempDir(), "journal"))
	require.NoError(t, j.Close())
	require.NoError(t, j.Close())
	require.ErrorIs(t, store(j.Stream(), line(1, "late")), ErrClosed)
}

// TestPipe: what is not a regular file is written, not synced.
func TestPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	j := open(t, path)
	require.NoError(t, store(j.Stream(), line(1, "through")))
	out, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer func() { _ = out.Close() }()
	buf := make([]byte, 1000)
	n, err := out.Read(buf)
	require.NoError(t, err)
	require.Contains(t, string(buf[:n]), `"message":"through"`)
}

func TestDevFull(t *testing.T) {
	t.Parallel()
	j := open(t, "/dev/full")
	require.ErrorIs(t, store(j.Stream(), line(1, "x")), syscall.ENOSPC)
}

func BenchmarkAppendLine(b *testing.B) {
	l := line(1730000000000, "2024-10-27 12:00:00.123 INFO  request handled method=GET path=/api/v1/items/42 status=200 duration=12.5ms")
	l.Tags = "env:prod,service:checkout,host:web-1,version:1.2.3,ddsource:go"
	var f formatter
	buf := f.append(nil, &l)
	b.ReportAllocs()
	b.SetBytes(int64(len(l.Message)))
	for b.Loop() {
		buf = f.append(buf[:0], &l)
	}
}

func TestFormattingDoesNotAllocate(t *testing.T) {
	l := line(1, "message with \"quotes\"")
	var f formatter
	buf := f.append(nil, &l)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = f.append(buf[:0], &l) }))
}

// TestSizeIsThatOfTheLockedFile: a writer that opens the journal while another
// ends knows all that the other wrote, or a failed write would cut it off.
func TestSizeIsThatOfTheLockedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	var wrong atomic.Int64
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 1500 {
				f, _, err := openFile(path, Options{}.withDefaults(), slog.New(slog.DiscardHandler))
				if errors.Is(err, ErrInUse) {
					continue
				}
				if info, err := os.Stat(path); err != nil || info.Size() != f.size {
					wrong.Add(1)
				}
				_, _ = f.disk.Write([]byte("kept\n"))
				_ = f.close()
			}
		})
	}
	writers.Wait()
	require.Zero(t, wrong.Load())
}
