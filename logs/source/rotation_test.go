package source

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/registry"
)

func TestRotationUnderWriteLoad(t *testing.T) {
	t.Parallel()
	for name, pattern := range map[string]string{"name": "app.log", "wildcard": "app.log*"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t, Pattern{Path: pattern})
			a.start(t)
			var want strings.Builder
			for generation := range 12 {
				f, err := os.OpenFile(a.path("app.log"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				require.NoError(t, err)
				if generation == 0 && name == "wildcard" { // files that appear together have no order
					eventually(t, "the first file is open", func() bool { return len(a.files.Status()) == 1 })
				}
				for line := range 2000 {
					text := fmt.Sprintf("generation %d line %d\n", generation, line)
					want.WriteString(text)
					_, err := f.WriteString(text)
					require.NoError(t, err)
				}
				for i := generation; i > 0; i-- {
					a.rename(t, fmt.Sprintf("app.log.%d", i), fmt.Sprintf("app.log.%d", i+1))
				}
				a.rename(t, "app.log", "app.log.1")
				text := fmt.Sprintf("generation %d, written after the rename\n", generation)
				want.WriteString(text)
				_, err = f.WriteString(text)
				require.NoError(t, err)
				require.NoError(t, f.Close())
			}
			a.wants(t, want.String())
		})
	}
}

func TestWriterThatHasNotNoticedTheRotation(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "one\n")
	a.start(t)
	a.wants(t, "one\n")
	a.rename(t, "app.log", "app.log.1")
	a.write(t, "app.log", "new\n")
	a.wants(t, "one\nnew\n")
	a.write(t, "app.log.1", "late\n")
	a.wants(t, "one\nnew\nlate\n")
	states := []string{a.files.Status()[0].State, a.files.Status()[1].State}
	require.ElementsMatch(t, []string{StateReading, StateRotated}, states)
}

func TestRotatedFileIsGivenUpAfterAWhile(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.cfg.Linger = 100 * time.Millisecond
	a.write(t, "app.log", "one\nno line feed")
	a.start(t)
	a.wants(t, "one\n")
	a.rename(t, "app.log", "app.log.1")
	a.write(t, "app.log", "new\n")
	a.wants(t, "one\nnew\nno line feed\n")
	eventually(t, "one file left", func() bool { return len(a.files.Status()) == 1 })
	require.Equal(t, a.path("app.log"), a.files.Status()[0].Path)
	// The entry of a file that still exists is kept, that of a deleted one not.
	require.Equal(t, 2, a.registry.Status().Files)
	require.NoError(t, os.Remove(a.path("app.log")))
	eventually(t, "no file left", func() bool { return len(a.files.Status()) == 0 })
	require.NoError(t, a.registry.Flush(t.Context()))
	require.Equal(t, 1, a.registry.Status().Files)
}

func TestDeletedFileIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.gate = make(chan struct{})
	text := strings.Repeat("some line\n", 100_000)
	a.write(t, "app.log", text)
	a.start(t)
	eventually(t, "reading", func() bool { return a.status(t, "app.log").Bytes > 0 })
	require.NoError(t, os.Remove(a.path("app.log")))
	a.write(t, "app.log", "new\n")
	eventually(t, "waiting", func() bool {
		s := a.files.Status()
		return len(s) == 2 && (s[0].State == StateWaiting || s[1].State == StateWaiting)
	})
	close(a.gate)
	a.wants(t, text+"new\n")
}

func TestRenameWithinAPatternIsTheSameFile(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "*.log"})
	a.write(t, "a.log", "one\n")
	a.start(t)
	a.wants(t, "one\n")
	a.rename(t, "a.log", "b.log")
	a.write(t, "b.log", "two\n")
	a.wants(t, "one\ntwo\n")
	require.Equal(t, a.lines[0].Origin.Source, a.lines[1].Origin.Source)
	eventually(t, "new name", func() bool { return a.files.Status()[0].Path == a.path("b.log") })
	a.stop(t)
	a.rename(t, "b.log", "c.log")
	a.write(t, "c.log", "three\n")
	a.start(t)
	a.wants(t, "one\ntwo\nthree\n")
	require.Equal(t, a.lines[0].Origin.Source, a.lines[2].Origin.Source)
}

func TestCopyTruncate(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "one\ntwo\nhalf")
	a.start(t)
	a.wants(t, "one\ntwo\n")
	require.NoError(t, os.Truncate(a.path("app.log"), 0))
	eventually(t, "truncation", func() bool { return a.status(t, "app.log").Truncations == 1 })
	a.write(t, "app.log", "three\n")
	a.wants(t, "one\ntwo\nhalf\nthree\n")
	require.NotEqual(t, a.lines[0].Origin.Source, a.lines[3].Origin.Source)
	require.Equal(t, int64(1), a.status(t, "app.log").Unterminated)
	a.restart(t)
	a.write(t, "app.log", "four\n")
	a.wants(t, "one\ntwo\nhalf\nthree\nfour\n")
}

func TestTruncatedAndRefilledPastTheOldOffset(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "old one\nold two\n")
	a.start(t)
	a.wants(t, "old one\nold two\n")
	a.gate = make(chan struct{})
	a.write(t, "app.log", "lost to the truncation\n") // makes the reader wait
	eventually(t, "waiting", func() bool { return a.status(t, "app.log").Bytes > 20 })
	refill := "new one, longer than everything before\n" + strings.Repeat("more\n", 20)
	require.NoError(t, os.WriteFile(a.path("app.log"), []byte(refill), 0o600))
	close(a.gate)
	a.wants(t, "old one\nold two\nlost to the truncation\n"+refill)
}

func TestTruncatedWhileStopped(t *testing.T) {
	t.Parallel()
	for name, refill := range map[string]string{
		"shorter": "new\n", "longer": strings.Repeat("new and longer\n", 10), "same size": "one\n2\n3\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t, Pattern{Path: "app.log", FromEnd: true})
			a.start(t)
			a.write(t, "app.log", "one\ntwo\n")
			a.wants(t, "one\ntwo\n")
			a.stop(t)
			require.NoError(t, os.WriteFile(a.path("app.log"), []byte(refill), 0o600))
			a.start(t)
			a.wants(t, "one\ntwo\n"+refill)
		})
	}
}

func TestRotatedWhileStopped(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "app.log", FromEnd: true})
	a.start(t)
	a.write(t, "app.log", "one\n")
	a.wants(t, "one\n")
	a.stop(t)
	a.write(t, "app.log", "two, before the rotation\n")
	a.rename(t, "app.log", "app.log.1")
	a.write(t, "app.log", "three\n")
	a.start(t)
	a.wants(t, "one\ntwo, before the rotation\nthree\n")
	a.restart(t)
	a.sync(t)
	a.wants(t, "one\ntwo, before the rotation\nthree\n")
}

func TestRotatedSeveralTimesWhileStopped(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log.9", "from before our time\n")
	time.Sleep(20 * time.Millisecond) // more than a tick
	a.start(t)
	a.write(t, "app.log", "zero\n")
	a.wants(t, "zero\n")
	a.stop(t)
	a.write(t, "app.log", "one\n")
	for i, text := range []string{"two\n", "three\n", "four\n"} {
		time.Sleep(10 * time.Millisecond) // past the resolution of file times
		a.rename(t, "app.log", fmt.Sprintf("app.log.2026100%d", i))
		a.write(t, "app.log", text)
	}
	a.write(t, "app.log.20261009.gz", "compressed\n")
	a.write(t, "app.log.bak", "not a rotation\n")
	a.start(t)
	a.wants(t, "zero\none\ntwo\nthree\nfour\n")
	a.restart(t)
	a.sync(t)
	a.wants(t, "zero\none\ntwo\nthree\nfour\n")
}

func TestRestartReadsFromWhatIsDurable(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.commit = false
	a.write(t, "app.log", "one\ntwo\nthree\n")
	a.start(t)
	a.wants(t, "one\ntwo\nthree\n")
	a.registry.CommitThrough(a.lines[0].Origin)
	require.Equal(t, int64(4), a.status(t, "app.log").Offset)
	require.Equal(t, int64(10), a.status(t, "app.log").Lag)
	a.restart(t)
	a.wants(t, "one\ntwo\nthree\ntwo\nthree\n")
}

func TestReusedInodeIsAnotherFile(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "one\n")
	a.start(t)
	a.wants(t, "one\n")
	a.stop(t)
	// The same inode with other first bytes, as after deletion and creation.
	require.NoError(t, os.WriteFile(a.path("app.log"), []byte("another file\n"), 0o600))
	a.start(t)
	a.wants(t, "one\nanother file\n")
}

func TestRotatedNamesFromTheOldest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base  string
		order []string
	}{
		{"app.log", []string{"app.log.10", "app.log.9", "app.log.2", "app.log.1"}},
		{"app.log", []string{"app.log.20261008", "app.log.20261009"}},
		{"app.log", []string{"app.log-202610", "app.log-202611"}},
		{"app.log", []string{"app-2026-10-09T08-07-06.000.log", "app-2026-10-09T08-07-06.001.log", "app-2026-10-10T00-00-00.000.log"}},
		{"app", []string{"app.2", "app.1", "app.0"}},
	} {
		shuffled := slices.Clone(c.order)
		for range 10 {
			rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			slices.SortFunc(shuffled, func(a, b string) int { return compareRotated(a, b, c.base) })
			require.Equal(t, c.order, shuffled)
		}
	}
}

// A busy rotation renames files between the look at a name and its opening. What is
// found there then is not taken for what was looked for: the files in between would
// come too late, or never.
func TestNamesThatChangeHandsDuringTheLook(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	for i, name := range []string{"app.log.3", "app.log.2", "app.log.1"} {
		a.write(t, name, name+"\n")
		changed := time.Unix(int64(1_000_000+i), 0)
		require.NoError(t, os.Chtimes(a.path(name), changed, changed))
	}
	key := func(name string) registry.Key {
		info, err := os.Stat(a.path(name))
		require.NoError(t, err)
		return keyOf(info)
	}
	a.start(t)
	f := a.files
	f.mu.Lock()
	defer f.mu.Unlock()
	// app.log was opened, and renamed twice before its siblings were listed: the file
	// that has come after it is left to the next look.
	before := holder{key: key("app.log.3"), changed: time.Unix(1_000_000, 0)}
	got := f.openMissed(t.Context(), match{path: a.path("app.log")}, key("app.log.2"), before)
	require.Equal(t, before, got)
	require.Empty(t, f.tails)
	// Another file has the name by now.
	opened, moved := f.open(opening{path: a.path("app.log.1"), key: key("app.log.2"), name: a.path("app.log"), fresh: true, missed: true})
	require.Nil(t, opened)
	require.True(t, moved)
	// Nobody has it.
	opened, moved = f.open(opening{path: a.path("app.log"), key: key("app.log.2"), name: a.path("app.log"), listed: true})
	require.Nil(t, opened)
	require.True(t, moved)
	require.Empty(t, f.tails)
}

// Lines that are not complete are held up to a bound, for all files together, and
// read again beyond it; nothing of them is lost.
func TestWhatIsHeldOfLinesIsBounded(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "*.log"})
	a.cfg.Linger = 100 * time.Millisecond
	const files = 6
	half := strings.Repeat("x", maxRests/4)
	for i := range files {
		a.write(t, fmt.Sprintf("%d.log", i), half)
	}
	a.start(t)
	a.sync(t)
	for range 3 { // it goes on, and is still not complete
		for i := range files {
			a.write(t, fmt.Sprintf("%d.log", i), "more")
		}
		a.sync(t)
		held := a.files.chunks.rests.Load()
		require.Positive(t, held)
		require.LessOrEqual(t, held, int64(maxRests))
	}
	for i := range files {
		if name := fmt.Sprintf("%d.log", i); i%2 == 0 {
			a.write(t, name, "\n")
		} else {
			require.NoError(t, os.Remove(a.path(name)))
		}
	}
	a.wants(t, strings.Repeat(half+"moremoremore\n", files))
	a.stop(t)
	require.Zero(t, a.files.chunks.rests.Load())
}
