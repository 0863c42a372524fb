package pattern

import "slices"

// undoStep is one change of the running transaction. Steps are undone last first,
// so that each finds the table as it left it.
type undoStep struct {
	what    undoKind
	pattern *Pattern
	state   state      // changed: before
	key     uint64     // moved: the cluster before; familyChanged: its signature
	at      int        // removed, moved: the index in its cluster before; seen: of the sketch
	family  family     // familyChanged: before; no patterns means that there was none
	slot    SketchSlot // seen: before
}

type undoKind uint8

const (
	changed undoKind = iota
	inserted
	removed
	moved
	familyChanged
	seen
)

// Begin starts a transaction. What an unfinished one did stays.
func (t *Table) Begin() {
	t.Commit()
	t.saved = t.counts
	t.tx++
	t.last = nil
}

// Commit keeps what the transaction did.
func (t *Table) Commit() {
	clear(t.undo)
	t.undo = t.undo[:0]
}

// Rollback makes the table what it was at Begin.
func (t *Table) Rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.revert(&t.undo[i])
	}
	t.counts = t.saved
	t.tx--
	t.Commit()
}

func (t *Table) revert(u *undoStep) {
	p := u.pattern
	switch u.what {
	case changed:
		if p.wild != u.state.wild {
			p.built = false
			p.version++
		}
		p.state = u.state
	case inserted:
		t.unfile(p)
		p.gone = true
	case removed:
		p.gone = false
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
	case seen:
		t.sketch.Restore(uint32(u.at), u.slot)
	}
}

// refile puts a pattern back where it was in its cluster.
func (t *Table) refile(p *Pattern, at int) {
	t.file(p)
	c := t.clusters[p.cluster]
	c.patterns = slices.Insert(c.patterns[:len(c.patterns)-1], at, p)
}
