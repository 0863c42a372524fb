package source

import (
	"bytes"

	"github.com/vigil-agent/vigil/logs/record"
)

// cut fills dst, up to its capacity, with the complete lines of text, each a copy
// of like with its own Message and Origin.End. text starts at offset base of its
// source. A line above limit becomes several records of at most limit bytes, also
// before its line feed has come. It returns how many bytes of text the records
// cover and how many records do not end a line.
//
// Messages are parts of text with no capacity beyond their end, so appending to
// one never touches its neighbour.
func cut(dst []record.Record, text []byte, base int64, limit int, like record.Record) (lines []record.Record, used, pieces int) {
	for len(dst) < cap(dst) {
		rest := text[used:]
		length := bytes.IndexByte(rest, '\n')
		next := length + 1
		if length < 0 {
			length = len(rest)
			next = length
		}
		if length > limit {
			length, next = limit, limit
			pieces++
		} else if next == length { // the line is not complete
			break
		}
		used += next
		like.Message = rest[:length:length]
		like.Origin.End = base + int64(used)
		dst = append(dst, like)
	}
	return dst, used, pieces
}
