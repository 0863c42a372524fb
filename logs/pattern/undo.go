package pattern

import "slices"

// undoStep is one change of the running transaction. Steps are undone last first,
// so that each finds the table as it left it.
type undoStep struct {
	what    undoKind
	pattern *Pattern
	state   state  // changed: before
	key     uint64 // moved: the cluster before; familyChanged: its signature
	at      int    // removed, moved: the index in its cluster before
	family  family // familyChanged: before; no patterns means that there was none
}

type undoKind uint8

const (
	changed undoKind = iota
	inserted
	removed
	moved
	familyChanged
)

// Begin starts a transaction. What an unfinished one did stays.
func (t *Table) Begin() {
	t.Commit()
	t.saved = t.counts
	t.tx++
}

// Commit keeps what the transaction did.
func (t *Table) Commit() {
	for i := range t.undo {
		if t.undo[i].what == removed {
			t.recycle(t.undo[i].pattern)
		}
	}
	t.forgetUndo()
}

// Rollback makes the table what it was at Begin.
func (t *Table) Rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.revert(&t.undo[i])
	}
	t.counts = t.saved
	t.tx--
	t.forgetUndo()
}

func (t *Table) revert(u *undoStep) {
	p := u.pattern
	switch u.what {
	case changed:
		p.built = p.built && p.wild == u.state.wild
		p.state = u.state
	case inserted:
		t.unfile(p)
		t.recycle(p)
	case removed:
		t.refile(p, u.at)
	case moved:
		t.unfile(p)
		p.cluster = u.key
		t.refile(p, u.at)
	case familyChanged:
		if u.family.patterns == 0 {
			delete(t.families, u.key)
			return
		}
		f := u.family
		t.families[u.key] = &f
	}
}

func (t *Table) forgetUndo() {
	clear(t.undo)
	t.undo = t.undo[:0]
}

// refile puts a pattern back where it was in its cluster.
func (t *Table) refile(p *Pattern, at int) {
	t.file(p)
	c := t.clusters[p.cluster]
	c.patterns = slices.Insert(c.patterns[:len(c.patterns)-1], at, p)
}

// recycle keeps the memory of a pattern that is out of the table. Half a table of
// spares is enough: eviction removes no more at once.
func (t *Table) recycle(p *Pattern) {
	if len(t.free) < t.limits.MaxPatterns/2 {
		t.free = append(t.free, p)
	}
}
