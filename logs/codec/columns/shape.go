package columns

import (
	"bytes"
	"strconv"
)

// A shape is what values with digits have in common: their bytes, with each run of
// digits replaced by a mark. Bytes below maxMark in a value make it plain text.
const (
	decimalMark byte = iota
	lowerHexMark
	upperHexMark
	octetMark // of an IPv4 address
	maxMark
)

const (
	maxRuns     = 16 // in one value
	maxShape    = 96 // bytes of a value that is given a shape
	maxShapes   = 24 // of one slot
	shapeBytes  = 48
	minHexRun   = 6 // digits and letters that are taken for hexadecimal
	uuidLen     = 36
	shapesRatio = 4
)

// shape is the model of the values of one shape.
type shape struct {
	text   []byte
	fields []field
}

// widths is how many digits each run has, 0 where that is coded.
type widths [maxRuns]uint8

// fixed is the widths that the next value is expected to have.
func (sh *shape) fixed() (w widths) {
	for i := range sh.fields {
		if f := &sh.fields[i]; f.same >= fixAfter {
			w[i] = uint8(f.prev.width)
		}
	}
	return w
}

// shape is a model of values of a shape; it is not ok if text is no shape.
func (p *pool) shape(text []byte) (*shape, bool) {
	runs := marksIn(text)
	if runs == 0 || runs > maxRuns || len(text) > maxShape {
		return nil, false
	}
	sh := &take(p, &p.shapes, 1)[0]
	sh.text, sh.fields = p.clone(text), take(p, &p.fields, runs)[:0]
	for _, c := range text {
		if c < maxMark {
			sh.fields = append(sh.fields, p.field(c))
		}
	}
	return sh, true
}

func marksIn(text []byte) (n int) {
	for _, c := range text {
		if c < maxMark {
			n++
		}
	}
	return n
}

func (sh *shape) weighs() int {
	n := shapeBytes + len(sh.text) + len(sh.fields)*fieldBytes
	for i := range sh.fields {
		n += sh.fields[i].weighs()
	}
	return n
}

// shapeValue codes the digits of a value of a shape, with the widths that its runs are
// known to have, or 0; decoding, it appends the value to dst.
func (s *state) shapeValue(sh *shape, runs []run, dst []byte, widths *widths) []byte {
	if s.encoding {
		for i := range sh.fields {
			s.fieldValue(&sh.fields[i], runs[i], int(widths[i]))
		}
		return dst
	}
	next := 0
	for _, c := range sh.text {
		if c >= maxMark {
			dst = append(dst, c)
			continue
		}
		r := s.fieldValue(&sh.fields[next], run{}, int(widths[next]))
		next++
		dst = s.appendRun(dst, c, r)
	}
	return dst
}

// appendRun writes the digits of a run.
func (s *state) appendRun(dst []byte, mark byte, r run) []byte {
	base := 10
	if mark == lowerHexMark || mark == upperHexMark {
		base = 16
	}
	var digits [20]byte
	d := strconv.AppendUint(digits[:0], r.value, base)
	if len(d) > r.width || r.width == 0 {
		s.fail("a number has more digits than its width")
		return dst
	}
	for range r.width - len(d) {
		dst = append(dst, '0')
	}
	if mark == upperHexMark {
		d = bytes.ToUpper(d)
	}
	return append(dst, d...)
}

// fits reports whether runs have the widths that are fixed.
func (sh *shape) fits(runs []run) bool {
	for i := range sh.fields {
		if f := &sh.fields[i]; f.same >= fixAfter && runs[i].width != f.prev.width {
			return false
		}
	}
	return true
}
