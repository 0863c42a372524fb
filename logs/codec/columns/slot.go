package columns

import (
	"bytes"

	"github.com/vigil-agent/vigil/logs/pattern"
)

// slot models the values at one place of a template. A value is one that the slot's
// dictionary holds, the same as another value of its line, digits in a known
// shape, or plain text. How it is coded is one symbol, the value's method.
type slot struct {
	clock  bool
	layout int
	step   int32 // bits of the steps of its timestamps, averaged, in 64ths

	method symbols
	items  []item
	shapes []uint8 // the items that are shapes
	loose  bool    // widths of digits are never taken as fixed

	index  *index // encoding: finds entries
	latest int    // encoding: the item that is the latest shape
	parsed int    // encoding: values that had a known shape

	copies, recents tries    // encoding
	settling        settling // encoding

	hand   int   // where the search for an entry to replace goes on
	values int   // seen by the dictionary
	hits   int   // of them, found there
	keeps  keeps // what is entered in the dictionary
}

// item is an entry of a slot's dictionary or, if it has one, a shape.
type item struct {
	value []byte
	hash  uint64
	shape *shape
}

// keeps is what a slot's dictionary is for. It goes on to the next when it has not
// paid.
type keeps uint8

const (
	keepsAll  keeps = iota
	keepsText       // no values that have a shape
	keepsNone
)

// The methods. From methodItems on they are items.
const (
	methodText   = iota
	methodShape  // a new shape
	methodLoosen // another method follows
	methodRecent // a value coded lately in any column
	methodCopy   // the value to the left in the line, and so on
)

const (
	methodCopies = 6
	methodItems  = methodCopy + methodCopies

	maxItems      = 255
	maxEntryValue = 256 // bytes
	entryBytes    = 40
	replaceAmong  = 8
	// tryEntries is the number of values after which a dictionary must have paid.
	tryEntries = 96
)

func (p *pool) slot() slot {
	s := slot{method: p.symbols(methodItems)}
	s.method.set(methodText, gain/2)
	return s
}

// tries counts values that were looked for in vain: after enough of them, and until
// one is found again, only some are.
type tries uint8

const enoughTries = 128

// worth reports whether to look for the next value.
func (t *tries) worth() bool {
	const some = 8
	if *t < enoughTries {
		*t++
		return true
	}
	if *t++; *t < enoughTries+some {
		return false
	}
	*t = enoughTries
	return true
}

// tired reports whether nothing was found for long.
func (t tries) tired() bool { return t >= enoughTries }

// choice is how to code a value, and what has been found out on the way.
type choice struct {
	method int
	hash   uint64 // 0 before hashOf
	parsed bool   // the value has been taken apart, into state.parse
	shaped bool   // it may have a shape
	known  int    // that of an item, or -1
	recent int    // the place of a recent value
}

// hashOf is the hash of the value.
func (c *choice) hashOf(v []byte) uint64 {
	if c.hash == 0 {
		c.hash = pattern.Hash(v)
	}
	return c.hash
}

// neighbours are the values to the left of one in its line.
type neighbours struct {
	values     [][]byte
	at, stride int // of the value, and from one of the line to the next
	left       int // how many there are
}

// back is the nth value to the left.
func (n *neighbours) back(i int) []byte { return n.values[n.at-i*n.stride] }

// slotValue codes the value of one slot, which is beside s.near. Decoding, it returns
// the value, which is part of dst when it is new, and dst.
func (s *state) slotValue(sl *slot, v, dst []byte) (value, rest []byte) {
	var c choice
	if s.encoding {
		s.choose(&c, sl, v)
		if c.method >= methodItems && !sl.loose && c.shaped && !sl.items[c.method-methodItems].shape.fits(s.parse.runs) {
			s.symbol(&sl.method, methodLoosen)
			sl.loosen()
		}
	}
	m := s.symbol(&sl.method, c.method)
	if m == methodLoosen && !s.encoding {
		sl.loosen()
		m = s.symbol(&sl.method, 0)
	}
	switch {
	case m >= methodItems:
		it := &sl.items[m-methodItems]
		if it.shape != nil {
			return s.shaped(sl, it.shape, v, dst, &c)
		}
		sl.values++
		sl.hits++
		if s.encoding {
			return v, dst
		}
		return it.value, dst
	case m >= methodCopy:
		back := m - methodCopy + 1
		if back > s.near.left {
			s.fail("a copy of no value")
			return nil, dst
		}
		return s.near.back(back), dst
	case m == methodRecent:
		return s.recentValue(c.recent, v, dst)
	case m == methodText:
		v = s.string(&s.text.lengths, v)
		s.remember(v, &c)
		s.enter(sl, v, false, &c)
		return v, dst
	case m == methodShape:
		sh, ok := s.pool.shape(s.string(&s.text.lengths, s.parse.text))
		if !ok || len(sl.shapes) >= maxShapes || len(sl.items) >= maxItems || !s.allow(sh.weighs()) {
			s.fail("a new shape that is none, or has no room")
			return nil, dst
		}
		sl.latest = len(sl.items)
		sl.shapes = push(&s.pool, &s.pool.bytes, sl.shapes, uint8(len(sl.items)))
		sl.items = push(&s.pool, &s.pool.items, sl.items, item{shape: sh})
		s.pool.add(&sl.method, gain)
		return s.shaped(sl, sh, v, dst, &c)
	}
	s.fail("widths are loosened twice")
	return nil, dst
}

// shaped codes a value of a known shape.
func (s *state) shaped(sl *slot, sh *shape, v, dst []byte, c *choice) (value, rest []byte) {
	from := len(dst)
	var w widths
	if !sl.loose {
		w = sh.fixed()
	}
	dst = s.shapeValue(sh, s.parse.runs, dst, &w)
	if !s.encoding {
		v = dst[from:len(dst):len(dst)]
	}
	s.remember(v, c)
	s.enter(sl, v, true, c)
	return v, dst
}

// choose is how to code a value.
func (s *state) choose(c *choice, sl *slot, v []byte) {
	search := sl.keeps != keepsNone && len(v) <= maxEntryValue
	if sl.keeps == keepsText {
		s.takeApart(sl, v, c)
		search = search && !c.shaped
	}
	if search {
		if i := sl.find(v, c.hashOf(v)); i >= 0 {
			c.method = methodItems + i
			c.shaped = false
		}
	}
	near := min(s.near.left, methodCopies)
	if !sl.copies.worth() {
		near = 0
	}
	for i := range near {
		if o := s.near.back(1 + i); len(o) == len(v) && bytes.Equal(o, v) {
			if m := methodCopy + i; c.method == 0 || sl.method.count(m) > sl.method.count(c.method) {
				c.method, c.shaped = m, false
			}
		}
	}
	if c.method >= methodCopy && c.method < methodItems {
		sl.copies = 0
	}
	if c.method > 0 {
		return
	}
	if !c.parsed {
		s.takeApart(sl, v, c)
	}
	if (!c.shaped || s.parse.digits() >= minRecentDigits) && sl.recents.worth() {
		if at := s.recent.find(v, c); at >= 0 {
			sl.recents = 0
			c.method, c.recent, c.shaped = methodRecent, at, false
			return
		}
	}
	switch {
	case c.shaped && c.known >= 0:
		c.method = methodItems + c.known
	case c.shaped:
		c.method = s.chooseShape(sl)
		c.shaped = c.method >= methodItems
	}
}

// takeApart finds the shape of a value, which is likely to be the latest one.
func (s *state) takeApart(sl *slot, v []byte, c *choice) {
	c.parsed, c.known = true, -1
	if len(sl.shapes) > 0 && s.parse.match(sl.items[sl.latest].shape, v) {
		c.shaped, c.known = true, sl.latest
		sl.parsed++
		return
	}
	c.shaped = s.parse.parse(v)
}

// chooseShape is the method for the value that has been taken apart.
func (s *state) chooseShape(sl *slot) int {
	for _, i := range sl.shapes {
		if bytes.Equal(sl.items[i].shape.text, s.parse.text) {
			sl.parsed++
			sl.latest = int(i)
			return methodItems + int(i)
		}
	}
	// Values that differ in more than their digits are text.
	if n := len(sl.shapes); n >= maxShapes || n >= 4 && sl.parsed < shapesRatio*n || len(sl.items) >= maxItems ||
		s.bytes+shapeBytes+len(s.parse.text)+len(s.parse.runs)*fieldBytes > s.maxBytes {
		return methodText
	}
	return methodShape
}

// loosen ends the use of fixed widths.
func (sl *slot) loosen() { sl.loose = true }

// weighs is the state bytes of the slot.
func (sl *slot) weighs() int {
	n := slotBytes
	for i := range sl.items {
		n += sl.items[i].weighs()
	}
	return n
}

func (it *item) weighs() int {
	if it.shape != nil {
		return it.shape.weighs()
	}
	return entryBytes + len(it.value)
}
