package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *Registry {
	t.Helper()
	r, err := New(Config{Dir: dir, FlushEvery: time.Hour}, Deps{})
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(context.Background())) })
	return r
}

// lines are records of a source that end at the given offsets.
func lines(source string, ends ...int64) []record.Record {
	var out []record.Record
	for _, end := range ends {
		out = append(out, record.Record{Origin: record.Origin{Source: source, End: end}})
	}
	return out
}

func offset(t *testing.T, r *Registry, id string) int64 {
	t.Helper()
	at, known := r.Offset(id)
	require.True(t, known)
	return at
}

var (
	key  = Key{Device: 1, Inode: 2}
	head = bytes.Repeat([]byte("0123456789abcdef"), FingerprintSize/16)
)

func TestOffsetsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run", "vigil")
	r := open(t, dir)
	e := r.Add("/a.log", key, head, 0)
	r.Begin(lines(e.ID, 10, 20, 30))
	r.CommitThrough(record.Origin{Source: e.ID, End: 20})
	_, before := r.Follow("/*.log")
	require.False(t, before)
	_, before = r.Follow("/*.log")
	require.True(t, before)
	require.NoError(t, r.Flush(t.Context()))
	at := time.Now().Add(time.Minute)
	r.Looked(at, "/*.log")
	require.NoError(t, r.Stop(t.Context()))

	r = open(t, dir)
	looked, before := r.Follow("/*.log")
	require.True(t, before)
	require.WithinDuration(t, at, looked, 0)
	got, known := r.Open("/renamed.log", key, head)
	require.True(t, known)
	require.Equal(t, e.ID, got.ID)
	require.Equal(t, "/renamed.log", got.Path)
	require.Equal(t, int64(20), got.Offset)
	require.Equal(t, Fingerprint{Hash: FingerprintOf(head).Hash, Size: 256}, got.Fingerprint)
	require.WithinDuration(t, time.Now(), got.Seen, time.Minute)

	info, err := os.Stat(filepath.Join(dir, FileName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestCommitThroughCoversEarlierBatches(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	a := r.Add("/a.log", key, head, 0).ID
	for end := int64(10); end <= 50; end += 10 {
		r.Begin(lines(a, end-5, end))
	}
	for _, step := range []struct{ commit, want int64 }{{20, 20}, {20, 20}, {10, 20}, {35, 35}, {45, 45}, {50, 50}, {60, 50}} {
		r.CommitThrough(record.Origin{Source: a, End: step.commit})
		require.Equal(t, step.want, offset(t, r, a))
	}
	// Content that starts at an offset, as after a restart.
	b := r.Add("/b.log", Key{1, 3}, head, 1000).ID
	r.Begin(lines(b, 1010))
	r.CommitThrough(record.Origin{Source: b, End: 1010}, record.Origin{}, record.Origin{Source: "unknown", End: 1}, record.Origin{Source: a, End: 50})
	require.Equal(t, int64(1010), offset(t, r, b))
}

// Several sources in one batch, in runs and mixed: each has an end of its own.
func TestBeginFindsTheEndOfEachSource(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	a := r.Add("/a.log", key, head, 0).ID
	b := r.Add("/b.log", Key{1, 3}, head, 0).ID
	require.NotEqual(t, a, b)
	r.Begin(slices.Concat(lines(a, 10, 20), lines(b, 5), lines(a, 30)))
	r.CommitThrough(record.Origin{Source: a, End: 31}, record.Origin{Source: b, End: 6})
	require.Zero(t, offset(t, r, a)+offset(t, r, b), "never handed on")
	r.CommitThrough(record.Origin{Source: a, End: 30}, record.Origin{Source: b, End: 5})
	require.Equal(t, int64(30), offset(t, r, a))
	require.Equal(t, int64(5), offset(t, r, b))
}

// TestD16OffsetsAreNeverDropped: acknowledgements go on while the disk takes nothing,
// none waits for it, and what is saved in the end is the last of each source.
func TestD16OffsetsAreNeverDropped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := New(Config{Dir: dir, FlushEvery: time.Millisecond}, Deps{})
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context()))
	require.NoError(t, os.Mkdir(filepath.Join(dir, FileName+".tmp"), 0o700)) // writes fail
	var ids []string
	for i := range uint64(10) {
		ids = append(ids, r.Add("/x.log", Key{1, i}, head, 0).ID)
	}
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			for end := range int64(5000) {
				r.Begin(lines(id, end+1))
				r.CommitThrough(record.Origin{Source: id, End: end + 1})
			}
		})
	}
	wg.Wait()
	require.Eventually(t, func() bool { return r.Status().Error != "" }, time.Minute, time.Millisecond)
	require.NoError(t, os.Remove(filepath.Join(dir, FileName+".tmp")))
	require.NoError(t, r.Stop(t.Context()))
	r = open(t, dir)
	for _, id := range ids {
		require.Equal(t, int64(5000), offset(t, r, id))
	}
}

func TestMemorySurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	require.Empty(t, r.Recall("session"))
	require.NoError(t, r.Remember("session", "one"))
	require.NoError(t, r.Remember("session", "two"))
	require.NoError(t, r.Remember("gone", "x"))
	require.NoError(t, r.Remember("gone", ""))
	require.NoError(t, r.Remember("never", ""))
	require.Equal(t, "two", r.Recall("session"))
	require.NoError(t, r.Flush(t.Context()))
	require.Equal(t, `{"version":1,"generation":1,"patterns":[],"files":[],"memory":{"session":"two"}}`+"\n", fileText(t, r))
	saved := r.Status().Saved
	require.NoError(t, r.Remember("session", "two"))
	require.NoError(t, r.Flush(t.Context()))
	require.Equal(t, saved, r.Status().Saved, "nothing changed, nothing written")
	require.EqualError(t, r.Remember("long", strings.Repeat("x", maxRememberedBytes)), `remember "long": at most 4096 bytes are kept`)
	for i := range maxRemembered - 1 {
		require.NoError(t, r.Remember(strconv.Itoa(i), "x"))
	}
	require.EqualError(t, r.Remember("more", "x"), `remember "more": at most 256 keys are kept`)
	require.NoError(t, r.Stop(t.Context()))
	require.ErrorIs(t, r.Remember("late", "x"), ErrNotStarted)
	require.Equal(t, "two", open(t, dir).Recall("session"))
}

func BenchmarkCommit(b *testing.B) {
	r, err := New(Config{Dir: b.TempDir(), FlushEvery: time.Hour}, Deps{})
	require.NoError(b, err)
	require.NoError(b, r.Start(b.Context()))
	id := r.Add("/a.log", key, head, 0).ID
	batch := make([]record.Record, 1000)
	end := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch {
			end += 100
			batch[i].Origin = record.Origin{Source: id, End: end}
		}
		r.Begin(batch)
		r.CommitThrough(batch[len(batch)-1].Origin)
	}
	require.NoError(b, r.Stop(context.Background()))
}

func TestOpenRecognisesFiles(t *testing.T) {
	t.Parallel()
	other := append([]byte("x"), head[1:]...)
	for name, c := range map[string]struct {
		path  string
		key   Key
		head  []byte
		known bool
	}{
		"the same":                       {"/a.log", key, head, true},
		"renamed":                        {"/b.log", key, head, true},
		"grown":                          {"/a.log", key, append(bytes.Clone(head), "more"...), true},
		"shrunk":                         {"/a.log", key, head[:100], false},
		"emptied":                        {"/a.log", key, nil, false},
		"another file in the inode":      {"/a.log", key, other, false},
		"another inode":                  {"/a.log", Key{1, 3}, head, false},
		"device renumbered":              {"/a.log", Key{9, 2}, head, true},
		"device renumbered, and renamed": {"/b.log", Key{9, 2}, head, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, t.TempDir())
			id := r.Add("/a.log", key, head, 7).ID
			_, known := r.Open("/a.log", key, head)
			require.False(t, known, "a followed file is not opened twice")
			r.Close(id, false)
			e, known := r.Open(c.path, c.key, c.head)
			require.Equal(t, c.known, known)
			if known {
				require.Equal(t, Entry{ID: id, Path: c.path, Key: c.key, Fingerprint: FingerprintOf(head), Offset: 7, Seen: e.Seen}, e)
			}
		})
	}
}

func TestShortFilesAreIdentifiedAsTheyGrow(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	e := r.Add("/a.log", key, nil, 0)
	require.Equal(t, 0, e.Fingerprint.Size)
	r.Grow(e.ID, head[:10])
	r.Grow(e.ID, head[:5])
	r.Close(e.ID, false)
	_, known := r.Open("/a.log", key, []byte("something else"))
	require.False(t, known)
	e, known = r.Open("/a.log", key, head[:20])
	require.True(t, known)
	require.Equal(t, 20, e.Fingerprint.Size)
	require.True(t, r.HasCopy("/a.log", head[:20]))
	require.False(t, r.HasCopy("/a.log", head))
	require.False(t, r.HasCopy("/b.log", head[:20]))
}

func TestContentsOfOneFileHaveTheirOwnOffsets(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	first := r.Add("/a.log", key, head, 0)
	r.Begin(lines(first.ID, 100))
	second := r.Add("/a.log", key, head, 0)
	r.Close(first.ID, true)
	require.NotEqual(t, first.ID, second.ID)
	r.Begin(lines(second.ID, 10))
	r.CommitThrough(record.Origin{Source: second.ID, End: 10})
	require.NoError(t, r.Flush(t.Context()))
	require.Equal(t, 2, r.Status().Files, "the old content is still on its way")
	r.CommitThrough(record.Origin{Source: first.ID, End: 100})
	require.Equal(t, int64(10), offset(t, r, second.ID))
	require.NoError(t, r.Flush(t.Context()))
	require.Equal(t, 1, r.Status().Files)
	r.Close(second.ID, false)
	e, known := r.Open("/a.log", key, head)
	require.True(t, known)
	require.Equal(t, int64(10), e.Offset)
}

func TestFlushIsCoalesced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Config{Dir: dir}, Deps{})
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context()))
		id := r.Add("/a.log", key, head, 0).ID
		synctest.Wait()
		require.Contains(t, fileText(t, r), `"offset":0`, "a new file is known at once")
		for end := range int64(1000) {
			r.Begin(lines(id, end+1))
			r.CommitThrough(record.Origin{Source: id, End: end + 1})
		}
		synctest.Wait()
		require.Contains(t, fileText(t, r), `"offset":0`)
		time.Sleep(DefaultFlushEvery)
		synctest.Wait()
		require.Contains(t, fileText(t, r), `"offset":1000`)
		saved := r.Status().Saved
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, saved, r.Status().Saved, "nothing changed, nothing written")
		require.NoError(t, r.Stop(t.Context()))
	})
}

func fileText(t *testing.T, r *Registry) string {
	t.Helper()
	text, err := os.ReadFile(r.Status().Path)
	require.NoError(t, err)
	return string(text)
}

func TestEntriesOfLostFilesExpire(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Config{Dir: dir, FlushEvery: 24 * time.Hour}, Deps{})
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context()))
		away := r.Add("/a.log", key, head, 1).ID
		kept := r.Add("/b.log", Key{1, 3}, head, 2).ID
		r.Close(away, false)
		time.Sleep(DefaultRetention + time.Hour)
		r.Rename(kept, "/c.log") // any change
		require.NoError(t, r.Flush(t.Context()))
		_, known := r.Offset(away)
		require.False(t, known)
		require.Equal(t, int64(2), offset(t, r, kept))
		require.NoError(t, r.Stop(t.Context()))
	})
}

func TestIdleListsWhatIsNotFollowed(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	a := r.Add("/a.log", key, head, 0).ID
	r.Add("/b.log", Key{1, 3}, head, 0)
	gone := r.Add("/c.log", Key{1, 4}, head, 0).ID
	require.Empty(t, r.Idle())
	r.Close(a, false)
	r.Close(gone, true)
	require.Len(t, r.Idle(), 1)
	require.Equal(t, a, r.Idle()[0].ID)
	r.Close("unknown", false)
	r.Rename("unknown", "/x")
	r.Grow("unknown", head)
}

func TestRunPathHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	second, err := New(Config{Dir: dir}, Deps{})
	require.NoError(t, err)
	err = second.Start(t.Context())
	var locked *LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, &LockedError{Dir: dir, PID: os.Getpid()}, locked)
	require.EqualError(t, err, "run path "+dir+" is in use by the agent with pid "+
		strconv.Itoa(os.Getpid())+": stop it, or give this one its own run_path")
	require.NoError(t, second.Stop(t.Context()))
	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, second.Start(t.Context()))
	require.NoError(t, second.Start(t.Context()))
	require.NoError(t, second.Stop(t.Context()))
}

func TestLockedErrorWithoutAPid(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &LockedError{Dir: "/run"}, "run path /run is in use by another agent: stop it, or give this one its own run_path")
}

func TestCorruptFileIsKeptAside(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":             "",
		"not json":          "\x00\x01garbage",
		"cut off":           `{"version":1,"files":[{"id":"a"`,
		"newer":             `{"version":2}`,
		"negative offset":   `{"version":1,"files":[{"id":"a","offset":-1}]}`,
		"no id":             `{"version":1,"files":[{"offset":1}]}`,
		"twice":             `{"version":1,"files":[{"id":"a"},{"id":"a"}]}`,
		"large fingerprint": `{"version":1,"files":[{"id":"a","fingerprint":{"size":257}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			var log bytes.Buffer
			r, err := New(Config{Dir: dir, FlushEvery: time.Hour}, Deps{Log: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, err)
			require.NoError(t, r.Start(t.Context()))
			require.Empty(t, r.Idle())
			require.NoError(t, r.Stop(t.Context()))

			var corrupt *CorruptError
			require.ErrorAs(t, r.recovered, &corrupt)
			require.Error(t, errors.Unwrap(corrupt))
			require.Equal(t, corrupt.Error(), r.Status().Recovered)
			require.Contains(t, corrupt.Error(), "offset registry "+path+" is unusable (")
			require.Contains(t, corrupt.Error(), "): kept as "+path+".corrupt-")
			require.Contains(t, log.String(), "offsets are lost")
			aside, err := os.ReadFile(corrupt.Aside)
			require.NoError(t, err)
			require.Equal(t, text, string(aside))
			require.NoFileExists(t, path)
		})
	}
}

func TestUnreadableRunPathIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	r, err := New(Config{Dir: filepath.Join(file, "run")}, Deps{})
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context()), "create run path")
	require.ErrorIs(t, r.Flush(t.Context()), ErrNotStarted)

	require.NoError(t, os.Mkdir(filepath.Join(dir, FileName), 0o700))
	r, err = New(Config{Dir: dir}, Deps{})
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context()), "read offset registry")
	r, err = New(Config{Dir: dir}, Deps{})
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context()), "read offset registry", "the lock is free again")

	_, err = New(Config{}, Deps{})
	require.EqualError(t, err, "offset registry: no directory given")
}

func TestFailedWriteIsRetried(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	id := r.Add("/a.log", key, head, 3).ID
	require.NoError(t, os.Mkdir(filepath.Join(dir, FileName+".tmp"), 0o700))
	require.ErrorContains(t, r.Flush(t.Context()), "write offset registry")
	require.Contains(t, r.Status().Error, "write offset registry")
	require.NoError(t, os.Remove(filepath.Join(dir, FileName+".tmp")))
	require.NoError(t, r.Flush(t.Context()))
	require.Empty(t, r.Status().Error)
	require.Contains(t, fileText(t, r), id)
}

func TestFileFormat(t *testing.T) {
	t.Parallel()
	seen := time.Date(2026, 10, 9, 8, 7, 6, 0, time.UTC)
	c := content{
		Patterns: []pattern{{"/b", seen}, {"/a", seen}},
		Files: []Entry{
			{ID: "z", Path: "/z.log", Key: Key{1, 2}, Fingerprint: Fingerprint{"ff", 3}, Offset: 4, Seen: seen},
			{ID: "a", Path: "/a.log", Seen: seen},
		},
	}
	text, err := encode(c)
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		`{"version":1,"generation":0,"patterns":[{"path":"/a","looked":"2026-10-09T08:07:06Z"},{"path":"/b","looked":"2026-10-09T08:07:06Z"}],"files":[`,
		`{"id":"a","path":"/a.log","device":0,"inode":0,"fingerprint":{"hash":"","size":0},"offset":0,"seen":"2026-10-09T08:07:06Z"},`,
		`{"id":"z","path":"/z.log","device":1,"inode":2,"fingerprint":{"hash":"ff","size":3},"offset":4,"seen":"2026-10-09T08:07:06Z"}`,
		"]}\n",
	}, ""), string(text))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"patterns":[{"path":"/a","looked":"2026-10-09T08:07:06Z"}],"files":[{"id":"a","device":1,"inode":2,"offset":4,"seen":"2026-10-09T08:07:06Z"}]}`))
	f.Add([]byte(`{"version":1,"files":[{"id":"","offset":-1}]}`))
	f.Add([]byte(`{}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := decode(text)
		if err != nil {
			return
		}
		again, err := encode(c)
		require.NoError(t, err)
		back, err := decode(again)
		require.NoError(t, err)
		want, err := json.Marshal(c)
		require.NoError(t, err)
		got, err := json.Marshal(back)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got))
	})
}
