package simulate

import "fmt"

// didYouMean is "; did you mean NAME?" for the name that is at most two edits
// away from word, and empty when there is none. Of equally near names the first
// wins.
func didYouMean(word string, names []string) string {
	const near = 2
	best, found := near+1, ""
	for _, name := range names {
		if d := distance(word, name); d < best && d < len(name) {
			best, found = d, name
		}
	}
	if found == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", found)
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	if len(a) > 64 { // no name is near to that, and a fuzzed line may be long
		return len(a)
	}
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
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
