package binary

import (
	"cmp"
	"slices"
	"strings"
)

// nearName is a function name and how far it is from the one asked for.
type nearName struct {
	name string
	cost int
}

// notFound collects the names that look most like name: those a few edits away,
// or, when there are none, those that differ in package or receiver only, or,
// when there are none either, those whose last part is a few edits away.
func (b *Binary) notFound(name string) error {
	if name == "" {
		return &FunctionNotFoundError{}
	}
	lower := strings.ToLower(name)
	last := lastComponents(lower, 1)
	limit, lastLimit := max(2, len(name)/4), min(2, len(last)/3)
	var near, namesakes, similar []nearName
	for i := range b.table.Len() {
		f, ok := b.table.Func(i)
		if !ok {
			continue
		}
		have := string(unescape(f.NameBytes()))
		lowerHave := strings.ToLower(have)
		if cost := unlikeness(lower, lowerHave, limit); cost <= limit {
			near = append(near, nearName{have, cost})
		} else if last == lower {
			continue // its last part is all of it
		} else if cost := editDistance(last, lastComponents(lowerHave, 1), lastLimit); cost == 0 {
			namesakes = append(namesakes, nearName{have, editDistance(lower, lowerHave, len(name))})
		} else if cost <= lastLimit {
			similar = append(similar, nearName{have, editDistance(lower, lowerHave, len(name))})
		}
	}
	if len(near) == 0 {
		near = namesakes
	}
	if len(near) == 0 {
		near = similar
	}
	return &FunctionNotFoundError{Name: name, Near: nearest(near)}
}

// nearest are the first names by cost, each once.
func nearest(near []nearName) (names []string) {
	slices.SortFunc(near, func(a, b nearName) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.name, b.name))
	})
	for _, n := range near {
		if len(names) < maxNear && !slices.Contains(names, n.name) {
			names = append(names, n.name)
		}
	}
	return names
}

// unlikeness is how far have is from what was meant by want, both in lower
// case: 0 when only the case differs, else the edits needed, also when want
// names only the end of have. It is above limit when there is no likeness.
func unlikeness(want, have string, limit int) int {
	cost := editDistance(want, have, limit)
	if tail := lastComponents(have, strings.Count(want, ".")+1); tail != have {
		cost = min(cost, editDistance(want, tail, limit))
	}
	return cost
}

// lastComponents is the end of a name from its n-th last dot on.
func lastComponents(name string, n int) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			if n--; n == 0 {
				return name[i+1:]
			}
		}
	}
	return name
}

// editDistance is the Levenshtein distance of a and b, or any number above
// limit when it is larger than that.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal, best := row[0], i
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = 1 + min(diagonal, row[j], row[j-1])
			}
			diagonal, row[j] = row[j], cost
			best = min(best, cost)
		}
		if best > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
