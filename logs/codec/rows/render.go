package rows

import (
	"math"
	"strconv"
)

// appendBody renders a structured log: the template with its values.
func (b *batch) appendBody(dst []byte, l *parsedLog) []byte {
	at := 0
	values := b.values[l.values.from:l.values.to]
	for i := range values {
		pos := int(l.tmpl.pos[i])
		dst = append(dst, l.tmpl.text[at:pos]...)
		dst = values[i].append(dst)
		at = pos
	}
	return append(dst, l.tmpl.text[at:]...)
}

// append renders a value: integers in canonical decimal, floats as the shortest
// decimal that reads back the same, strings as they are.
func (v *value) append(dst []byte) []byte {
	switch v.kind {
	case intValue:
		return strconv.AppendInt(dst, int64(v.num), 10)
	case floatValue:
		return appendFloat(dst, math.Float64frombits(v.num))
	case textValue:
		return append(dst, v.text...)
	default:
		return append(dst, v.dict...)
	}
}

// appendFloat is the format of numbers in JSON, as ECMAScript defines it.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

// size is how long a structured log is once rendered; floats and objects are
// rounded up.
func (b *batch) size(l *parsedLog) int {
	n := len(l.tmpl.text)
	for i := l.values.from; i < l.values.to; i++ {
		n += b.values[i].size()
	}
	if l.object == 0 {
		return n
	}
	o := &b.objects[l.object-1]
	n += len(o.messageKey) + len(o.keys)
	for i := o.values.from; i < o.values.to; i++ {
		n += b.values[i].size() + len(`,"":""`)
	}
	// Quoting makes six bytes of a control byte.
	return 6*n + len(`{"":""}`)
}

// maxFloat is the length of the longest float: -2.2250738585072014e-308.
const maxFloat = 24

func (v *value) size() int {
	switch v.kind {
	case intValue:
		return intSize(int64(v.num))
	case floatValue:
		return maxFloat
	default:
		return len(v.text) + len(v.dict)
	}
}

// intSize is the length of a number in decimal.
func intSize(v int64) int {
	n := 1
	if v < 0 {
		n++
	}
	for v /= 10; v != 0; v /= 10 {
		n++
	}
	return n
}
