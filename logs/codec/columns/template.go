package columns

import "slices"

// template is a pattern as both sides know it: constant text, and slots in it.
type template struct {
	text  []byte
	at    []int // where the slots are in text, not decreasing
	slots []slot

	next     *sparse // which template comes after it
	statuses symbols
	mixed    symbols // of two: whether the status differs in a batch

	// Of the batch at hand: its lines, as a chain.
	first, last, lines int
	used               bool
	clocks             int // how many slots are
	// The first of its values, and how far apart those of a line are: encoding, values
	// of one slot follow each other, in columns of one value for each line.
	from, stride int
}

const (
	maxTemplates     = 1 << 14
	maxChanges       = 1 << 16 // in one batch
	maxTemplateSlots = 512
	maxTemplateText  = 1 << 16
)

func (p *pool) template() *template {
	t := &take(p, &p.templates, 1)[0]
	t.statuses, t.mixed = p.symbols(1), p.symbols(2)
	return t
}

// start begins a batch, with the number of the template's first line.
func (t *template) start(first int) {
	t.used, t.first, t.lines, t.clocks = true, first, 0, 0
	for j := range t.slots {
		if t.slots[j].clock {
			t.clocks++
		}
	}
}

// column is the values of one slot; encoding only.
func (t *template) column(b *batch, j int) [][]byte {
	return b.values[t.from+j*t.stride : t.from+(j+1)*t.stride]
}

// weighs is the state bytes of the template.
func (t *template) weighs() int {
	n := templateBytes + len(t.text)
	for i := range t.slots {
		n += t.slots[i].weighs()
	}
	if t.next != nil {
		n += sparseBytes(firstLimit)
	}
	return n
}

// appendLine appends the line that has the given values.
func (t *template) appendLine(dst []byte, values [][]byte) []byte {
	from := 0
	for i, v := range values {
		dst = append(dst, t.text[from:t.at[i]]...)
		dst = append(dst, v...)
		from = t.at[i]
	}
	return append(dst, t.text[from:]...)
}

// size is the length of the line that has the given values, or is plain.
func (t *template) size(plain []byte, values [][]byte) int {
	n := len(plain) + len(t.text)
	for _, v := range values {
		n += len(v)
	}
	return n
}

// The changes of templates at the head of a batch.
const (
	changeEnd = iota
	changeNew
	changeWiden
	changeForget
	changeLayout
	changeKinds
)

// cut is a piece of a template that becomes a slot.
type cut struct {
	at, length int
	clock      int // layout and 1, or 0
}

// defineTemplate codes a new template and returns its number.
func (s *state) defineTemplate(t *template) int {
	t.text = s.pool.clone(s.string(&s.text.lengths, t.text))
	n := s.count(len(t.at), maxTemplateSlots)
	if !s.encoding {
		t.at, t.slots = take(&s.pool, &s.pool.offsets, n), take(&s.pool, &s.pool.slots, n)
	}
	from := 0
	for i := range n {
		from += s.count(t.at[i]-from, len(t.text)-from)
		t.at[i] = from
		s.defineSlot(&t.slots[i])
	}
	if w := t.weighs(); len(t.text) > maxTemplateText || !s.allow(w) {
		s.fail("no room for a template")
		return 0
	}
	number := len(s.templates)
	if k := len(s.free); k > 0 {
		number = s.free[k-1]
		s.free = s.free[:k-1]
		s.templates[number] = t
	} else {
		if number >= maxTemplates {
			s.fail("too many templates")
		}
		s.templates = append(s.templates, t)
	}
	return number
}

// defineSlot codes what is special about a slot.
func (s *state) defineSlot(sl *slot) {
	clock := 0
	if sl.clock {
		clock = 1 + sl.layout
	}
	clock = s.count(clock, len(s.layouts))
	*sl = s.pool.slot()
	sl.clock, sl.layout = clock > 0, max(clock-1, 0)
}

// widenTemplate makes slots of pieces of the template's text. The other slots keep
// what they have learnt.
func (s *state) widenTemplate(t *template, cuts []cut) {
	n := s.count(len(cuts), maxTemplateSlots-len(t.slots))
	if n == 0 || !s.allow(n*slotBytes) {
		s.fail("no room for slots, or none")
		return
	}
	text := make([]byte, 0, len(t.text))
	at, slots := make([]int, 0, len(t.at)+n), make([]slot, 0, len(t.at)+n)
	s.bytes -= len(t.text)
	from, old := 0, 0
	for i := range n {
		var c cut
		if s.encoding {
			c = cuts[i]
		}
		c.at = from + s.count(c.at-from, len(t.text)-from)
		c.length = s.count(c.length, len(t.text)-c.at)
		for ; old < len(t.at) && t.at[old] <= c.at; old++ {
			text = append(text, t.text[from:t.at[old]]...)
			from = t.at[old]
			at, slots = append(at, len(text)), append(slots, t.slots[old])
		}
		text = append(text, t.text[from:c.at]...)
		from = c.at + c.length
		if old < len(t.at) && t.at[old] < from {
			s.fail("a piece that becomes a slot holds another slot")
			return
		}
		sl := slot{clock: c.clock > 0, layout: max(c.clock-1, 0)}
		s.defineSlot(&sl)
		at, slots = append(at, len(text)), append(slots, sl)
	}
	for ; old < len(t.at); old++ {
		text = append(text, t.text[from:t.at[old]]...)
		from = t.at[old]
		at, slots = append(at, len(text)), append(slots, t.slots[old])
	}
	text = append(text, t.text[from:]...)
	t.text, t.at, t.slots = text, at, slots
	s.bytes += len(text)
}

// forgetTemplate makes a number free.
func (s *state) forgetTemplate(number int) {
	t := s.templates[number]
	s.bytes -= t.weighs()
	for i := range t.slots {
		s.dict.removed += uint64(len(t.slots[i].items) - len(t.slots[i].shapes))
	}
	s.templates[number] = nil
	s.free = append(s.free, number)
}

// change codes what kind of change comes next.
func (s *state) change(kind int) int { return s.symbol(&s.changes, kind) }

// templateNumber codes the number of a template other than 0.
func (s *state) templateNumber(n int) int {
	n = s.count(n, len(s.templates)-1)
	if n == 0 || s.templates[n] == nil {
		s.fail("unknown template")
		return 0
	}
	return n
}

// defineLayout codes a new layout by an example of it.
func (s *state) defineLayout(example []byte) {
	example = s.string(&s.text.lengths, example)
	l, ok := s.exampleOf(example)
	if !ok || len(s.layouts) >= maxLayouts || !s.allow(layoutBytes) {
		s.fail("an example of no layout, or too many layouts")
		return
	}
	l.text, l.widths, l.bases, l.head = slices.Clone(l.text), slices.Clone(l.widths), slices.Clone(l.bases), nil
	s.layouts = append(s.layouts, l)
}
