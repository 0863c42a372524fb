package columns

// batch is the lines of one batch while they are coded.
type batch struct {
	rows   []row
	values [][]byte // of all rows; see row.from
	used   []int    // numbers of the templates, in order of their first line
	arena  []byte   // decoding: values that are new
}

// row is one line.
type row struct {
	number int // of its template
	from   int // of its values in batch.values, template.stride apart
	next   int // row of the same template, -1 at the end
	lane   int
	time   int64
	status string
	tags   string
	text   []byte // template 0: the line
}

// maxValues is the number of values in one batch.
const maxValues = 1 << 20

// lines codes the rows of a batch.
func (s *state) lines(b *batch) {
	b.used = b.used[:0]
	s.sources(b)
	for i := range b.rows {
		if s.bad {
			return
		}
		s.head(b, i)
	}
	for i := range b.rows {
		r := &b.rows[i]
		r.time = s.time(r.time)
	}
	for _, number := range b.used {
		if s.bad {
			return
		}
		t := s.templates[number]
		t.used = false
		s.at.template, s.at.slot = number, -1
		s.severities(b, t)
		if number == 0 {
			for i := t.first; i >= 0 && !s.bad; i = b.rows[i].next {
				s.at.line = i
				b.rows[i].text = s.string(&s.text.lines, b.rows[i].text)
			}
			continue
		}
		for j := range t.slots {
			if !t.slots[j].clock && !s.bad {
				s.column(b, t, j)
			}
		}
		for j := range t.slots {
			if sl := &t.slots[j]; sl.clock {
				sl.settle(&s.layouts[sl.layout])
			}
		}
	}
}

// sources codes the tags of the lines, in runs of lines that have the same.
func (s *state) sources(b *batch) {
	for i := 0; i < len(b.rows) && !s.bad; {
		s.at.line = i
		end := i + 1
		if s.encoding {
			for end < len(b.rows) && b.rows[end].tags == b.rows[i].tags {
				end++
			}
		}
		end = i + 1 + s.count(end-i-1, len(b.rows)-i-1)
		tags, lane := s.lane(b.rows[i].tags)
		for ; i < end; i++ {
			b.rows[i].tags, b.rows[i].lane = tags, lane
		}
	}
}

// severities codes the status of the lines of one template: one for all where they
// are the same.
func (s *state) severities(b *batch, t *template) {
	mixed := 0
	if s.encoding {
		for i := t.first; i >= 0; i = b.rows[i].next {
			if b.rows[i].status != b.rows[t.first].status {
				mixed = 1
				break
			}
		}
	}
	if t.first != t.last {
		mixed = s.symbol(&t.mixed, mixed)
	}
	status := b.rows[t.first].status
	for i := t.first; i >= 0 && !s.bad; i = b.rows[i].next {
		if r := &b.rows[i]; i == t.first || mixed == 1 {
			r.status, _ = s.word(&s.statuses, &t.statuses, r.status)
			status = r.status
		} else {
			r.status = status
		}
	}
}

// head codes what is modelled from line to line: the template and the line's own
// timestamps.
func (s *state) head(b *batch, i int) {
	r := &b.rows[i]
	s.at.line = i
	r.number = s.template(r.lane, r.number)
	t := s.templates[r.number]
	r.next = -1
	if t.used {
		b.rows[t.last].next = i
	} else {
		t.start(i)
		b.used = append(b.used, r.number)
	}
	t.last = i
	t.lines++
	if !s.encoding {
		r.from = len(b.values)
		if r.from+len(t.slots) > maxValues {
			s.fail("too many values")
			return
		}
		t.stride = 1
		for range t.slots {
			b.values = append(b.values, nil)
		}
	}
	for j, clocks := 0, t.clocks; clocks > 0; j++ {
		if sl := &t.slots[j]; sl.clock {
			clocks--
			v := &b.values[r.from+j*t.stride]
			if s.encoding {
				s.clockValue(sl, r.lane, *v, nil)
			} else {
				*v, b.arena = s.clockValue(sl, r.lane, nil, b.arena)
			}
		}
	}
}

// column codes the values of one slot.
func (s *state) column(b *batch, t *template, j int) {
	sl := &t.slots[j]
	s.at.slot = j
	if t.lines >= settleFrom {
		settles := uint64(0)
		if s.encoding && s.settles(sl, t.column(b, j)) {
			settles = 1
		}
		if s.plain(settles, 1) == 1 {
			s.settled(b, t, j)
			return
		}
	}
	s.near = neighbours{values: b.values, stride: t.stride, left: j}
	if s.encoding {
		for i, v := range t.column(b, j) {
			s.near.at = t.from + j*t.stride + i
			s.slotValue(sl, v, nil)
		}
		return
	}
	for i := t.first; i >= 0 && !s.bad; i = b.rows[i].next {
		s.at.line = i
		s.near.at = b.rows[i].from + j
		b.values[s.near.at], b.arena = s.slotValue(sl, nil, b.arena)
		if len(b.arena) > s.maxArena {
			s.bad, s.tooMuch = true, true
		}
	}
}
