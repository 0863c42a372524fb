package journal

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// put stores one line as a batch of a session.
func put(t *testing.T, s *Stream, m Mark) {
	t.Helper()
	done := make(chan error, 1)
	s.Append([]Line{line(int64(m.Seq), fmt.Sprintf("%s %d", m.Session, m.Seq))}, m, func(err error) { done <- err })
	require.NoError(t, <-done)
}

func texts(t *testing.T, path string) (out []string) {
	t.Helper()
	for _, l := range readAll(t, path) {
		out = append(out, string(l.Message))
	}
	return out
}

// TestMarksAreDurableWithTheirLines: after a crash at any point of a commit there
// are both or none.
func TestMarksAreDurableWithTheirLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j := open(t, path)
	require.Empty(t, j.Sessions())
	a := j.Stream()
	require.NoError(t, store(a, line(0, "no session")))
	require.NoFileExists(t, path+sessionsSuffix, "as long as there is none")
	put(t, a, Mark{"a", 1, 1})
	put(t, j.Stream(), Mark{"b", 7, 40})
	put(t, a, Mark{"a", 2, 2})
	require.NoError(t, store(j.Stream(), line(0, "no session")))
	require.NoError(t, j.Close())

	want := []string{"no session", "a 1", "b 40", "a 2", "no session"}
	marks := []Mark{{"a", 2, 2}, {"b", 7, 40}}
	committed, err := os.ReadFile(path)
	require.NoError(t, err)
	records, err := os.ReadFile(path + sessionsSuffix)
	require.NoError(t, err)
	extra := `{"time":3,"status":"","tags":"","message":"a 3","wire_bytes":1}` + "\n"
	for _, text := range []string{"", extra[:10], extra, extra + extra[:5]} {
		for _, record := range []string{"", "1 ", "1 99999 a 2 3 0 00000000\n"} {
			dir := t.TempDir()
			path := filepath.Join(dir, "journal")
			require.NoError(t, os.WriteFile(path, append(slices.Clip(committed), text...), 0o600))
			require.NoError(t, os.WriteFile(path+sessionsSuffix, append(slices.Clip(records), record...), 0o600))
			j := open(t, path)
			require.Equal(t, marks, j.Sessions())
			require.Equal(t, want, texts(t, path))
			put(t, j.Stream(), Mark{"a", 3, 3})
			require.NoError(t, j.Close())
			j = open(t, path)
			require.Equal(t, []Mark{{"a", 3, 3}, {"b", 7, 40}}, j.Sessions())
			require.Equal(t, append(slices.Clip(want), "a 3"), texts(t, path))
			require.NoError(t, j.Close())
		}
	}
}

// TestSessionsOfAnotherJournal: a journal that was emptied, or replaced by another
// one, is not cut; what its sessions had stored is not stored again.
func TestSessionsOfAnotherJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j := open(t, path)
	put(t, j.Stream(), Mark{"a", 1, 1})
	require.NoError(t, j.Close())
	for _, text := range []string{"", strings.Repeat(`{"message":"another one, with longer lines than the first"}`+"\n", 10)} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		j = open(t, path)
		require.Equal(t, []Mark{{"a", 1, 1}}, j.Sessions())
		require.NoError(t, j.Close())
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	reopen := func() *Journal {
		f, _, err := openFile(path, Options{SegmentBytes: 300}.withDefaults(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		j := &Journal{file: f, done: make(chan struct{}), opened: f.sessions.list()}
		j.cond = sync.NewCond(&j.mu)
		go j.run()
		return j
	}
	var want []string
	for n := uint64(1); n <= 60; {
		j := reopen()
		s := j.Stream()
		for range 20 {
			put(t, s, Mark{"a", 1, n})
			want = append(want, fmt.Sprintf("a %d", n))
			n++
		}
		require.NoError(t, j.Close())
	}
	require.Greater(t, len(segments(path)), 10)
	require.Equal(t, want, texts(t, path))
	for _, name := range segments(path) {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.GreaterOrEqual(t, info.Size(), int64(300))
	}
	// A crash while the file was put aside: it has both names.
	require.NoError(t, os.Link(path, segmentName(path, len(segments(path))+1)))
	j := reopen()
	require.Equal(t, []Mark{{"a", 1, 60}}, j.Sessions())
	require.NoError(t, j.Close())
	require.Equal(t, want, texts(t, path))
	// A crash after the file was put aside: what is in the new one has no record.
	require.NoError(t, os.Link(path, segmentName(path, len(segments(path))+1)))
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte(`{"message":"not acknowledged"}`+"\n"), 0o600))
	j = reopen()
	require.Equal(t, []Mark{{"a", 1, 60}}, j.Sessions())
	require.NoError(t, j.Close())
	require.Equal(t, want, texts(t, path))
}

func TestSessionsAreCompactAndBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sessions")
	s, _, known, err := openSessions(path, Options{}.withDefaults())
	require.NoError(t, err)
	require.False(t, known)
	now := time.Unix(1_800_000_000, 0)
	require.NoError(t, s.note(commit{1, 10}, []Mark{{"old", 1, 1}}, now))
	now = now.Add(sessionTime + time.Second)
	for n := uint64(1); n <= 200; n++ {
		require.NoError(t, s.note(commit{1, int64(n)}, []Mark{{"a", 1, n}}, now))
	}
	s.size = maxSessionsBytes + 1
	require.NoError(t, s.note(commit{2, 77}, []Mark{{"b", 1, 1}}, now))
	require.NoError(t, s.close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "2 77 a 1 200 1802592001 b 1 1 1802592001 e7c3b52e\n", string(text), "one record, without what is past its time")
	s, last, known, err := openSessions(path, Options{}.withDefaults())
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, commit{2, 77}, last)
	require.Equal(t, []Mark{{"a", 1, 200}, {"b", 1, 1}}, s.list())
	for i := range DefaultMaxSessions + 5 {
		s.marks[fmt.Sprint(i)] = session{Mark{fmt.Sprint(i), 1, 1}, now.Unix() + int64(i)}
	}
	s.forget(now)
	require.Len(t, s.marks, DefaultMaxSessions)
	require.Contains(t, s.marks, fmt.Sprint(DefaultMaxSessions+4))
	require.NotContains(t, s.marks, "a")
}

func TestUnwritableSessions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "journal")
	require.NoError(t, os.Mkdir(path+sessionsSuffix+".tmp", 0o700))
	j, err := Open(path, Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	done := make(chan error, 1)
	j.Stream().Append([]Line{line(1, "x")}, Mark{"a", 1, 1}, func(err error) { done <- err })
	err = <-done
	require.ErrorIs(t, err, syscall.EISDIR)
	require.Empty(t, texts(t, path), "the lines go with their mark")
	require.NoError(t, os.Remove(path+sessionsSuffix+".tmp"))
	put(t, j.Stream(), Mark{"a", 1, 1})
	require.NoError(t, j.Close())
	require.Equal(t, []string{"a 1"}, texts(t, path))
}

func FuzzCommit(f *testing.F) {
	f.Add("1 10 ")
	f.Add("1 10 a 1 2 3 ")
	f.Add("1 10 a 1 2 ")
	f.Add("-1 10 ")
	f.Fuzz(func(t *testing.T, text string) {
		c, marks, ok := parseCommit(endCommit([]byte(text), 0))
		if !ok {
			return
		}
		again := appendCommit(nil, c)
		for _, m := range marks {
			again = appendMark(again, m)
		}
		d, more, ok := parseCommit(endCommit(again, 0))
		require.True(t, ok)
		require.Equal(t, c, d)
		require.Equal(t, marks, more)
		_, _, _ = parseCommit([]byte(text))
	})
}

// TestMarksOfAFailedCommitAreGone: a mark whose lines were cut again must not
// come back with a later commit, or the lines would be refused when they are sent
// once more.
func TestMarksOfAFailedCommitAreGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	f, _, err := openFile(path, Options{}.withDefaults(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	write := func(m Mark) error {
		_, err := f.write([][]byte{fmt.Appendf(nil, "%s %d\n", m.Session, m.Seq)}, []Mark{m})
		return err
	}
	require.NoError(t, write(Mark{"a", 1, 1}))
	require.NoError(t, f.sessions.file.Close())
	_, err = f.write([][]byte{[]byte("a 2\nnew 1\na 3\n")}, []Mark{{"a", 2, 2}, {"new", 1, 1}, {"a", 2, 3}})
	require.ErrorIs(t, err, os.ErrClosed)
	onDisk := func() ([]Mark, string) {
		s, last, known, err := openSessions(path+sessionsSuffix, Options{}.withDefaults())
		require.NoError(t, err)
		require.True(t, known)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, int64(len(text)), last.size)
		return s.list(), string(text)
	}
	marks, text := onDisk()
	require.Equal(t, []Mark{{"a", 1, 1}}, marks, "also when it ends here")
	require.Equal(t, "a 1\n", text)
	require.NoError(t, write(Mark{"b", 1, 1}))
	marks, text = onDisk()
	require.Equal(t, []Mark{{"a", 1, 1}, {"b", 1, 1}}, marks)
	require.Equal(t, "a 1\nb 1\n", text)
	require.NoError(t, f.close())
}

// TestManySessionsAreNotWrittenWithEachCommit: with more sessions than the least
// size holds, a commit still adds one record.
func TestManySessionsAreNotWrittenWithEachCommit(t *testing.T) {
	t.Parallel()
	s, _, _, err := openSessions(filepath.Join(t.TempDir(), "sessions"), Options{}.withDefaults())
	require.NoError(t, err)
	now := time.Now()
	for i := range 30000 {
		id := fmt.Sprintf("%032d", i)
		s.marks[id] = session{Mark{id, 1, 1}, now.Unix()}
	}
	require.NoError(t, s.note(commit{1, 1}, []Mark{{"a", 1, 1}}, now))
	require.Greater(t, s.size, int64(maxSessionsBytes))
	file, size := s.file, s.size
	for i := range 10 {
		require.NoError(t, s.note(commit{1, int64(i)}, []Mark{{"a", 1, uint64(i)}}, now))
	}
	require.Same(t, file, s.file)
	require.Less(t, s.size-size, int64(1000))
	require.NoError(t, s.close())
}

// TestFirstMarkIsDurableWithItsLines: a crash between the lines of the first
// session and its mark leaves neither.
func TestFirstMarkIsDurableWithItsLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	f, _, err := openFile(path, Options{}.withDefaults(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	disk := f.disk
	f.disk = crashOnSync{disk}
	require.PanicsWithValue(t, "crash", func() { _, _ = f.write([][]byte{[]byte("a 1\n")}, []Mark{{"a", 1, 1}}) })
	require.NoError(t, disk.Close())
	require.NoError(t, f.sessions.close())
	f, torn, err := openFile(path, Options{}.withDefaults(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, int64(4), torn)
	require.Empty(t, f.sessions.list())
	require.NoError(t, f.close())
}

// crashOnSync panics after a sync.
type crashOnSync struct{ target }

func (c crashOnSync) Sync() error {
	if err := c.target.Sync(); err != nil {
		return err
	}
	panic("crash")
}
