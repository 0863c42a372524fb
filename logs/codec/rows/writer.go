package rows

import "google.golang.org/protobuf/encoding/protowire"

// writer is the DatumSequence of one payload while it grows.
type writer struct {
	buf    []byte
	values []byte // dynamic values of the log at hand
	ops    []pendingChange

	// Batch state, which the receiver has too: what a log may leave out.
	lastTime    int64
	lastPattern uint64

	tags   textField
	status textField
}

// textField is an encoded field of the log, kept because the next log mostly has
// the same.
type textField struct {
	text     string
	encoded  []byte
	known    bool // it refers to the dictionary, or means none
	replaced bool // text is not UTF-8
}

// set makes the field stand for another text.
func (f *textField) set(text string, known, replaced bool) {
	f.text, f.known, f.replaced = text, known, replaced
	f.encoded = f.encoded[:0]
}

// pendingChange is a change whose datum is buf[from:to].
type pendingChange struct {
	change
	from, to int
}

func (w *writer) reset() {
	w.buf, w.ops = w.buf[:0], w.ops[:0]
	w.lastTime, w.lastPattern = 0, 0
	w.tags.set("", true, false)
	w.status.set("", true, false)
}

// changes is the state changes of the payload, in memory of their own.
func (w *writer) changes() Changes {
	if len(w.ops) == 0 {
		return Changes{}
	}
	size := 0
	for _, op := range w.ops {
		size += op.to - op.from
	}
	arena := make([]byte, 0, size)
	ops := make([]change, len(w.ops))
	for i, op := range w.ops {
		ops[i] = op.change
		if op.to > op.from {
			from := len(arena)
			arena = append(arena, w.buf[op.from:op.to]...)
			ops[i].datum = arena[from:len(arena):len(arena)]
		}
	}
	return Changes{ops: ops}
}

// forget tells the receiver to forget an id.
func (w *writer) forget(kind changeKind, id uint64) {
	key := byte(keyPatternDelete)
	if kind == dictDelete {
		key = keyDictDelete
	}
	w.buf = appendDelete(w.buf, key, id)
	w.ops = append(w.ops, pendingChange{change: change{kind: kind, id: id}})
}

// definePattern tells the receiver a pattern, which the next log refers to.
func (w *writer) definePattern(id uint64, template []byte, pos []uint32) {
	from := len(w.buf)
	w.buf = appendPatternDefine(w.buf, id, template, pos)
	c := change{kind: patternDefine, id: id, state: patternState(len(template), len(pos))}
	w.ops = append(w.ops, pendingChange{change: c, from: from, to: len(w.buf)})
	w.lastPattern = id
}

// defineDict tells the receiver a string.
func (w *writer) defineDict(id uint64, value []byte) {
	from := len(w.buf)
	w.buf = appendDictDefine(w.buf, id, value)
	c := change{kind: dictDefine, id: id, state: dictState(len(value))}
	w.ops = append(w.ops, pendingChange{change: c, from: from, to: len(w.buf)})
}

// content is what a log says: values of a pattern, or text.
type content struct {
	structured bool
	pattern    uint64 // 0: the pattern of the log before
	text       []byte
}

// log appends a log. The values of a structured one are in w.values; tags and
// status are encoded fields or empty.
func (w *writer) log(time int64, c content, tags, status []byte) {
	size := len(c.text)
	if c.structured {
		size = len(w.values)
		if c.pattern != 0 {
			size += varintSize(c.pattern)
		}
	}
	n := fieldSize(size) + len(tags) + len(status)
	delta := protowire.EncodeZigZag(time - w.lastTime)
	w.lastTime = time
	if delta != 0 {
		n += varintSize(delta)
	}
	b := appendHead(w.buf, keyDatum, fieldSize(n))
	b = appendHead(b, keyLog, n)
	if delta != 0 {
		b = appendVarint(b, keyTimestamp, delta)
	}
	if c.structured {
		b = appendHead(b, keyStructured, size)
		if c.pattern != 0 {
			b = appendVarint(b, keyPatternID, c.pattern)
		}
		b = append(b, w.values...)
	} else {
		b = appendField(b, keyRaw, c.text)
	}
	b = append(b, tags...)
	w.buf = append(b, status...)
}
