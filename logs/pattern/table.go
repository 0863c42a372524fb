package pattern

// Limits bounds a table. Patterns the receiver does not know (candidates) have the
// same bounds once more.
type Limits struct {
	// MaxPatterns is the number of patterns.
	MaxPatterns int
	// MaxStateBytes bounds StateBytes, and the lines that candidates are made of.
	MaxStateBytes int
	// MaxLineBytes is the longest line that is given a pattern.
	MaxLineBytes int
	// EntryBytes is what a pattern weighs besides its template and positions.
	EntryBytes int
}

// Table learns patterns in transactions, one for each batch:
//
//	Begin, Learn for every line, Define for every pattern used, Commit or Rollback
//
// A pattern that was learnt or used in the running transaction is never evicted by
// it. Rollback restores everything, ids included. A table is not safe for
// concurrent use.
type Table struct {
	limits   Limits
	clusters map[uint64]*cluster
	families map[uint64]*family
	counts
	tx      uint64
	saved   counts
	undo    []undoStep
	evicted []uint64
	victims []*Pattern
	free    []*Pattern
}

// counts is the plain part of the table's state.
type counts struct {
	nextID, nextSerial uint64
	defined            int // patterns the receiver knows
	stateBytes         int
	candidates         int // patterns it does not know
	candidateBytes     int // their lines
}

// NewTable is an empty table.
func NewTable(l Limits) *Table {
	return &Table{limits: l, clusters: map[uint64]*cluster{}, families: map[uint64]*family{}, counts: counts{nextID: 1}}
}

// Patterns is the number of patterns the receiver knows.
func (t *Table) Patterns() int { return t.defined }

// Candidates is the number of patterns the receiver does not know.
func (t *Table) Candidates() int { return t.candidates }

// StateBytes is the exact size of what the receiver knows: for each pattern the
// bytes of its template, 4 for each position, and Limits.EntryBytes.
func (t *Table) StateBytes() int { return t.stateBytes }

// Learn files a line under a pattern that fits it, which may widen a pattern or
// make one. It is nil for a line that is given no pattern: empty, too long, or no
// room. Neither line nor toks is kept.
func (t *Table) Learn(line []byte, toks []Token) *Pattern {
	if len(line) == 0 || len(line) > t.limits.MaxLineBytes || len(toks) > MaxTokens {
		return nil
	}
	sig, first, words := signature(line, toks)
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
	return t.insert(line, toks, word, Pattern{first: first, words: words, family: sig, state: state{cluster: own}})
}

// join is the pattern of a cluster that takes the line, widened if it must be.
func (t *Table) join(c *cluster, line []byte, toks []Token, firstMayVary bool) *Pattern {
	if p := c.fitting(line, toks); p != nil {
		t.use(p)
		return p
	}
	p := c.closest(line, toks, firstMayVary)
	if p != nil {
		t.use(p)
		p.widen(line, toks)
	}
	return p
}

// use marks a pattern as used by the running transaction.
func (t *Table) use(p *Pattern) {
	if p.lastUse != t.tx {
		t.undo = append(t.undo, undoStep{what: changed, pattern: p, state: p.state})
		p.lastUse = t.tx
	}
	if p.seen != ^uint32(0) {
		p.seen++
	}
}

// insert makes a candidate of a line that no pattern takes. like holds where it
// is filed.
func (t *Table) insert(line []byte, toks []Token, word uint64, like Pattern) *Pattern {
	if t.candidates+1 > t.limits.MaxPatterns || t.candidateBytes+len(line) > t.limits.MaxStateBytes {
		t.evict(false, t.limits.MaxPatterns-1, t.limits.MaxStateBytes-len(line))
		if t.candidates+1 > t.limits.MaxPatterns || t.candidateBytes+len(line) > t.limits.MaxStateBytes {
			return nil
		}
	}
	p := t.recycled()
	like.line, like.toks = append(p.line[:0], line...), append(p.toks[:0], toks...)
	like.template, like.pos, like.slots = p.template, p.pos, p.slots
	like.serial, like.lastUse, like.seen = t.nextSerial, t.tx, 1
	*p = like
	t.nextSerial++
	t.candidates++
	t.candidateBytes += len(line)
	t.enter(p.family, word)
	t.undo = append(t.undo, undoStep{what: inserted, pattern: p})
	t.file(p)
	return p
}

// recycled is memory for a pattern.
func (t *Table) recycled() *Pattern {
	n := len(t.free)
	if n == 0 {
		return &Pattern{}
	}
	p := t.free[n-1]
	t.free = t.free[:n-1]
	return p
}

// file adds a pattern to its cluster.
func (t *Table) file(p *Pattern) {
	c := t.clusters[p.cluster]
	if c == nil {
		c = &cluster{}
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
	more := 0
	if p.id == 0 {
		more = 1
	}
	grows := weighs - p.weighs
	if t.defined+more > t.limits.MaxPatterns || t.stateBytes+grows > t.limits.MaxStateBytes {
		t.evict(true, t.limits.MaxPatterns-more, t.limits.MaxStateBytes-grows)
		if t.defined+more > t.limits.MaxPatterns || t.stateBytes+grows > t.limits.MaxStateBytes {
			return t.evicted, false
		}
	}
	if p.id == 0 {
		p.id = t.nextID
		t.nextID++
		t.defined++
		t.candidates--
		t.candidateBytes -= len(p.line)
	}
	t.stateBytes += grows
	p.weighs, p.stale = weighs, false
	return t.evicted, true
}
