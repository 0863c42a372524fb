package columns

// A column is settled if all its values in a batch have one shape: how they are coded
// is then said once, and whether their digits are as many.
const settleFrom = 16 // lines

// settling decides when it is tried to code a column as settled.
type settling struct {
	wait    uint8 // columns until it is tried again
	failed  uint8 // what wait was at first
	settled uint8 // columns in a row
}

const (
	maxSettlingWait = 31
	// A column that has settled is looked at value by value once in so many batches:
	// its values may have come to be copies.
	lookAgain = 32
	// lookEvery is how many values are taken apart for each that is looked for among
	// the recent ones.
	lookEvery = 16
)

// due reports whether to try.
func (t *settling) due() bool {
	if t.wait > 0 {
		t.wait--
		return false
	}
	return true
}

// tried counts a try.
func (t *settling) tried(ok bool) {
	if !ok {
		t.failed = min(2*t.failed+1, maxSettlingWait)
		t.wait, t.settled = t.failed, 0
		return
	}
	t.failed = 0
	if t.settled++; t.settled == lookAgain {
		t.wait, t.settled = 1, 0
	}
}

// settles reports whether the values of a slot can be coded as settled, and loses
// nothing by it. They have then been taken apart, into s.runs.
func (s *state) settles(sl *slot, values [][]byte) bool {
	if len(sl.shapes) == 0 || sl.keeps == keepsAll || !sl.copies.tired() || !sl.settling.due() {
		return false
	}
	sh := sl.items[sl.latest].shape
	tired, ok := sl.recents.tired(), true
	s.runs = s.runs[:0]
	for i, v := range values {
		n := len(s.runs)
		if s.runs, ok = sh.runs(s.runs, v); !ok {
			break
		}
		// Long values may be recent ones.
		if tired && i%lookEvery > 0 || digitsOf(s.runs[n:]) < minRecentDigits {
			continue
		}
		if !tired {
			ok = false
			break
		}
		if s.recent.find(v, &choice{}) >= 0 {
			sl.recents, ok = 0, false
			break
		}
	}
	sl.settling.tried(ok)
	return ok
}

// settled codes the values of one slot, which have a shape in common.
func (s *state) settled(b *batch, t *template, j int) {
	sl := &t.slots[j]
	m := s.symbol(&sl.method, methodItems+sl.latest)
	if m < methodItems || sl.items[m-methodItems].shape == nil {
		s.fail("a settled column has no shape")
		return
	}
	sh := sl.items[m-methodItems].shape
	var w widths
	for i := range sh.fields {
		if f := &sh.fields[i]; !f.octet {
			w[i] = uint8(s.symbol(&f.width, s.widthOf(i, len(sh.fields))))
		}
	}
	if s.encoding {
		var c choice
		runs := s.runs
		for _, v := range t.column(b, j) {
			s.shapeValue(sh, runs, nil, &w)
			runs = runs[len(sh.fields):]
			if len(v) >= minRecent {
				c.hash = 0
				s.remember(v, &c)
			}
		}
		return
	}
	for i := t.first; i >= 0 && !s.bad; i = b.rows[i].next {
		s.at.line = i
		from := len(b.arena)
		b.arena = s.shapeValue(sh, nil, b.arena, &w)
		v := b.arena[from:len(b.arena):len(b.arena)]
		b.values[b.rows[i].from+j] = v
		s.remember(v, nil)
		if len(b.arena) > s.maxArena {
			s.bad, s.tooMuch = true, true
		}
	}
}

// widthOf is the width that the values of one run of every n have in common, or 0.
func (s *state) widthOf(at, n int) int {
	if !s.encoding {
		return 0
	}
	width := s.runs[at].width
	for ; at < len(s.runs); at += n {
		if s.runs[at].width != width {
			return 0
		}
	}
	return width
}
