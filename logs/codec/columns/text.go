package columns

// textStream is the text of one batch: templates, shapes, plain lines and values,
// in the order in which they are coded. It is compressed on its own.
type textStream struct {
	buf     []byte
	pos     int    // decoding: what has been taken
	lengths number // of what is short
	lines   number // of plain lines
}

func (t *textStream) append(b []byte) { t.buf = append(t.buf, b...) }

func (t *textStream) left() int { return len(t.buf) - t.pos }

func (t *textStream) take(n int) []byte {
	b := t.buf[t.pos : t.pos+n : t.pos+n]
	t.pos += n
	return b
}
