package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/registry"
)

// tree makes empty files below a new directory; names that end in a slash are
// directories.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, name)
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
	return root
}

// below are paths relative to root, joined.
func below(t *testing.T, root string, paths []string) string {
	t.Helper()
	var out []string
	for _, path := range paths {
		rel, err := filepath.Rel(root, path)
		require.NoError(t, err)
		out = append(out, rel)
	}
	return strings.Join(out, " ")
}

func TestFindAndOwner(t *testing.T) {
	t.Parallel()
	root := tree(t, "a.log", "b.log", "b.log.gz", "c.txt.zst", "dir.log/", "sub/a.log", "sub/deep/a.log")
	require.NoError(t, os.Link(filepath.Join(root, "a.log"), filepath.Join(root, "z.log")))
	require.NoError(t, os.Symlink("missing", filepath.Join(root, "dangling.log")))
	for pattern, want := range map[string]string{
		"*.log":         "a.log b.log", // z.log is a.log
		"b.log*":        "b.log",
		"b.log.gz":      "b.log.gz", // by its full name
		"*.zst":         "",
		"[ab].log":      "a.log b.log",
		"?.log":         "a.log b.log",
		"*/a.log":       "sub/a.log",
		"sub/*/*.log":   "sub/deep/a.log",
		"missing/*.log": "",
		"missing.log":   "",
	} {
		patterns := []Pattern{{Path: filepath.Join(root, pattern)}}
		var paths []string
		for _, m := range find(patterns, func(path, text string) { t.Errorf("%s: %s", path, text) }) {
			require.Equal(t, 0, m.pattern)
			require.NotZero(t, m.key)
			require.False(t, m.changed.IsZero())
			require.Equal(t, 0, owner(patterns, m.path))
			paths = append(paths, m.path)
		}
		require.Equal(t, want, below(t, root, paths), pattern)
	}
	patterns := []Pattern{{Path: "/log/a.log"}, {Path: "/log/*.log"}, {Path: "/log/*"}}
	for path, want := range map[string]int{
		"/log/a.log": 0, "/log/b.log": 1, "/log/b.txt": 2, "/log/b.gz": -1, "/log/sub/b.log": -1, "/other": -1,
	} {
		require.Equal(t, want, owner(patterns, path), path)
	}
}

func TestWatchDirs(t *testing.T) {
	t.Parallel()
	root := tree(t, "pods/a/x/", "pods/b/y/", "pods/b/z/", "other/")
	for pattern, want := range map[string]string{
		"pods/a/x/0.log":     "pods/a/x",
		"pods/a/x/*.log":     "pods/a/x",
		"pods/*/*/*.log":     "pods/a/x pods/b/y pods/b/z pods/a pods/b pods",
		"pods/b/*/0.log":     "pods/b/y pods/b/z pods/b",
		"pods/missing/0.log": "pods/missing",
		"pods/[/x":           "pods",
	} {
		require.Equal(t, want, below(t, root, watchDirs(filepath.Join(root, pattern))), pattern)
	}
}

func TestIsRotated(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"app.log.1":                           true,
		"app.log.12":                          true,
		"app.log-20261009":                    true,
		"app.log.2026-10-09":                  true,
		"app.log.2026-10-09_08:07:06":         true,
		"app-2026-10-09T08-07-06.000.log":     true,
		"app.2026-10-09.log":                  true,
		"app-1.log":                           true,
		"app.log":                             false,
		"app.log1":                            false,
		"app.log.":                            false,
		"app.log.1.gz":                        false,
		"app.log.bak":                         false,
		"app.log.swp":                         false,
		"app-error.log":                       false,
		"app-.log":                            false,
		"other.log.1":                         false,
		"app.log.1~":                          false,
		"app.log.2026-10-09T08:07:06+02:00":   true,
		"app.log.-":                           false,
		"application-2026-10-09T08-07-06.log": false,
	} {
		require.Equal(t, want, isRotated(name, "app.log"), name)
	}
	require.True(t, isRotated("app.1", "app"), "a name without an extension")
	require.False(t, isRotated("app", "app"))
}

func TestMissedAreRotatedAndLater(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	key := func(inode uint64) registry.Key { return registry.Key{Device: 1, Inode: inode} }
	all := []sibling{
		{"/log/app.log.4", key(4), at(1)}, // from before
		{"/log/app.log.2", key(2), at(5)}, // in the same instant
		{"/log/app.txt", key(9), at(6)},   // another file
		{"/log/app.log.1", key(1), at(7)},
	}
	got := missed(slices.Clone(all), "/log/app.log", at(5))
	require.Equal(t, []sibling{all[1], all[3]}, got)
}

func TestSiblingsAreInTheOrderOfTheirLastChange(t *testing.T) {
	t.Parallel()
	root := tree(t, "app.log", "app.log.1", "app.log.2", "app.log.3", "app.log.4", "dir/")
	base := time.Unix(1_000_000, 0)
	for name, seconds := range map[string]int{"app.log.1": 9, "app.log.2": 5, "app.log.3": 5, "app.log.4": 1} {
		changed := base.Add(time.Duration(seconds) * time.Second)
		require.NoError(t, os.Chtimes(filepath.Join(root, name), changed, changed))
	}
	var paths []string
	for _, s := range siblings(filepath.Join(root, "app.log")) {
		paths = append(paths, s.path)
	}
	require.Equal(t, "app.log.4 app.log.3 app.log.2 app.log.1", below(t, root, paths))
	require.Empty(t, siblings(filepath.Join(root, "missing", "app.log")))
}

func TestLastLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"": 0, "\n": 1, "half": 0, "one\n": 4, "one\nhalf": 4, "one\ntwo\nhalf": 8} {
		got, err := lastLine(strings.NewReader(text), int64(len(text)), 1<<20)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat("x", rapid.IntRange(0, 40_000).Draw(t, "before")) + "\n" +
			strings.Repeat("y", rapid.IntRange(0, 40_000).Draw(t, "after"))
		got, err := lastLine(strings.NewReader(text), int64(len(text)), 1<<20)
		require.NoError(t, err)
		require.Equal(t, int64(strings.IndexByte(text, '\n')+1), got)
	})
	long := strings.Repeat("x", 100_000)
	got, err := lastLine(strings.NewReader(long), int64(len(long)), 50_000)
	require.NoError(t, err)
	require.Equal(t, int64(len(long)), got, "no line starts within the limit")
}
