package probe

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

// exactPlace matches a source name that ends in :line:column. The text of such
// a definition was taken out of another file, so offsets in it mean nothing to
// its author.
var exactPlace = regexp.MustCompile(`:\d+:\d+$`)

// source is the text being parsed and its name.
type source struct {
	where string
	data  []byte
}

// position turns a byte offset into line and column, both from 1, columns in
// characters; 0, 0 when the name of the source is the place.
func (s source) position(offset int) (line, column int) {
	if exactPlace.MatchString(s.where) {
		return 0, 0
	}
	before := s.data[:min(offset, len(s.data))]
	line = 1 + bytes.Count(before, []byte{'\n'})
	column = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return line, column
}
