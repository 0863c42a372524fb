package source

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/logs/registry"
)

// sibling is a file beside a log file.
type sibling struct {
	path    string
	key     registry.Key
	changed time.Time
}

// stableTries bounds how often a directory is listed again because it changed.
const stableTries = 20

// siblings lists the regular files in the directory of path, except path, from
// the one changed longest ago. A file that is renamed while a directory is
// listed can be missing from the list, so it is listed until nothing has moved.
func siblings(path string) []sibling {
	last := listSiblings(path)
	for range stableTries {
		next := listSiblings(path)
		if slices.EqualFunc(last, next, func(a, b sibling) bool { return a.path == b.path && a.key == b.key }) {
			break
		}
		last = next
	}
	base := filepath.Base(path)
	slices.SortStableFunc(last, func(a, b sibling) int {
		// A file system's clock is coarser than a busy rotation.
		return cmp.Or(a.changed.Compare(b.changed), compareRotated(filepath.Base(a.path), filepath.Base(b.path), base))
	})
	return last
}

func listSiblings(path string) []sibling {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var out []sibling
	for _, e := range entries {
		other := filepath.Join(filepath.Dir(path), e.Name())
		if other == path || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil {
			out = append(out, sibling{path: other, key: keyOf(info), changed: info.ModTime()})
		}
	}
	return out
}

// missed picks the files that may have stood at path after the one last changed at
// since: rotated names, changed since then. all is in the order of siblings, and so
// is the answer.
func missed(all []sibling, path string, since time.Time) []sibling {
	return slices.DeleteFunc(all, func(s sibling) bool {
		return s.changed.Before(since) || !isRotated(filepath.Base(s.path), filepath.Base(path))
	})
}

// isRotated says whether name is what a rotation makes of base: a number or a
// date, after the name (logrotate: app.log.1, app.log-20261009) or before its
// extension (lumberjack: app-2026-10-09T08-07-06.000.log).
func isRotated(name, base string) bool { return rotationMark(name, base) != "" }

// rotationMark is what a rotation added to base to make name, with its
// separator: ".1", "-20261009"; empty when name is something else.
func rotationMark(name, base string) string {
	if mark, ok := strings.CutPrefix(name, base); ok && isMark(mark) {
		return mark
	}
	ext := filepath.Ext(base)
	if ext == "" {
		return ""
	}
	mark, ok := strings.CutPrefix(name, strings.TrimSuffix(base, ext))
	if !ok {
		return ""
	}
	if mark, ok = strings.CutSuffix(mark, ext); ok && isMark(mark) {
		return mark
	}
	return ""
}

// compareRotated orders names that base was rotated to, the oldest first: a
// number counts up with age (app.log.2 is older than app.log.1), a date does
// not.
func compareRotated(a, b, base string) int {
	a, b = rotationMark(a, base), rotationMark(b, base)
	if isNumber(a) && isNumber(b) {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(b, a))
	}
	return strings.Compare(a, b)
}

// isNumber says whether a mark is a rotation's number and no date, which has
// six digits at least.
func isNumber(mark string) bool {
	return len(mark) > 1 && len(mark) < 6 && strings.Trim(mark[1:], "0123456789") == ""
}

// isMark says whether text is a separator, then a number, date or time.
func isMark(text string) bool {
	if len(text) < 2 || !strings.Contains(".-_", text[:1]) || text[1] < '0' || text[1] > '9' {
		return false
	}
	return strings.Trim(text[1:], "0123456789.-_:TZ+") == ""
}
