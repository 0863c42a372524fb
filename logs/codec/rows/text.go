package rows

import "unicode/utf8"

// The schema's strings are UTF-8. Every byte that is no part of it becomes U+FFFD,
// and the record is counted (logs specification, section 1.8, Q9).

// validMessage is a message as the schema can carry it, valid for this call of
// Encode.
func (e *Encoder) validMessage(msg []byte) []byte {
	from := len(e.clean)
	e.clean = appendValid(e.clean, msg)
	return e.clean[from:len(e.clean):len(e.clean)]
}

// validText is the same for tags and status.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string(appendValid(nil, []byte(s)))
}

// utf8 is validText in memory that the next call uses again.
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
