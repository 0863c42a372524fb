package pattern

import (
	"cmp"
	"slices"
)

// Eviction goes below its bound by this share, so that it is rare (logs
// specification, section 3: from 95 % to 85 %).
const (
	lowMark   = 85
	lowMarkOf = 100
)

// evict removes the patterns used longest ago, of those the receiver knows or of
// the candidates, until their number and bytes are within bounds with room to
// spare. It leaves those of the running transaction alone.
func (t *Table) evict(defined bool, maxCount, maxBytes int) {
	t.victims = t.victims[:0]
	for _, c := range t.clusters {
		for _, p := range c.patterns {
			if p.lastUse != t.tx && (p.id != 0) == defined {
				t.victims = append(t.victims, p)
			}
		}
	}
	slices.SortFunc(t.victims, func(a, b *Pattern) int {
		return cmp.Or(cmp.Compare(a.lastUse, b.lastUse), cmp.Compare(a.seen, b.seen), cmp.Compare(a.serial, b.serial))
	})
	count, bytes := &t.candidates, &t.candidateBytes
	if defined {
		count, bytes = &t.defined, &t.stateBytes
	}
	for _, p := range t.victims {
		if *count*lowMarkOf <= maxCount*lowMark && *bytes*lowMarkOf <= maxBytes*lowMark {
			break
		}
		t.remove(p)
	}
	clear(t.victims)
}

// remove takes a pattern out of the table.
func (t *Table) remove(p *Pattern) {
	if p.id != 0 {
		t.evicted = append(t.evicted, p.id)
		t.defined--
		t.stateBytes -= p.weighs
	} else {
		t.candidates--
		t.candidateBytes -= len(p.line)
	}
	t.undo = append(t.undo, undoStep{what: removed, pattern: p, at: t.unfile(p)})
	t.leave(p.family)
}

// unfile takes a pattern out of its cluster and returns where it was.
func (t *Table) unfile(p *Pattern) int {
	c := t.clusters[p.cluster]
	at := slices.Index(c.patterns, p)
	c.patterns = slices.Delete(c.patterns, at, at+1)
	if len(c.patterns) == 0 {
		delete(t.clusters, p.cluster)
	}
	return at
}
