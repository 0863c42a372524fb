package rows

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// value is a DynamicValue that does not need the stream's state any more.
type value struct {
	kind valueKind
	num  uint64 // integer, or the bits of a float
	text []byte // inline string: part of the batch
	dict string // dictionary string
}

type valueKind uint8

const (
	noValue valueKind = iota
	intValue
	floatValue
	textValue
	dictValue
)

func (d *Decoder) readLog(b []byte) error {
	bt := &d.batch
	if bt.id == 0 {
		return d.wrong("log in a snapshot")
	}
	if len(bt.logs) >= d.limits.MaxLines {
		return d.limit("MaxLines", d.limits.MaxLines)
	}
	var l parsedLog
	var delta uint64
	var content field
	tags := bt.lastTags
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keyTimestamp|1<<keyStructured|1<<keyRaw|1<<keyTags|1<<keyUUID|1<<keyStatus, 0)
		if wrong != "" {
			return d.wrong(wrong)
		}
		switch f.key {
		case keyTimestamp:
			delta = f.num
		case keyStructured, keyRaw:
			if content.key != 0 {
				return d.wrong("log with two contents")
			}
			content = f
		case keyTags:
			text, inline, err := d.readTags(f.bytes)
			if err != nil {
				return err
			}
			tags = text
			if !inline {
				bt.lastTags = text
			}
		case keyUUID:
			if !utf8.Valid(f.bytes) {
				return d.wrong("uuid is not UTF-8")
			}
		case keyStatus:
			status, _, err := d.readText(f.bytes)
			if err != nil {
				return err
			}
			l.status = status
		}
	}
	bt.lastTime += protowire.DecodeZigZag(delta)
	l.time, l.tags = bt.lastTime, tags
	if err := d.readContent(&l, content); err != nil {
		return err
	}
	bt.logs = append(bt.logs, l)
	return nil
}

// readContent reads the message of a log, and accounts for what it expands to.
func (d *Decoder) readContent(l *parsedLog, content field) error {
	size := 0
	switch content.key {
	case keyRaw:
		if !utf8.Valid(content.bytes) {
			return d.wrong("raw log is not UTF-8")
		}
		l.text = content.bytes
		size = len(l.text)
	case keyStructured:
		if err := d.readStructured(l, content.bytes); err != nil {
			return err
		}
		size = d.batch.size(l)
	default:
		return d.wrong("log without content")
	}
	if d.batch.rendered += size; d.batch.rendered > d.limits.MaxRendered {
		return d.limit("MaxRendered", d.limits.MaxRendered)
	}
	return nil
}

func (d *Decoder) readStructured(l *parsedLog, b []byte) error {
	bt := &d.batch
	var id uint64
	var o object
	l.values.from = len(bt.values)
	var jsonValues [][]byte
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keyPatternID|1<<keyJSONContext|1<<keyJSONMessageKey|1<<keyJSONSchemaID, 1<<keyDynamicValues|1<<keyJSONValues)
		if wrong != "" {
			return d.wrong(wrong)
		}
		switch f.key {
		case keyPatternID:
			id = f.num
		case keyDynamicValues:
			v, err := d.readValue(f.bytes)
			if err != nil {
				return err
			}
			bt.values = append(bt.values, v)
		case keyJSONContext:
			return d.wrong("json_context is deprecated and not supported: send a schema, or the line as text")
		case keyJSONMessageKey:
			key, _, err := d.readText(f.bytes)
			if err != nil {
				return err
			}
			o.messageKey, o.hasMessage = key, true
		case keyJSONSchemaID:
			o.schema = f.num
		case keyJSONValues:
			jsonValues = append(jsonValues, f.bytes)
		}
	}
	l.values.to = len(bt.values)
	if id == 0 {
		id = bt.lastPattern
	}
	if id == 0 {
		return d.wrong("first structured log of a batch without pattern id")
	}
	t, ok := d.patterns[id]
	if !ok {
		return d.wrongID("unknown pattern", id)
	}
	bt.lastPattern = id
	if n := l.values.to - l.values.from; n != len(t.pos) {
		return d.wrongID("number of values is not the pattern's number of parameters", id)
	}
	l.tmpl = t
	if o.hasMessage || o.schema != 0 || len(jsonValues) > 0 {
		return d.readObject(l, o, jsonValues)
	}
	return nil
}

// readValue reads a DynamicValue.
func (d *Decoder) readValue(b []byte) (v value, err error) {
	for r := (fields{rest: b}); r.more(); {
		f, wrong := r.next(1<<keyInt|1<<keyFloat|1<<keyString|1<<keyDict, 0)
		if wrong != "" {
			return v, d.wrong(wrong)
		}
		if v.kind != noValue {
			return v, d.wrong("value with two contents")
		}
		switch f.key {
		case keyInt:
			v.kind, v.num = intValue, f.num
		case keyFloat:
			v.kind, v.num = floatValue, f.num
			if x := math.Float64frombits(f.num); math.IsNaN(x) || math.IsInf(x, 0) {
				return v, d.wrong("value is not a finite number")
			}
		case keyString:
			if !utf8.Valid(f.bytes) {
				return v, d.wrong("value is not UTF-8")
			}
			v.kind, v.text = textValue, f.bytes
		case keyDict:
			text, ok := d.dict[f.num]
			if !ok {
				return v, d.wrongID("unknown dictionary entry", f.num)
			}
			v.kind, v.dict = dictValue, text
		}
	}
	if v.kind == noValue {
		return v, d.wrong("value without content")
	}
	return v, nil
}

// readText reads a DynamicValue that must be a string. inline tells one that
// stands where it is used from one of the dictionary.
func (d *Decoder) readText(b []byte) (text string, inline bool, err error) {
	v, err := d.readValue(b)
	switch {
	case err != nil:
		return "", false, err
	case v.kind == dictValue:
		return v.dict, false, nil
	case v.kind == textValue:
		return d.batch.intern(v.text), true, nil
	default:
		return "", false, d.wrong("a number where text is expected")
	}
}

// readTags reads a TagSet.
func (d *Decoder) readTags(b []byte) (tags string, inline bool, err error) {
	r := fields{rest: b}
	if !r.more() {
		return "", false, d.wrong("tag set without content")
	}
	f, wrong := r.next(1<<keyTagset, 0)
	if wrong == "" && r.more() {
		_, wrong = r.next(1<<keyTagset, 0)
	}
	if wrong != "" {
		return "", false, d.wrong(wrong)
	}
	return d.readText(f.bytes)
}

// intern is a string of bytes that usually repeat from log to log.
func (b *batch) intern(text []byte) string {
	for i := len(b.logs) - 1; i >= max(0, len(b.logs)-2); i-- {
		if l := &b.logs[i]; l.status == string(text) {
			return l.status
		} else if l.tags == string(text) {
			return l.tags
		}
	}
	return string(text)
}
