package config

import (
	"slices"
	"strings"
)

// nearest returns the candidate that a user most likely meant, or "" when none
// is close: the same but for case and hyphens, or few edits away.
func nearest(name string, candidates []string) string {
	plain := normal(name)
	best, bestDistance := "", maxEdits(plain)+1
	for _, c := range candidates {
		if d := edits(plain, normal(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// normal is a name without what people mix up.
func normal(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), "-", "_")
}

// maxEdits is how many typing errors a name of this length may have and still
// be recognised: a third of it, three at most.
func maxEdits(name string) int { return min(max(len(name)/3, 1), 3) }

// edits counts insertions, deletions, substitutions and swaps of neighbours
// that turn a into b (optimal string alignment).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > 3 || len(y)-len(x) > 3 {
		return 4 // further than maxEdits ever allows
	}
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

// children are the names directly under a section of the file; "" is the top.
func children(prefix string) []string {
	if prefix != "" {
		prefix += "."
	}
	var names []string
	for _, s := range table {
		rest, ok := strings.CutPrefix(s.key, prefix)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// isSection says whether other keys lie under this one.
func isSection(key string) bool { return len(children(key)) > 0 }

// hintForKey says what to do about the unknown key name under prefix.
func hintForKey(prefix, name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	for _, s := range table {
		switch {
		case s.key == join(prefix, name):
			return "write it nested, one level per dot"
		case s.name() == normal(name):
			return "did you mean " + s.key + "?"
		}
	}
	if len(known) <= 10 {
		return "known here: " + strings.Join(known, ", ")
	}
	return ""
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}
