package probe

import (
	"slices"
	"strconv"
	"strings"
)

// didYouMean is the end of a message about an unknown name: the closest known
// one, or nothing when none is close. Of two that are as close, the one that
// begins more like it is meant.
func didYouMean(name string, known []string) string {
	slices.Sort(known)
	lower := strings.ToLower(name)
	best, bestDistance, bestPrefix := "", 1+min(3, max(1, len(name)/2)), 0
	for _, k := range known {
		d, prefix := editDistance(lower, strings.ToLower(k)), commonPrefix(lower, strings.ToLower(k))
		if d < bestDistance || d == bestDistance && best != "" && prefix > bestPrefix {
			best, bestDistance, bestPrefix = k, d, prefix
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(best) + "?"
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// editDistance is the Levenshtein distance of two short strings.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
