package pattern

import "slices"

// Limits bounds a table. The zero value of a field marked optional means what its
// text says.
type Limits struct {
	// MaxPatterns is the number of patterns the receiver knows; those it does not
	// know (candidates) have the same bound once more.
	MaxPatterns int
	// MaxStateBytes bounds StateBytes.
	MaxStateBytes int
	// MaxMemoryBytes bounds MemoryBytes, candidates included; patterns the receiver
	// knows may take three quarters of it. Optional: eight times MaxStateBytes, at least 1 MiB.
	MaxMemoryBytes int
	// MaxLineBytes is the longest line that is given a pattern.
	MaxLineBytes int
	// EntryBytes is what a pattern weighs besides its template and positions.
	EntryBytes int
	// MaxIdle is how long a pattern may go unused before Advance removes it, in the
	// unit of Advance. Optional: forever.
	MaxIdle int64
}

// Table learns patterns in transactions, one for each batch:
//
//	Begin, Advance, File (or Match, else Tokenize and Learn) for every line, Define for every pattern used that Pays, Commit or Rollback
//
// A pattern that was learnt or used in the running transaction is never evicted by
// it. Rollback restores everything, ids included. A table is not safe for
// concurrent use.
type Table struct {
	limits   Limits
	clusters map[uint64]*cluster
	families map[uint64]*family
	sketch   Sketch // of the clusters that candidates were made for
	counts
	tx      uint64
	saved   counts
	undo    []undoStep
	evicted []uint64
	victims []*Pattern
	last    *Pattern // of the line before in this transaction
	tree    *tree    // nil before Match
}

// counts is the plain part of the table's state.
type counts struct {
	nextID, nextSerial uint64
	defined            int // patterns the receiver knows
	stateBytes         int
	definedMemory      int
	candidates         int   // patterns it does not know
	memory             int   // of all patterns and families
	now, oldest        int64 // time, and no pattern was last used before
}

// NewTable is an empty table.
func NewTable(l Limits) *Table {
	if l.MaxMemoryBytes == 0 {
		l.MaxMemoryBytes = max(8*l.MaxStateBytes, 1<<20)
	}
	return &Table{limits: l, clusters: map[uint64]*cluster{}, families: map[uint64]*family{}, counts: counts{nextID: 1}}
}

// Patterns is the number of patterns the receiver knows.
func (t *Table) Patterns() int { return t.defined }

// Candidates is the number of patterns the receiver does not know.
func (t *Table) Candidates() int { return t.candidates }

// StateBytes is the exact size of what the receiver knows: for each pattern the
// bytes of its template, 4 for each position, and Limits.EntryBytes.
func (t *Table) StateBytes() int { return t.stateBytes }

// MemoryBytes is what the patterns, candidates included, and their index take in
// this process. The sketch takes another 32 KiB, and what Match rests on up to 1 MiB.
func (t *Table) MemoryBytes() int { return t.memory }

// Learn files a line under a pattern that fits it, which may widen a pattern or
// make one. It is nil for a line that is given no pattern: empty, too long, or no
// room. Neither line nor toks is kept.
func (t *Table) Learn(line []byte, toks []Token) *Pattern {
	if len(line) == 0 || len(line) > t.limits.MaxLineBytes || len(toks) > MaxTokens {
		return nil
	}
	sig, first := signature(toks)
	word := uint64(0)
	if first >= 0 {
		word = Hash(Span(line, toks, first, first+1))
	}
	own := mix(sig, word)
	if p := t.join(t.clusters[own], line, toks, false); p != nil {
		return p
	}
	if t.wordMayVary(sig, word, line, toks) {
		own = sig
		if p := t.join(t.clusters[own], line, toks, true); p != nil {
			return p
		}
	}
	return t.insert(line, toks, word, Pattern{first: first, family: sig, state: state{cluster: own}})
}

// join is the pattern of a cluster that takes the line, widened if it must be.
func (t *Table) join(c *cluster, line []byte, toks []Token, firstMayVary bool) *Pattern {
	if c == nil {
		return nil
	}
	p := c.fitting(line, toks)
	if p != nil {
		t.use(p, line)
		t.plant(p)
		return p
	}
	if p = c.closest(line, toks, firstMayVary); p != nil {
		t.use(p, line)
		p.widen(line, toks)
	}
	return p
}

// use marks a pattern as used by the running transaction.
func (t *Table) use(p *Pattern, line []byte) {
	if p.lastUse != t.tx {
		t.change(p)
		p.heat = p.heatAt(t.tx)
		p.lastUse, p.usedAt = t.tx, t.now
	}
	p.heat++
	p.lines++
	p.bytes += uint64(len(line))
}

// change notes what a pattern is before it changes.
func (t *Table) change(p *Pattern) {
	t.undo = append(t.undo, undoStep{what: changed, pattern: p, state: p.state})
}

// insert makes a candidate of a line that no pattern takes. like holds where it
// is filed.
func (t *Table) insert(line []byte, toks []Token, word uint64, like Pattern) *Pattern {
	score, at, before := t.sketch.See(like.cluster, t.tx)
	t.undo = append(t.undo, undoStep{what: seen, at: int(at), slot: before})
	size := memoryOf(len(line), len(toks))
	if more := size + t.familyMemory(like.family, word); !t.fits(more) {
		t.evict(false, t.limits.MaxPatterns-1, t.limits.MaxMemoryBytes-more)
		if !t.fits(size + t.familyMemory(like.family, word)) {
			return nil
		}
	}
	p := &like
	text := append(make([]byte, 0, 2*len(line)), line...)
	p.line, p.template, p.toks = text[:len(line):len(line)], text[len(line):], append([]Token(nil), toks...)
	for _, tok := range toks {
		if classOf[tok.Kind&(kinds-1)] == classWord {
			p.words++
		}
	}
	p.serial, p.lastUse, p.usedAt = t.nextSerial, t.tx, t.now
	p.heat, p.lines, p.bytes = 1, 1, uint64(len(line))
	if score > scoreBatch+scoreAgain {
		// The shape was here before, and its candidate was evicted since.
		p.returned = 1
	}
	t.nextSerial++
	t.candidates++
	t.memory += size
	t.enter(p.family, word)
	t.undo = append(t.undo, undoStep{what: inserted, pattern: p})
	t.file(p)
	return p
}

// fits reports whether one more candidate of a size has room.
func (t *Table) fits(size int) bool {
	return t.candidates < t.limits.MaxPatterns && t.memory+size <= t.limits.MaxMemoryBytes
}

// file adds a pattern to its cluster.
func (t *Table) file(p *Pattern) {
	c := t.clusters[p.cluster]
	if c == nil {
		c = &cluster{}
		c.patterns = c.first[:0]
		t.clusters[p.cluster] = c
	}
	c.patterns = append(c.patterns, p)
}

// Define makes the receiver know the pattern as it is now, under its id; the
// pattern must have been learnt in this transaction. evicted are the patterns the
// receiver must forget first, valid until the next call. It is not ok when there
// is no room: lines of this pattern cannot refer to it.
func (t *Table) Define(p *Pattern) (evicted []uint64, ok bool) {
	t.evicted = t.evicted[:0]
	if p.Defined() {
		return nil, true
	}
	p.build()
	weighs := len(p.template) + 4*len(p.pos) + t.limits.EntryBytes
	more, size := 0, 0
	if p.id == 0 {
		more, size = 1, p.memory()
	}
	grows := weighs - p.weighs
	room := func() bool {
		return t.defined+more <= t.limits.MaxPatterns && t.stateBytes+grows <= t.limits.MaxStateBytes &&
			(t.definedMemory+size)*4 <= t.limits.MaxMemoryBytes*3
	}
	if !room() {
		t.evict(true, t.limits.MaxPatterns-more, t.limits.MaxStateBytes-grows)
		if !room() {
			return t.evicted, false
		}
	}
	if p.id == 0 {
		p.id = t.nextID
		t.nextID++
		t.defined++
		t.candidates--
		t.definedMemory += size
	}
	t.stateBytes += grows
	p.weighs, p.stale = weighs, false
	t.plant(p)
	return t.evicted, true
}

// Drop removes a pattern, in this transaction or not yet used in it. It returns
// the id the receiver must forget, 0 when it does not know the pattern or when the
// table does not hold it. Lines that Learn gave it can no longer refer to it.
func (t *Table) Drop(p *Pattern) (id uint64) {
	if c := t.clusters[p.cluster]; c == nil || !slices.Contains(c.patterns, p) {
		return 0
	}
	id = p.id
	t.evicted = t.evicted[:0]
	t.remove(p)
	p.id, p.dropped = 0, true
	return id
}
