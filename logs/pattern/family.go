package pattern

import "slices"

// firstWords is the number of distinct first words with which lines of one
// signature stay apart; from the next one on the first word may vary (logs
// specification, section 3).
const firstWords = 100

// family is the lines that differ in nothing but their first word, as far as the
// signature tells. It forgets with the last of its patterns.
type family struct {
	patterns int
	words    []uint32 // hashes of distinct first words, nil once lifted
	lifted   bool
	memory   int
}

// The memory of a family with its entry of the map, and of each word: slices grow
// to twice what they hold.
const (
	familyBytes = 96
	wordBytes32 = 8
)

// wordMayVary reports whether a line that no pattern with its first word takes may
// join patterns of other first words. When it is this line that lifts protection,
// the closest pattern of the family is the first to be shared.
func (t *Table) wordMayVary(sig, word uint64, line []byte, toks []Token) bool {
	f := t.families[sig]
	switch {
	case f == nil:
		return false
	case f.lifted:
		return true
	case len(f.words) < firstWords || word == 0 || slices.Contains(f.words, uint32(word)):
		return false
	}
	f = t.changeFamily(sig)
	t.memory -= f.memory - familyBytes
	f.lifted, f.words, f.memory = true, nil, familyBytes
	if p := t.closestOf(sig, line, toks); p != nil {
		t.move(p, sig)
	}
	return true
}

// familyMemory is what a new pattern with a first word adds to its family.
func (t *Table) familyMemory(sig, word uint64) int {
	f := t.families[sig]
	switch {
	case f == nil:
		return familyBytes + wordBytes32
	case f.lifted || word == 0 || len(f.words) >= firstWords || slices.Contains(f.words, uint32(word)):
		return 0
	default:
		return wordBytes32
	}
}

// enter counts a new pattern and its first word.
func (t *Table) enter(sig, word uint64) {
	size := t.familyMemory(sig, word)
	f := t.changeFamily(sig)
	t.memory += size
	f.memory += size
	f.patterns++
	if !f.lifted && word != 0 && len(f.words) < firstWords && !slices.Contains(f.words, uint32(word)) {
		f.words = append(f.words, uint32(word))
	}
}

// leave counts a pattern less.
func (t *Table) leave(sig uint64) {
	if f := t.changeFamily(sig); f.patterns == 1 {
		t.memory -= f.memory
		delete(t.families, sig)
	} else {
		f.patterns--
	}
}

// changeFamily is a family that is about to change.
func (t *Table) changeFamily(sig uint64) *family {
	f := t.families[sig]
	if f == nil {
		f = &family{}
		t.families[sig] = f
	}
	t.undo = append(t.undo, undoStep{what: familyChanged, key: sig, family: *f})
	return f
}

// closestOf is the pattern of a family that has to change least to fit the line;
// of several the oldest.
func (t *Table) closestOf(sig uint64, line []byte, toks []Token) *Pattern {
	var best *Pattern
	least := 0
	for _, c := range t.clusters {
		for _, p := range c.patterns {
			if p.family != sig {
				continue
			}
			d, ok := p.distance(line, toks, true)
			if ok && d <= max(1, p.words/maxVaryingOf) && (best == nil || d < least || d == least && p.serial < best.serial) {
				best, least = p, d
			}
		}
	}
	return best
}

// move files a pattern under another cluster.
func (t *Table) move(p *Pattern, to uint64) {
	t.undo = append(t.undo, undoStep{what: moved, pattern: p, key: p.cluster, at: t.unfile(p)})
	p.cluster = to
	t.file(p)
}
