package source

// Sizes of what one read takes from a file, in bytes.
const (
	// minChunk keeps a trickle of short lines from allocating once per line.
	minChunk = 4 << 10
	// maxChunk is where larger reads stopped being faster.
	maxChunk = 256 << 10
)

// buffer holds the bytes of a file between the last line that was handed on and
// the place reached by reading. Records refer to its memory, so it is only ever
// appended to, and replaced when full.
type buffer struct {
	text []byte // what is not handed on yet; spare capacity is free to be filled
}

// room returns free memory for reading up to want bytes, at least one.
func (b *buffer) room(want int64) []byte {
	n := int(min(max(want, 1), maxChunk))
	if spare := cap(b.text) - len(b.text); spare < n && spare < minChunk/2 {
		// Twice what is held back, so that a line that arrives in crumbs is not
		// copied for each of them.
		next := make([]byte, len(b.text), max(2*len(b.text), len(b.text)+n, minChunk))
		copy(next, b.text)
		b.text = next
	}
	spare := b.text[len(b.text):cap(b.text)]
	return spare[:min(n, len(spare))]
}

// filled says that the first n bytes of room now hold file content.
func (b *buffer) filled(n int) { b.text = b.text[:len(b.text)+n] }

// take gives up the first n bytes: they belong to records now.
func (b *buffer) take(n int) { b.text = b.text[n:] }

// drop forgets what is held back and its memory.
func (b *buffer) drop() { b.text = nil }
