package columns

import (
	"math/bits"
	"slices"

	"github.com/vigil-agent/vigil/logs/pattern"
)

// defineAfter is the number of lines that a pattern stands for before it is told:
// a line that does not come again is cheaper as text.
const defineAfter = 2

// define tells the receiver of the patterns that the batch needs.
func (e *Encoder) define(bs *BatchStats) {
	e.changes = 0
	var last *pattern.Pattern
	for i := range e.lines {
		l := &e.lines[i]
		p := l.pattern
		if p == nil || p == last {
			continue
		}
		last = p
		if p.Defined() || p.ID() == 0 && p.Seen() < defineAfter || !e.tokens(l) {
			continue
		}
		e.definePattern(p, i, bs)
	}
	e.state.change(changeEnd)
}

// definePattern tells of a new pattern or a wider one; line at is its first of the
// batch.
func (e *Encoder) definePattern(p *pattern.Pattern, at int, bs *BatchStats) {
	l := &e.lines[at]
	had := p.ID() != 0
	evicted, ok := e.table.Define(p)
	for _, id := range evicted {
		e.forget(id, bs)
	}
	if !ok {
		return
	}
	if had {
		e.widen(p, at, bs)
		return
	}
	id := int(p.ID())
	for len(e.known) <= id {
		e.known = append(e.known, known{})
	}
	k := &e.known[id]
	text, _ := p.Template()
	slots := 0
	for _, sl := range p.Slots() {
		slots += int(sl.To - sl.From)
	}
	if !e.room(len(text), slots) {
		return
	}
	pool := &e.state.pool
	k.line, k.ends = pool.clone(l.msg), take(pool, &pool.ends, len(l.toks))
	for i, t := range l.toks {
		k.ends[i] = t.End
	}
	k.wild = take(pool, &pool.counts, slots)[:0]
	t := pool.template()
	t.text, t.at, t.slots = e.text[:0], take(pool, &pool.offsets, slots)[:0], take(pool, &pool.slots, slots)[:0]
	e.dayAt = -1
	offset, from := 0, 0
	for _, sl := range p.Slots() {
		for tok := sl.From; tok < sl.To; tok++ {
			start, end := k.span(tok)
			offset += start - from
			from = end
			k.wild = append(k.wild, tok)
			clock := e.clockOf(p, at, int(tok))
			t.text = append(t.text, k.line[start-(offset-len(t.text)):start]...)
			t.at = append(t.at, offset)
			t.slots = append(t.slots, slot{clock: clock > 0, layout: max(clock-1, 0)})
		}
	}
	t.text = append(t.text, k.line[from:]...)
	e.text = t.text
	e.state.change(changeNew)
	k.number = e.state.defineTemplate(t)
	bs.TemplatesAdded++
}

// room reports whether the receiver has room for a template, or for more slots of
// one. The layouts of slots that are timestamps may already have been told.
func (e *Encoder) room(text, slots int) bool {
	s := e.state
	e.changes++
	return text <= maxTemplateText && s.bytes+templateBytes+text+slots*(slotBytes+layoutBytes) <= s.maxBytes &&
		e.changes < maxChanges/8
}

// span is where a token of the known line is.
func (k *known) span(tok uint16) (start, end int) {
	if tok > 0 {
		start = int(k.ends[tok-1])
	}
	return start, int(k.ends[tok])
}

// widen tells which more tokens of a pattern vary.
func (e *Encoder) widen(p *pattern.Pattern, at int, bs *BatchStats) {
	k := &e.known[p.ID()]
	if k.number == 0 {
		return
	}
	e.cuts = e.cuts[:0]
	e.dayAt = -1
	for i, sl := range e.state.templates[k.number].slots {
		if sl.clock {
			e.dayAt = int(k.wild[i])
		}
	}
	offset, from := 0, 0 // in the template's text as it is, and in the line
	old := 0
	wild := make([]uint16, 0, len(k.wild)+4)
	for _, sl := range p.Slots() {
		for tok := sl.From; tok < sl.To; tok++ {
			start, end := k.span(tok)
			offset += start - from
			from = end
			wild = append(wild, tok)
			if old < len(k.wild) && k.wild[old] == tok {
				old++
				continue
			}
			e.cuts = append(e.cuts, cut{at: offset, length: end - start, clock: e.clockOf(p, at, int(tok))})
			offset += end - start
		}
	}
	if len(e.cuts) == 0 || !e.room(0, len(e.cuts)) {
		e.forget(p.ID(), bs)
		return
	}
	k.wild = wild
	e.state.change(changeWiden)
	e.state.templateNumber(k.number)
	e.state.widenTemplate(e.state.templates[k.number], e.cuts)
	bs.TemplatesUpdated++
}

// forget tells that a pattern is gone.
func (e *Encoder) forget(id uint64, bs *BatchStats) {
	if id >= uint64(len(e.known)) || e.known[id].number == 0 {
		return
	}
	e.state.change(changeForget)
	e.state.templateNumber(e.known[id].number)
	e.state.forgetTemplate(e.known[id].number)
	e.known[id] = known{}
	bs.TemplatesRemoved++
}

// clockOf is 1 and the layout of a token that is a timestamp which goes on from
// line to line, else 0. Line at is the first of the batch with pattern p.
func (e *Encoder) clockOf(p *pattern.Pattern, at, tok int) int {
	s := e.state
	var values [3]uint64
	n, number := 0, 0
	var lay layout
	for i := at; i < len(e.lines) && n < len(values); i++ {
		l := &e.lines[i]
		if l.pattern != p || !e.tokens(l) {
			continue
		}
		v := pattern.Span(l.msg, l.toks, tok, tok+1)
		if n == 0 {
			if number = s.layoutOf(v); number == 0 || !mayBeClock(v) {
				return 0
			}
			if number <= len(s.layouts) {
				lay = s.layouts[number-1]
			} else {
				lay, _ = s.exampleOf(v)
			}
		}
		value, ok := lay.value(v)
		if !ok {
			return 0
		}
		values[n] = value
		n++
	}
	// The first time of day in a line is most likely when it was written. Others
	// must go in steps that are small beside what the digits can say.
	first := e.dayAt < 0 && slices.Contains(lay.text, ':')
	if first {
		e.dayAt = tok
	}
	for i := 1; i < n && !first; i++ {
		if values[i] < values[i-1] || bits.Len64(values[i]-values[i-1]) > lay.size*5/8 {
			return 0
		}
	}
	if number <= len(s.layouts) {
		return number
	}
	if n < 2 && !slices.Contains(lay.text, ':') {
		return 0
	}
	s.change(changeLayout)
	s.defineLayout(pattern.Span(e.lines[at].msg, e.lines[at].toks, tok, tok+1))
	return number
}

// mayBeClock reports whether a value has as many digits as a timestamp has.
func mayBeClock(v []byte) bool {
	digits := 0
	for _, c := range v {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits >= 6
}
