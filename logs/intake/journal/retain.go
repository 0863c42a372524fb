package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func segmentName(path string, n int) string { return fmt.Sprintf("%s.%06d", path, n) }

// segmentNumber is the number of a file that was put aside, 0 when it is not one.
func segmentNumber(path, name string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(name, path+"."))
	if err != nil || n <= 0 || name != segmentName(path, n) {
		return 0
	}
	return n
}

// segments are the files of a journal that were put aside, in order.
func segments(path string) []string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // the file itself will tell
	}
	var out []string
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(path), e.Name())
		if segmentNumber(filepath.Clean(path), name) > 0 {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Compare(segmentNumber(filepath.Clean(path), a), segmentNumber(filepath.Clean(path), b))
	})
	return out
}

// retain removes the oldest files so that all of them, one of the full size in use
// included, take most bytes, and returns what went. The newest one that was put aside
// stays: the numbers go on from it.
func retain(path string, segment, most int64) (removed []string, err error) {
	if most <= 0 {
		return nil, nil
	}
	total := segment
	names := segments(path)
	for i, name := range slices.Backward(names) {
		info, err := os.Stat(name)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return nil, err
		}
		if total += info.Size(); total <= most || i == len(names)-1 {
			continue
		}
		for _, old := range names[:i+1] {
			if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return removed, err
			}
			removed = append(removed, old)
		}
		break
	}
	return removed, nil
}
