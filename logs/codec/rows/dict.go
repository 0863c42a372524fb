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
	maxIdle              int64 // milliseconds; 0 is forever
	entries              map[string]*dictEntry
	dictCounts
	tx      uint64
	saved   dictCounts
	undo    []dictUndo
	seen    pattern.Sketch
	evicted []uint64
	victims []*dictEntry
}

type dictCounts struct {
	nextID      uint64
	bytes       int
	now, oldest int64 // time, and no entry was last used before
}

type dictEntry struct {
	id      uint64
	value   string
	lastUse uint64 // transaction
	usedAt  int64  // time
}

// dictUndo is one change of the running transaction.
type dictUndo struct {
	what    dictUndoKind
	entry   *dictEntry
	lastUse uint64             // used: before
	usedAt  int64              // used: before
	at      uint32             // seen: which slot
	slot    pattern.SketchSlot // seen: before
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

func newDict(maxEntries, maxBytes int, maxIdle int64) *dict {
	return &dict{maxEntries: maxEntries, maxBytes: maxBytes, maxIdle: maxIdle, entries: map[string]*dictEntry{}, dictCounts: dictCounts{nextID: 1}}
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
			u.entry.lastUse, u.entry.usedAt = u.lastUse, u.usedAt
		case dictAdded:
			delete(d.entries, u.entry.value)
		case dictRemoved:
			d.entries[u.entry.value] = u.entry
		case dictSeen:
			d.seen.Restore(u.at, u.slot)
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
		d.undo = append(d.undo, dictUndo{what: dictUsed, entry: e, lastUse: e.lastUse, usedAt: e.usedAt})
		e.lastUse, e.usedAt = d.tx, d.now
	}
	return e.id, true
}

// returns counts a sighting of a string the receiver does not know, and reports
// whether it returns often enough to be told.
func (d *dict) returns(value []byte) bool {
	score, at, before := d.seen.See(pattern.Hash(value), d.tx)
	d.undo = append(d.undo, dictUndo{what: dictSeen, at: at, slot: before})
	return score >= pattern.ScoreReturns
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
	e := &dictEntry{id: d.nextID, value: string(value), lastUse: d.tx, usedAt: d.now}
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
		d.remove(e)
	}
	clear(d.victims)
}

func (d *dict) remove(e *dictEntry) {
	delete(d.entries, e.value)
	d.bytes -= dictState(len(e.value))
	d.evicted = append(d.evicted, e.id)
	d.undo = append(d.undo, dictUndo{what: dictRemoved, entry: e})
}

// advance tells the dictionary the time, in milliseconds, and removes what has not
// been used for longer than maxIdle. It returns the ids the receiver must forget,
// sorted, valid until the next call. When the clock is set back, what was used before
// stays the longer.
func (d *dict) advance(now int64) []uint64 {
	d.evicted = d.evicted[:0]
	if d.nextID == 1 {
		d.oldest = now
	}
	d.now, d.oldest = now, min(d.oldest, now)
	if d.maxIdle == 0 || d.now-d.oldest <= d.maxIdle {
		return nil
	}
	d.oldest = d.now
	for _, e := range d.entries {
		if e.lastUse != d.tx && d.now-e.usedAt > d.maxIdle {
			d.remove(e)
		} else {
			d.oldest = min(d.oldest, e.usedAt)
		}
	}
	slices.Sort(d.evicted)
	return d.evicted
}
