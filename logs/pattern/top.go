package pattern

import (
	"cmp"
	"slices"
)

// Volume is how much a pattern stood for since it was made.
type Volume struct {
	// ID is the number the receiver knows the pattern by, 0 when it does not.
	ID uint64
	// Template is the constant text, with <*> where values go.
	Template string
	// Lines and Bytes are the number and the size of its lines.
	Lines, Bytes uint64
}

// Top lists the n patterns with the most bytes, the largest first.
func (t *Table) Top(n int) []Volume {
	all := make([]*Pattern, 0, t.defined+t.candidates)
	for _, c := range t.clusters {
		all = append(all, c.patterns...)
	}
	slices.SortFunc(all, func(a, b *Pattern) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.serial, b.serial))
	})
	out := make([]Volume, 0, min(n, len(all)))
	for _, p := range all[:min(n, len(all))] {
		out = append(out, Volume{ID: p.id, Template: p.String(), Lines: p.lines, Bytes: p.bytes})
	}
	return out
}

// String is the template, with <*> where values go.
func (p *Pattern) String() string {
	text, pos := p.Template()
	var b []byte
	at := uint32(0)
	for _, x := range pos {
		b = append(append(b, text[at:x]...), "<*>"...)
		at = x
	}
	return string(append(b, text[at:]...))
}
