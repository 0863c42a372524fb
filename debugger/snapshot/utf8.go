package snapshot

import "unicode/utf8"

// wholeRunes drops the start of a character that clipping cut in two.
func wholeRunes(b []byte) []byte {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if c := b[len(b)-back]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(b[len(b)-back:]) {
				return b[:len(b)-back]
			}
			return b
		}
	}
	return b
}

// quotedLength is an upper bound of the text of a JSON string: six bytes for a
// control character, three for a byte that is not UTF-8.
func quotedLength(b []byte) int {
	n := len(b)
	for _, c := range b {
		switch {
		case c < ' ':
			n += 5
		case c == '"' || c == '\\':
			n++
		case c >= utf8.RuneSelf:
			n += 2
		}
	}
	return n
}
