package rows

import "unicode/utf8"

// The schema's strings are UTF-8. Every byte that is no part of it becomes U+FFFD,
// and the record is counted (logs specification, section 1.8, Q9).

// validMessage is a message as the schema can carry it, and whether it had to be
// changed. A changed one is valid for this call of Encode.
func (e *Encoder) validMessage(msg []byte) (valid []byte, replaced bool) {
	if utf8.Valid(msg) {
		return msg, false
	}
	from := len(e.clean)
	e.clean = appendValid(e.clean, msg)
	return e.clean[from:len(e.clean):len(e.clean)], true
}

// utf8 is the same for tags and status, in memory that the next call uses again.
func (e *Encoder) utf8(s string) []byte {
	if utf8.ValidString(s) {
		e.text = append(e.text[:0], s...)
	} else {
		e.text = appendValid(e.text[:0], []byte(s))
	}
	return e.text
}

func appendValid(dst, src []byte) []byte {
	for len(src) > 0 {
		// Of an invalid byte this is U+FFFD and 1.
		r, n := utf8.DecodeRune(src)
		dst = utf8.AppendRune(dst, r)
		src = src[n:]
	}
	return dst
}
