package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/logs/registry"
)

// compressed are suffixes of rotated logs that are not lines any more.
var compressed = []string{".gz", ".zst", ".xz", ".bz2", ".lz4", ".lzma", ".Z", ".zip"}

func isCompressed(name string) bool {
	return slices.Contains(compressed, filepath.Ext(name))
}

// isPattern says whether a configured path can match more than its own name.
func isPattern(path string) bool { return strings.ContainsAny(path, `*?[\`) }

// match is a file that a configured path leads to now.
type match struct {
	path    string
	pattern int // index in Config.Patterns
	key     registry.Key
	changed time.Time
}

// find lists the files the patterns lead to, each file once, in the order of
// the patterns and then by name. fault is told of full names that exist and do
// not lead to a file.
func find(patterns []Pattern, fault func(path, text string)) []match {
	var out []match
	seen := make(map[registry.Key]bool)
	for i, p := range patterns {
		for _, path := range expand(p.Path) {
			info, err := os.Stat(path)
			if err == nil && !info.Mode().IsRegular() {
				err = errNotRegular
			}
			if err != nil {
				if path == p.Path && !errors.Is(err, fs.ErrNotExist) {
					fault(path, err.Error())
				}
				continue
			}
			if key := keyOf(info); !seen[key] {
				seen[key] = true
				out = append(out, match{path: path, pattern: i, key: key, changed: info.ModTime()})
			}
		}
	}
	return out
}

// expand lists the names a configured path stands for, sorted.
func expand(pattern string) []string {
	if !isPattern(pattern) {
		return []string{pattern}
	}
	paths, err := filepath.Glob(pattern)
	if err != nil { // checked when configured
		return nil
	}
	return slices.DeleteFunc(paths, isCompressed)
}

// owner is the first pattern that stands for path, -1 if none does.
func owner(patterns []Pattern, path string) int {
	for i, p := range patterns {
		if p.Path == path {
			return i
		}
		if ok, err := filepath.Match(p.Path, path); err == nil && ok && !isCompressed(path) {
			return i
		}
	}
	return -1
}

// watchDirs lists the directories in which a file or directory that matters to
// pattern can appear: those above its first wildcard's, and all that match.
func watchDirs(pattern string) []string {
	var out []string
	dir := filepath.Dir(pattern)
	for isPattern(dir) {
		paths, err := filepath.Glob(dir)
		if err != nil {
			paths = nil
		}
		out = append(out, paths...)
		dir = filepath.Dir(dir)
	}
	return append(out, dir)
}
