package batch

import "github.com/vigil-agent/vigil/logs/record"

// keptBytes is how much memory for messages is kept for the next batch, even if this
// one had no use for it.
const keptBytes = 256 << 10

// group is a batch with the memory of its messages.
type group struct {
	lines []record.Record
	text  []byte
	bound int // of text, unless one line is larger
}

// add copies a line.
func (g *group) add(line record.Record) {
	from := len(g.text)
	if need := from + len(line.Message); need > cap(g.text) {
		size := max(need, 2*cap(g.text))
		if need <= g.bound {
			size = min(size, g.bound)
		}
		g.text = append(make([]byte, 0, size), g.text...)
		g.settle() // nothing refers to the memory before
	}
	g.text = append(g.text, line.Message...)
	line.Message = g.text[from:len(g.text):len(g.text)]
	g.lines = append(g.lines, line)
}

// settle makes the messages parts of text again.
func (g *group) settle() {
	at := 0
	for i := range g.lines {
		n := len(g.lines[i].Message)
		g.lines[i].Message = g.text[at : at+n : at+n]
		at += n
	}
}

// empty makes it ready for other lines. What is much more memory than these had use
// for is given up.
func (g *group) empty() {
	if cap(g.text) > max(2*len(g.text), keptBytes) {
		g.text = nil
	}
	clear(g.lines)
	g.lines, g.text = g.lines[:0], g.text[:0]
}
