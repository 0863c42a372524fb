package rows

import (
	"cmp"
	"slices"

	"github.com/vigil-agent/vigil/logs/pattern"
)

// dict is the strings the receiver knows. Like the pattern table it changes in
// transactions, and an entry used in the running one is never evicted by it.
type dict struct {
	maxEntries, maxBytes int
	entries              map[string]*dictEntry
	dictCounts
	tx      uint64
	saved   dictCounts
	undo    []dictUndo
	seen    sketch
	evicted []uint64
	victims []*dictEntry
}

type dictCounts struct {
	nextID uint64
	bytes  int
}

type dictEntry struct {
	id      uint64
	value   string
	lastUse uint64 // transaction
}

// dictUndo is one change of the running transaction.
type dictUndo struct {
	what    dictUndoKind
	entry   *dictEntry
	lastUse uint64     // used: before
	at      uint32     // seen: which slot
	slot    sketchSlot // seen: before
}

type dictUndoKind uint8

const (
	dictUsed dictUndoKind = iota
	dictAdded
	dictRemoved
	dictSeen
)

// Strings shorter than this cost no more where they stand than as a reference.
// Longer ones than the other bound hardly repeat (logs specification, section 3).
const (
	minDictValue = 4
	maxDictValue = 128
)

func newDict(maxEntries, maxBytes int) *dict {
	return &dict{maxEntries: maxEntries, maxBytes: maxBytes, entries: map[string]*dictEntry{}, dictCounts: dictCounts{nextID: 1}}
}

func (d *dict) begin() {
	d.forgetUndo()
	d.saved = d.dictCounts
	d.tx++
}

func (d *dict) forgetUndo() {
	clear(d.undo)
	d.undo = d.undo[:0]
}

// rollback makes the dictionary what it was at begin.
func (d *dict) rollback() {
	for _, u := range slices.Backward(d.undo) {
		switch u.what {
		case dictUsed:
			u.entry.lastUse = u.lastUse
		case dictAdded:
			delete(d.entries, u.entry.value)
		case dictRemoved:
			d.entries[u.entry.value] = u.entry
		case dictSeen:
			d.seen.slots[u.at] = u.slot
		}
	}
	d.dictCounts = d.saved
	d.tx--
	d.forgetUndo()
}

// lookup is the id of a string the receiver knows.
func (d *dict) lookup(value []byte) (id uint64, ok bool) {
	e := d.entries[string(value)]
	if e == nil {
		return 0, false
	}
	if e.lastUse != d.tx {
		d.undo = append(d.undo, dictUndo{what: dictUsed, entry: e, lastUse: e.lastUse})
		e.lastUse = d.tx
	}
	return e.id, true
}

// returns counts a sighting of a string the receiver does not know, and reports
// whether it returns often enough to be told.
func (d *dict) returns(value []byte) bool {
	score, at, before := d.seen.see(pattern.Hash(value), d.tx)
	d.undo = append(d.undo, dictUndo{what: dictSeen, at: at, slot: before})
	return score >= scoreAdmit
}

// add gives a new string an id. evicted are the ids the receiver must forget
// first, valid until the next call. It is not ok when there is no room.
func (d *dict) add(value []byte) (id uint64, evicted []uint64, ok bool) {
	d.evicted = d.evicted[:0]
	if !d.room(len(value)) {
		d.evict(len(value))
		if !d.room(len(value)) {
			return 0, d.evicted, false
		}
	}
	e := &dictEntry{id: d.nextID, value: string(value), lastUse: d.tx}
	d.nextID++
	d.bytes += dictState(len(value))
	d.entries[e.value] = e
	d.undo = append(d.undo, dictUndo{what: dictAdded, entry: e})
	return e.id, d.evicted, true
}

// room reports whether one more string fits.
func (d *dict) room(n int) bool {
	return len(d.entries) < d.maxEntries && d.bytes+dictState(n) <= d.maxBytes
}

// evict removes the strings used longest ago, those of the running transaction
// excepted, until a string of n bytes fits and seven tenths are full (logs
// specification, section 3).
func (d *dict) evict(n int) {
	if dictState(n) > d.maxBytes {
		return
	}
	d.victims = d.victims[:0]
	for _, e := range d.entries {
		if e.lastUse != d.tx {
			d.victims = append(d.victims, e)
		}
	}
	slices.SortFunc(d.victims, func(a, b *dictEntry) int {
		return cmp.Or(cmp.Compare(a.lastUse, b.lastUse), cmp.Compare(a.id, b.id))
	})
	for _, e := range d.victims {
		if len(d.entries)*10 <= d.maxEntries*7 && d.bytes*10 <= d.maxBytes*7 && d.room(n) {
			break
		}
		delete(d.entries, e.value)
		d.bytes -= dictState(len(e.value))
		d.evicted = append(d.evicted, e.id)
		d.undo = append(d.undo, dictUndo{what: dictRemoved, entry: e})
	}
	clear(d.victims)
}
