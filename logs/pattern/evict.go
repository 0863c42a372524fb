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

// heatHalf is how many transactions without use halve the heat of a pattern.
const heatHalf = 8

// heatAt is a pattern's number of lines, older ones counting less.
func (p *Pattern) heatAt(tx uint64) uint64 {
	return p.heat >> min((tx-p.lastUse)/heatHalf, 63)
}

// score is what a pattern brings for the room it takes: lines, times the bytes
// that each saves, by the bytes it weighs.
func (t *Table) score(p *Pattern) uint64 {
	size := p.memory()
	if p.id != 0 {
		size = p.weighs
	}
	const scale = 1 << 10
	return p.heatAt(t.tx) * uint64(max(1, p.saves())) * scale / uint64(max(1, size))
}

// evict removes the patterns with the lowest score, of those the receiver knows or
// of the candidates, until their number and bytes (of state or of memory) are
// within bounds with room to spare. It leaves those of the running transaction
// alone.
func (t *Table) evict(defined bool, maxCount, maxBytes int) {
	t.victims = t.victims[:0]
	for _, c := range t.clusters {
		for _, p := range c.patterns {
			if p.lastUse != t.tx && (p.id != 0) == defined {
				p.rank = t.score(p)
				t.victims = append(t.victims, p)
			}
		}
	}
	slices.SortFunc(t.victims, func(a, b *Pattern) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.lastUse, b.lastUse), cmp.Compare(a.serial, b.serial))
	})
	count, bytes := &t.candidates, &t.memory
	maxMemory := t.limits.MaxMemoryBytes * lowMark / lowMarkOf
	if defined {
		count, bytes = &t.defined, &t.stateBytes
		maxMemory = maxMemory * 3 / 4
	}
	for _, p := range t.victims {
		if *count*lowMarkOf <= maxCount*lowMark && *bytes*lowMarkOf <= maxBytes*lowMark && (!defined || t.definedMemory <= maxMemory) {
			break
		}
		t.remove(p)
	}
	clear(t.victims)
}

// Advance tells the table the time, in any unit, and removes the patterns that
// have not been used for longer than Limits.MaxIdle. evicted are those the receiver
// must forget, sorted, valid until the next call. When the clock is set back, what
// was used before stays the longer.
func (t *Table) Advance(now int64) (evicted []uint64) {
	t.evicted = t.evicted[:0]
	if t.nextSerial == 0 {
		t.oldest = now
	}
	t.now, t.oldest = now, min(t.oldest, now)
	if t.limits.MaxIdle == 0 || t.now-t.oldest <= t.limits.MaxIdle {
		return nil
	}
	t.victims = t.victims[:0]
	t.oldest = t.now
	for _, c := range t.clusters {
		for _, p := range c.patterns {
			if p.lastUse != t.tx && t.now-p.usedAt > t.limits.MaxIdle {
				t.victims = append(t.victims, p)
			} else {
				t.oldest = min(t.oldest, p.usedAt)
			}
		}
	}
	slices.SortFunc(t.victims, func(a, b *Pattern) int { return cmp.Compare(a.serial, b.serial) })
	for _, p := range t.victims {
		t.remove(p)
	}
	clear(t.victims)
	slices.Sort(t.evicted)
	return t.evicted
}

// remove takes a pattern out of the table.
func (t *Table) remove(p *Pattern) {
	if p.id != 0 {
		t.evicted = append(t.evicted, p.id)
		t.defined--
		t.stateBytes -= p.weighs
		t.definedMemory -= p.memory()
	} else {
		t.candidates--
	}
	t.memory -= p.memory()
	p.gone = true
	if t.tree != nil && p.planted == (planted{t.tree, p.version}) {
		t.tree.stale++
	}
	t.undo = append(t.undo, undoStep{what: removed, pattern: p, at: t.unfile(p)})
	// Nothing that is gone may hold on to more that is.
	t.change(p)
	p.next, p.trust = [followers]*Pattern{}, 0
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
