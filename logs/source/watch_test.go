package source

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"
)

func TestWatcherFollowsTheWantedDirectories(t *testing.T) {
	t.Parallel()
	root := tree(t, "a/", "b/")
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	w := newWatcher(slog.New(slog.DiscardHandler), false)
	t.Cleanup(func() { require.NoError(t, w.close()) })

	require.True(t, w.watch(map[string]bool{a: true, b: true}))
	require.NoError(t, os.WriteFile(filepath.Join(b, "x"), nil, 0o600))
	require.Equal(t, filepath.Join(b, "x"), created(t, w))

	require.True(t, w.watch(map[string]bool{a: true}))
	require.ElementsMatch(t, []string{a, b}, w.fs.WatchList(), "what is watched stays watched until it is given up")
	w.keep(map[string]bool{a: true})
	require.NoError(t, os.WriteFile(filepath.Join(b, "y"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(a, "z"), nil, 0o600))
	require.Equal(t, filepath.Join(a, "z"), created(t, w), "b is not watched any more")

	// A directory that is made again is watched again.
	require.NoError(t, os.RemoveAll(a))
	require.Eventually(t, func() bool {
		select { // the removal is noticed when its event is taken
		case <-w.events():
		default:
		}
		return !w.watch(map[string]bool{a: true})
	}, patience, time.Millisecond)
	require.NoError(t, os.Mkdir(a, 0o700))
	require.Eventually(t, func() bool { return w.watch(map[string]bool{a: true}) }, patience, time.Millisecond)
	require.NoError(t, os.WriteFile(filepath.Join(a, "again"), nil, 0o600))
	require.Equal(t, filepath.Join(a, "again"), created(t, w))
}

// created waits for the next file that was created.
func created(t *testing.T, w *watcher) string {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case e := <-w.events():
			if e.Has(fsnotify.Create) {
				return e.Name
			}
		case err := <-w.errors():
			require.NoError(t, err)
		case <-timeout:
			require.Fail(t, "nothing was reported")
		}
	}
}

func TestWatcherThatOnlyPolls(t *testing.T) {
	t.Parallel()
	w := newWatcher(slog.New(slog.DiscardHandler), true)
	require.False(t, w.watch(map[string]bool{t.TempDir(): true}))
	w.keep(nil)
	require.Nil(t, w.events())
	require.Nil(t, w.errors())
	require.NoError(t, w.close())
}

// TestNotificationsAreEnough: whatever way leads to a file, its lines and its
// rotation are seen without polling.
func TestNotificationsAreEnough(t *testing.T) {
	t.Parallel()
	for name, lay := range map[string]func(t *testing.T, a *agent) (log string){
		"name": func(_ *testing.T, a *agent) string { return a.path("app.log") },
		"link to a file": func(t *testing.T, a *agent) string {
			t.Helper()
			target := filepath.Join(t.TempDir(), "target.log")
			require.NoError(t, os.WriteFile(target, nil, 0o600))
			require.NoError(t, os.Symlink(target, a.path("app.log")))
			return target
		},
		"link to a directory": func(t *testing.T, a *agent) string {
			t.Helper()
			dir := t.TempDir()
			require.NoError(t, os.RemoveAll(a.logs))
			require.NoError(t, os.Symlink(dir, a.logs))
			return filepath.Join(dir, "app.log")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgent(t)
			a.cfg.Poll, a.cfg.Scan = time.Hour, time.Hour
			log := lay(t, a)
			a.start(t)
			want := ""
			for i := range 5 {
				a.write(t, "app.log", "line\n")
				want += "line\n"
				a.wants(t, want)
				time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			}
			require.NoError(t, os.Rename(log, log+".1"))
			require.NoError(t, os.WriteFile(log, []byte("next\n"), 0o600))
			a.wants(t, want+"next\n")
		})
	}
}

// TestLooksAreRareWhereNamesKeepChanging: a directory that is never quiet costs
// a small part of the time, however many files are in it.
func TestLooksAreRareWhereNamesKeepChanging(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "*.log"})
	for i := range 500 {
		a.write(t, fmt.Sprintf("%d.log", i), "")
	}
	a.cfg.Poll, a.cfg.Scan = time.Second, time.Hour
	a.start(t)
	began, looks := time.Now(), 0
	var last time.Time
	for time.Since(began) < time.Second {
		a.write(t, "other", "")
		require.NoError(t, os.Remove(a.path("other")))
		if looked, _ := a.registry.Follow(a.cfg.Patterns[0].Path); !looked.Equal(last) {
			last = looked
			looks++
		}
	}
	require.Less(t, looks, 50, "100 pauses fit into a second")
	a.write(t, "new.log", "found all the same\n")
	a.wants(t, "found all the same\n")
}
