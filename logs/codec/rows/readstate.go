package rows

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// template is a pattern as the receiver knows it. It never changes: a new define
// of the same id makes a new one, and logs before it keep the old.
type template struct {
	text string
	pos  []uint32
}

// readSequence reads a DatumSequence: changes apply at once, logs are parsed.
func (d *Decoder) readSequence(plain []byte) error {
	r := fields{rest: plain}
	for r.more() {
		d.batch.datum++
		f, wrong := r.next(0, 1<<keyDatum)
		if wrong != "" {
			return d.wrong(wrong)
		}
		if err := d.readDatum(f.bytes); err != nil {
			return err
		}
		if n := len(d.batch.logs); n > 0 {
			// Until the next log this is how far the last one reaches; what comes
			// before a log is charged to it by the difference.
			if l := &d.batch.logs[n-1]; l.end == 0 {
				l.end = len(plain) - len(r.rest)
			}
		}
	}
	return nil
}

func (d *Decoder) readDatum(b []byte) error {
	r := fields{rest: b}
	if !r.more() {
		return d.wrong("datum without content")
	}
	f, wrong := r.next(1<<keyPatternDefine|1<<keyPatternDelete|1<<keyDictDefine|1<<keyDictDelete|1<<keySync|1<<keyLog, 0)
	if wrong != "" {
		return d.wrong(wrong)
	}
	if r.more() {
		return d.wrong("datum with more than one content")
	}
	switch f.key {
	case keyPatternDefine:
		return d.definePattern(f.bytes)
	case keyDictDefine:
		return d.defineDict(f.bytes)
	case keySync:
		return d.sync(f.bytes)
	case keyLog:
		return d.readLog(f.bytes)
	}
	id, err := d.readID(f.bytes)
	if err != nil {
		return err
	}
	if f.key == keyPatternDelete {
		old, ok := d.patterns[id]
		if !ok {
			return d.wrongID("delete of an unknown pattern", id)
		}
		d.state -= patternState(len(old.text), len(old.pos))
		delete(d.patterns, id)
		return nil
	}
	old, ok := d.dict[id]
	if !ok {
		return d.wrongID("delete of an unknown dictionary entry", id)
	}
	d.state -= dictState(len(old))
	delete(d.dict, id)
	return nil
}

// readID reads a message of one id.
func (d *Decoder) readID(b []byte) (id uint64, err error) {
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keyID, 0)
		if wrong != "" {
			return 0, d.wrong(wrong)
		}
		id = f.num
	}
	return id, nil
}

func (d *Decoder) definePattern(b []byte) error {
	var id, params uint64
	var t template
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keyID|1<<keyTemplate|1<<keyParamCount|1<<keyPosList, 1<<keyPos)
		if wrong != "" {
			return d.wrong(wrong)
		}
		switch f.key {
		case keyID:
			id = f.num
		case keyTemplate:
			t.text = string(f.bytes)
		case keyParamCount:
			params = f.num
		case keyPos:
			f.bytes = protowire.AppendVarint(nil, f.num)
			fallthrough
		case keyPosList:
			if err := d.appendPositions(&t, f.bytes); err != nil {
				return err
			}
		}
	}
	if what := t.check(id, params); what != "" {
		return d.wrongID(what, id)
	}
	grows := patternState(len(t.text), len(t.pos))
	if old, ok := d.patterns[id]; ok {
		grows -= patternState(len(old.text), len(old.pos))
	} else if len(d.patterns) >= d.limits.MaxPatterns {
		return d.limit("MaxPatterns", d.limits.MaxPatterns)
	}
	if err := d.grow(grows); err != nil {
		return err
	}
	d.patterns[id] = &t
	d.batch.lastPattern = id
	return nil
}

// appendPositions reads packed positions. Their number is bounded here already,
// because in memory they are larger than on the wire.
func (d *Decoder) appendPositions(t *template, packed []byte) error {
	if len(t.pos)+len(packed) > d.limits.MaxStateBytes {
		return d.limit("MaxStateBytes", d.limits.MaxStateBytes)
	}
	for len(packed) > 0 {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return d.wrong("a position is cut short")
		}
		if v > math.MaxUint32 {
			return d.wrong("position beyond the template")
		}
		packed = packed[n:]
		t.pos = append(t.pos, uint32(v))
	}
	return nil
}

// check says what is wrong with a template, or nothing.
func (t *template) check(id, params uint64) string {
	switch {
	case id == 0:
		return "pattern defined without id"
	case params != uint64(len(t.pos)):
		return "number of positions is not param_count"
	case !utf8.ValidString(t.text):
		return "template is not UTF-8"
	}
	last := uint32(0)
	for _, p := range t.pos {
		switch {
		case p < last:
			return "positions decrease"
		case int(p) > len(t.text):
			return "position beyond the template"
		case int(p) < len(t.text) && !utf8.RuneStart(t.text[p]):
			return "position inside a rune"
		}
		last = p
	}
	return ""
}

func (d *Decoder) defineDict(b []byte) error {
	var id uint64
	var text []byte
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keyID|1<<keyValue, 0)
		if wrong != "" {
			return d.wrong(wrong)
		}
		if f.key == keyID {
			id = f.num
		} else {
			text = f.bytes
		}
	}
	if id == 0 {
		return d.wrong("dictionary entry defined without id")
	}
	if !utf8.Valid(text) {
		return d.wrongID("dictionary entry is not UTF-8", id)
	}
	grows := dictState(len(text))
	if old, ok := d.dict[id]; ok {
		grows -= dictState(len(old))
	} else if len(d.dict) >= d.limits.MaxDict {
		return d.limit("MaxDict", d.limits.MaxDict)
	}
	if err := d.grow(grows); err != nil {
		return err
	}
	d.dict[id] = string(text)
	return nil
}

// grow accounts for state, within the limit.
func (d *Decoder) grow(n int) error {
	if d.state+n > d.limits.MaxStateBytes {
		return d.limit("MaxStateBytes", d.limits.MaxStateBytes)
	}
	d.state += n
	return nil
}

// sync reads a DeltaEncodingSync, which sets what later logs may leave out. The
// reference client never sends one.
func (d *Decoder) sync(b []byte) error {
	bt := &d.batch
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keySyncTimestamp|1<<keySyncPattern|1<<keySyncTags, 0)
		if wrong != "" {
			return d.wrong(wrong)
		}
		switch f.key {
		case keySyncTimestamp:
			bt.lastTime = int64(f.num)
		case keySyncPattern:
			bt.lastPattern = f.num
		default:
			tags, _, err := d.readTags(f.bytes)
			if err != nil {
				return err
			}
			bt.lastTags = tags
		}
	}
	return nil
}
