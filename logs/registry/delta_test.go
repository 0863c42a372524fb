package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// killed is a copy of what a process that is killed now leaves behind.
func killed(t *testing.T, dir string) string {
	t.Helper()
	left := t.TempDir()
	require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
	return left
}

// release moves the offset of a file and waits until that is saved.
func release(r *Registry, id string, end int64) {
	r.Begin(lines(id, end))
	r.CommitThrough(record.Origin{Source: id, End: end})
	synctest.Wait()
}

func TestWhatIsReleasedSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := open(t, dir)
		a, b := r.Add("/a.log", key, head, 0).ID, r.Add("/b.log", Key{1, 3}, head, 7).ID
		synctest.Wait()
		saved := r.Status().Saved
		release(r, a, 100)
		release(r, b, 200)
		release(r, a, 300)
		require.Equal(t, saved, r.Status().Saved, "nothing was synced")

		left := killed(t, dir)
		after := open(t, left)
		require.Equal(t, int64(300), offset(t, after, a))
		require.Equal(t, int64(200), offset(t, after, b))
		synctest.Wait()
		require.Contains(t, fileText(t, after), `"offset":300`, "what was only in the delta")
		text, err := os.ReadFile(filepath.Join(left, DeltaName))
		require.NoError(t, err)
		require.Empty(t, text)

		// A power cut takes what was not synced, or a part of it.
		left = killed(t, dir)
		text, err = os.ReadFile(filepath.Join(left, DeltaName))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(left, DeltaName), text[:len(text)-1], 0o600))
		torn := open(t, left)
		require.Equal(t, int64(100), offset(t, torn, a))
		require.Equal(t, int64(200), offset(t, torn, b))
		left = killed(t, dir)
		require.NoError(t, os.Remove(filepath.Join(left, DeltaName)))
		cut := open(t, left)
		require.Zero(t, offset(t, cut, a))
		require.Equal(t, int64(7), offset(t, cut, b))
	})
}

// The delta is bounded: when it is full the registry file is written early.
func TestFullDelta(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := open(t, dir)
		id := r.Add("/a.log", key, head, 0).ID
		synctest.Wait()
		r.writing.Lock()
		r.delta.size = maxDeltaBytes - 1
		r.writing.Unlock()
		time.Sleep(time.Second)
		release(r, id, 5)
		require.Contains(t, fileText(t, r), `"offset":5`)
		release(r, id, 6)
		require.Contains(t, fileText(t, r), `"offset":5`)
		require.Equal(t, map[string]int64{id: 6}, deltaOf(t, dir))
	})
}

// While the registry file cannot be written the delta is what there is.
func TestDeltaWhileTheFileCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := open(t, dir)
		id := r.Add("/a.log", key, head, 0).ID
		synctest.Wait()
		obstacle := filepath.Join(dir, FileName+".tmp")
		require.NoError(t, os.Mkdir(obstacle, 0o700))
		release(r, id, 5)
		require.Error(t, r.Flush(t.Context()))
		release(r, id, 6)
		require.Equal(t, map[string]int64{id: 6}, deltaOf(t, dir))

		// A write may fail when the file is in place already.
		left := killed(t, dir)
		path := filepath.Join(left, FileName)
		c, err := load(path, time.Now())
		require.NoError(t, err)
		c.Generation++
		text, err := encode(c)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		require.NoError(t, os.Remove(filepath.Join(left, FileName+".tmp")))
		require.Equal(t, int64(6), offset(t, open(t, left), id))

		require.NoError(t, os.Remove(obstacle))
		require.NoError(t, r.Flush(t.Context()))
		require.Empty(t, deltaOf(t, dir))
	})
}

func deltaOf(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, DeltaName))
	require.NoError(t, err)
	return readMoves(text, generationOf(t, dir))
}

func generationOf(t *testing.T, dir string) uint64 {
	t.Helper()
	c, err := load(filepath.Join(dir, FileName), time.Now())
	require.NoError(t, err)
	return c.Generation
}

// TestAnIdentityThatIsGivenAgainStartsAnew: a kill just after the registry file was
// written leaves the delta of before. A file that got the identity of one that is
// gone must not be read from the offset of that one, which would skip its lines.
func TestAnIdentityThatIsGivenAgainStartsAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := open(t, dir)
		id := r.Add("/a.log", key, nil, 0).ID // empty when it was found
		synctest.Wait()
		release(r, id, 5000)
		before, err := os.ReadFile(filepath.Join(dir, DeltaName))
		require.NoError(t, err)
		require.NotEmpty(t, before)
		r.Close(id, true)
		require.NoError(t, r.Flush(t.Context()))
		require.Equal(t, id, r.Add("/a.log", key, nil, 0).ID, "the inode is used again, and the file is empty, too")
		synctest.Wait()
		left := killed(t, dir)
		require.NoError(t, os.WriteFile(filepath.Join(left, DeltaName), before, 0o600))
		require.Zero(t, offset(t, open(t, left), id))
	})
}

func TestDeltaThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, DeltaName), 0o700))
	r, err := New(Config{Dir: dir}, Deps{})
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context()), "read the latest offsets")
}

func FuzzReadMoves(f *testing.F) {
	f.Add(appendMove(appendMove(nil, 1, "a", 1), 1, "a", 3), "1-2-abc", int64(5))
	f.Add([]byte("00000000 a 1\n"), "", int64(0))
	f.Add([]byte("zz\n\n a"), "a b", int64(1<<62))
	f.Fuzz(func(t *testing.T, text []byte, id string, offset int64) {
		for _, at := range readMoves(text, 1) {
			require.Positive(t, at)
		}
		if offset <= 0 || strings.Contains(id, "\n") { // identities are hexadecimal
			return
		}
		got := readMoves(appendMove(append(text, '\n'), 1, id, offset), 1)
		require.GreaterOrEqual(t, got[id], offset, "%q", id)
	})
}

func BenchmarkRelease(b *testing.B) {
	r, err := New(Config{Dir: b.TempDir()}, Deps{})
	require.NoError(b, err)
	require.NoError(b, r.Start(b.Context()))
	id := r.Add("/a.log", key, head, 0).ID
	batch := lines(id, 1)
	b.ReportAllocs()
	for end := int64(1); b.Loop(); end++ {
		batch[0].Origin.End = end
		r.Begin(batch)
		r.CommitThrough(batch[0].Origin)
		r.follow()
	}
	require.NoError(b, r.Stop(b.Context()))
}
