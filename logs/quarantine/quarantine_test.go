package quarantine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

func readAll(t require.TestingT, path string) ([]Entry, []error) {
	var (
		out  []Entry
		errs []error
	)
	for e, err := range Read(path) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, e)
	}
	return out, errs
}

func TestWhatGoesInComesOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		w := NewWriter(filepath.Join(dir, rapid.StringMatching(`[a-z]{12}`).Draw(t, "dir")), 0)
		var want []record.Record
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			r := record.Record{
				Time: rapid.Int64().Draw(t, "time"), Status: rapid.StringMatching(`[a-z]*`).Draw(t, "status"), Tags: "a:b",
				Message: rapid.SliceOf(rapid.Byte()).Draw(t, "message"), Origin: record.Origin{Source: "file", End: 7},
			}
			want = append(want, r)
			require.NoError(t, w.Put(r, "poison", errors.New("cannot be read")))
		}
		got, errs := readAll(t, w.Path())
		require.Empty(t, errs)
		require.Len(t, got, len(want))
		for i, e := range got {
			require.Equal(t, want[i], e.Record())
			require.Equal(t, "poison", e.Reason)
			require.Equal(t, "cannot be read", e.Error)
			require.WithinDuration(t, time.Now(), e.At, time.Minute)
		}
		require.NoError(t, os.RemoveAll(w.dir))
	})
}

func TestFileSaysHowToDeliverAgain(t *testing.T) {
	t.Parallel()
	w := NewWriter(filepath.Join(t.TempDir(), "quarantine"), 0)
	require.NoError(t, w.Put(record.Record{Message: []byte("a")}, "size", nil))
	text, err := os.ReadFile(w.Path())
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	require.Equal(t, `{"replay":"vigil logs replay `+w.Path()+`"}`, first)
	info, err := os.Stat(w.Path())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestTornLine: what a crash left half-written costs nothing but itself.
func TestTornLine(t *testing.T) {
	t.Parallel()
	w := NewWriter(t.TempDir(), 0)
	require.NoError(t, w.Put(record.Record{Message: []byte("first")}, "poison", nil))
	f, err := os.OpenFile(w.Path(), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"at":"2026-01-`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, w.Put(record.Record{Message: []byte("second")}, "poison", nil))
	got, errs := readAll(t, w.Path())
	require.Len(t, got, 2)
	require.Equal(t, "first", string(got[0].Message))
	require.Equal(t, "second", string(got[1].Message))
	require.Len(t, errs, 1)
	require.ErrorContains(t, errs[0], FileName+":3: unexpected end of JSON input")
}

// TestAnEmptyLine comes back like any other.
func TestAnEmptyLine(t *testing.T) {
	t.Parallel()
	w := NewWriter(t.TempDir(), 0)
	require.NoError(t, w.Put(record.Record{Time: 1}, "poison", nil))
	got, errs := readAll(t, w.Path())
	require.Empty(t, errs)
	require.Len(t, got, 1)
	require.Empty(t, got[0].Message)
}

// TestNoLineGetsLostWhenTheFileIsTaken: lines are put there while the file is moved
// away, read and removed, again and again.
func TestNoLineGetsLostWhenTheFileIsTaken(t *testing.T) {
	t.Parallel()
	const writers, lines = 4, 100
	dir := t.TempDir()
	var writing sync.WaitGroup
	for n := range writers {
		w := NewWriter(dir, 0) // as in processes of their own
		writing.Go(func() {
			for i := range lines {
				if err := w.Put(record.Record{Time: int64(n*lines + i)}, "poison", nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()
	seen := map[int64]bool{}
	path := NewWriter(dir, 0).Path()
	for last := false; !last; {
		select {
		case <-written:
			last = true
		default:
		}
		if err := Take(path, path+".aside"); err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		got, errs := readAll(t, path+".aside")
		require.Empty(t, errs)
		require.NoError(t, os.Remove(path+".aside"))
		for _, e := range got {
			require.False(t, seen[e.Time])
			seen[e.Time] = true
		}
	}
	require.Len(t, seen, writers*lines)
}

func TestBound(t *testing.T) {
	t.Parallel()
	w := NewWriter(t.TempDir(), 1000)
	var err error
	n := 0
	for ; err == nil; n++ {
		err = w.Put(record.Record{Message: make([]byte, 100)}, "poison", nil)
	}
	require.ErrorIs(t, err, ErrFull)
	got, errs := readAll(t, w.Path())
	require.Empty(t, errs)
	require.Len(t, got, n-1)
}

func TestErrorsNameThePlace(t *testing.T) {
	t.Parallel()
	_, errs := readAll(t, "/nowhere/at/all")
	require.ErrorContains(t, errs[0], "open /nowhere/at/all")
	name := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(name, []byte("{}\n"), 0o600))
	_, errs = readAll(t, name)
	require.EqualError(t, errs[0], "quarantine: "+name+":1: it has no message, so it is no line in quarantine")
	require.ErrorContains(t, NewWriter(name, 0).Put(record.Record{}, "", nil), "quarantine: write "+name)
}

// FuzzRead: any file is read to its end.
func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"replay\":\"x\"}\n{\"message\":\"YQ==\"}\n"))
	f.Add([]byte("\n\n{\"message\":null}\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "f")
		require.NoError(t, os.WriteFile(name, data, 0o600))
		for e, err := range Read(name) {
			if err == nil && e.Message == nil {
				t.Fatal("an entry without a message")
			}
		}
	})
}
