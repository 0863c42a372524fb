package rows

import (
	"unicode/utf8"

	"github.com/vigil-agent/vigil/logs/pattern"
	"github.com/vigil-agent/vigil/logs/record"
)

// write encodes the batch that learn has prepared.
func (e *Encoder) write(recs []record.Record) {
	for i := range recs {
		e.writeLog(&recs[i], &e.lines[i])
	}
}

func (e *Encoder) writeLog(r *record.Record, l *line) {
	w := &e.w
	c := content{text: l.msg}
	if l.pattern != nil && e.definePattern(l.pattern) {
		c.structured = true
		if id := l.pattern.ID(); id != w.lastPattern {
			c.pattern, w.lastPattern = id, id
		}
		e.appendValues(l)
		e.stats.LinesStructured++
	} else {
		e.stats.LinesRaw++
	}
	tags, status := e.tags(r.Tags), e.status(r.Status)
	if l.replaced || w.tags.replaced || w.status.replaced && r.Status != "" {
		e.stats.InvalidUTF8++
	}
	w.log(r.Time, c, tags, status)
}

// writeRaw encodes the batch without reference to any state. Tags are repeated on
// every log, see tags.
func (e *Encoder) writeRaw(recs []record.Record) {
	var tags, status []byte
	for i := range recs {
		r, l := &recs[i], &e.lines[i]
		tags = appendInlineTags(tags[:0], e.utf8(r.Tags))
		if status = status[:0]; r.Status != "" {
			status = appendInlineStatus(status, e.utf8(r.Status))
		}
		if l.replaced || !utf8.ValidString(r.Tags) || !utf8.ValidString(r.Status) {
			e.stats.InvalidUTF8++
		}
		e.stats.LinesRaw++
		e.w.log(r.Time, content{text: l.msg}, tags, status)
	}
}

// definePattern makes sure that the receiver knows the pattern as it is now, if
// that is expected to pay.
func (e *Encoder) definePattern(p *pattern.Pattern) bool {
	if e.table.Loses(p) {
		e.w.forget(patternDelete, e.table.Drop(p))
		e.stats.PatternsRemoved++
		return false
	}
	if p.Defined() {
		return true
	}
	if !e.table.Pays(p) {
		return false
	}
	template, pos := p.Template()
	update := p.ID() != 0
	evicted, ok := e.table.Define(p)
	for _, id := range evicted {
		e.w.forget(patternDelete, id)
		e.stats.PatternsRemoved++
	}
	if !ok {
		return false
	}
	e.w.definePattern(p.ID(), template, pos)
	if update {
		e.stats.PatternsUpdated++
	} else {
		e.stats.PatternsAdded++
	}
	return true
}

// appendValues encodes the values of a structured log.
func (e *Encoder) appendValues(l *line) {
	b := e.w.values[:0]
	toks := e.toks[l.from:l.to]
	for _, s := range l.pattern.Slots() {
		value := pattern.Span(l.msg, toks, int(s.From), int(s.To))
		kind := pattern.Mixed
		if s.To-s.From == 1 {
			kind = toks[s.From].Kind
		}
		if v, ok := smallInt(value, kind); ok {
			b = appendHead(b, keyDynamicValues, varintSize(v))
			b = appendVarint(b, keyInt, v)
		} else if id, ok := e.dictValue(value, kind); ok {
			b = appendHead(b, keyDynamicValues, varintSize(id))
			b = appendVarint(b, keyDict, id)
		} else {
			b = appendHead(b, keyDynamicValues, fieldSize(len(value)))
			b = appendField(b, keyString, value)
		}
	}
	e.w.values = b
}

// smallInt is the value of a number that renders back to the same bytes and is
// worth sending as an integer: one byte. Larger ones stay digits, because under
// zstd digits cost less than the bytes of a varint, which look random.
func smallInt(s []byte, kind pattern.Kind) (uint64, bool) {
	if kind != pattern.Int || len(s) > 3 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	v := uint64(0)
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, v < 1<<7
}

// dictValue is the dictionary id of a value, if it has one or deserves one now.
func (e *Encoder) dictValue(value []byte, kind pattern.Kind) (uint64, bool) {
	switch kind {
	case pattern.Time, pattern.UUID, pattern.Int, pattern.Decimal, pattern.Epoch:
		// Such values hardly ever repeat.
		return 0, false
	}
	if len(value) < minDictValue || len(value) > maxDictValue {
		return 0, false
	}
	if id, ok := e.dict.lookup(value); ok {
		return id, true
	}
	if !e.dict.returns(value) {
		return 0, false
	}
	return e.defineDict(value)
}

// defineDict tells the receiver a string.
func (e *Encoder) defineDict(value []byte) (uint64, bool) {
	id, evicted, ok := e.dict.add(value)
	for _, old := range evicted {
		e.w.forget(dictDelete, old)
		e.stats.DictRemoved++
	}
	if !ok {
		return 0, false
	}
	e.w.defineDict(id, value)
	e.stats.DictAdded++
	return id, true
}

// tags is the encoded Log.tags, or nothing when the log may leave it out: that
// means the tags of the log before, and none in the first log.
func (e *Encoder) tags(tags string) []byte {
	f := &e.w.tags
	if tags == f.text {
		if f.known {
			return nil
		}
		return f.encoded
	}
	text := e.utf8(tags)
	id, ok := e.dict.lookup(text)
	if !ok {
		id, ok = e.defineDict(text)
	}
	// Receivers need not agree on what a tag set outside the dictionary leaves
	// behind, so that it is repeated on every log.
	f.set(tags, ok, !utf8.ValidString(tags))
	if ok {
		n := varintSize(id)
		f.encoded = appendHead(f.encoded, keyTags, fieldSize(n))
		f.encoded = appendHead(f.encoded, keyTagset, n)
		f.encoded = appendVarint(f.encoded, keyDict, id)
	} else {
		f.encoded = appendInlineTags(f.encoded, text)
	}
	return f.encoded
}

// appendInlineTags appends a Log.tags that stands on its own.
func appendInlineTags(b, text []byte) []byte {
	n := fieldSize(len(text))
	b = appendHead(b, keyTags, fieldSize(n))
	b = appendHead(b, keyTagset, n)
	return appendField(b, keyString, text)
}

// appendInlineStatus appends a Log.status that stands on its own.
func appendInlineStatus(b, text []byte) []byte {
	return appendField(appendHead(b, keyStatus, fieldSize(len(text))), keyString, text)
}

// status is the encoded Log.status: never left out for the log before, and absent
// only when there is none.
func (e *Encoder) status(status string) []byte {
	f := &e.w.status
	if status == "" {
		return nil
	}
	if status == f.text {
		return f.encoded
	}
	text := e.utf8(status)
	id, ok := e.dict.lookup(text)
	if !ok {
		id, ok = e.defineDict(text)
	}
	f.set(status, true, !utf8.ValidString(status))
	if ok {
		f.encoded = appendHead(f.encoded, keyStatus, varintSize(id))
		f.encoded = appendVarint(f.encoded, keyDict, id)
	} else {
		f.encoded = appendInlineStatus(f.encoded, text)
	}
	return f.encoded
}
