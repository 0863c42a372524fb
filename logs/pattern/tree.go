package pattern

import (
	"bytes"
	"encoding/binary"

	"github.com/vigil-agent/vigil/logs/internal/octets"
)

// tree finds the pattern of a line in one walk from its start: templates that begin
// alike share their edges. It holds patterns that the receiver knows, as it knows
// them. What it does not find, tokens may: it may forget anything at any time.
type tree struct {
	root  node
	edges int
	stale int // leaves of patterns that have changed or are gone
	walks int // since it was empty
	steps int // of the walk at hand
}

// node is a place between two values, or at the start of a line.
type node struct {
	edges []edge // those taken of late first
}

// edge is constant text, and the value behind it.
type edge struct {
	key, mask uint64 // the last eight bytes of text, or all there are, and which there are
	text      []byte
	slot      slotKind
	next      *node    // nil for a leaf: the line ends behind the text
	pattern   *Pattern // of a leaf
	version   uint32   // of the pattern
}

// slotKind is what the value of a slot must look like.
type slotKind uint8

const (
	slotNumber slotKind = iota
	slotTime
	slotWord
	slotQuoted
	slotPath
)

const (
	maxEdges = 1 << 13
	maxSteps = 128 // edges looked at for one line
	maxDepth = 64  // values of a template
	maxStale = 256
	// A full tree starts afresh when it has been used for so many lines.
	keepTree = 1 << 16
)

// Match finds a pattern that the receiver knows, as it knows it, and that the line
// fits, without cutting the line into tokens. It appends to dst where the line's
// values start and end, in the order of Pattern.Slots. It is nil when Tokenize and
// Learn must find the pattern; Learn's rules about p hold.
func (t *Table) Match(dst []uint32, line []byte) (values []uint32, p *Pattern) {
	if t.tree == nil {
		t.tree = &tree{}
	}
	if len(line) > t.limits.MaxLineBytes {
		return dst, nil
	}
	t.tree.walks++
	t.tree.steps = maxSteps
	values, p = t.tree.walk(&t.tree.root, dst, line, 0)
	if p != nil {
		t.use(p, line)
		return values, p
	}
	return dst, nil
}

// walk is the pattern that the line fits from an offset on.
func (tr *tree) walk(n *node, dst []uint32, line []byte, at int) ([]uint32, *Pattern) {
	for len(n.edges) == 1 {
		tr.steps--
		e := &n.edges[0]
		to := e.skip(line, at)
		if to < 0 || tr.steps < 0 {
			return dst, nil
		}
		if e.next == nil {
			return dst, e.leaf(line, to)
		}
		end := e.slot.end(line, to)
		if end == 0 {
			return dst, nil
		}
		dst = append(dst, uint32(to), uint32(end))
		n, at = e.next, end
	}
	for i := range n.edges {
		if tr.steps--; tr.steps < 0 {
			return dst, nil
		}
		e := &n.edges[i]
		to := e.skip(line, at)
		if to < 0 {
			continue
		}
		values := dst
		var p *Pattern
		if e.next == nil {
			p = e.leaf(line, to)
		} else if end := e.slot.end(line, to); end > 0 {
			values, p = tr.walk(e.next, append(dst, uint32(to), uint32(end)), line, end)
		}
		if p == nil {
			continue
		}
		if i > 0 {
			n.edges[i-1], n.edges[i] = n.edges[i], n.edges[i-1]
		}
		return values, p
	}
	return dst, nil
}

// skip is the offset behind the text of an edge that starts at one, or -1.
func (e *edge) skip(line []byte, at int) int {
	n := len(e.text)
	to := at + n
	if to > len(line) {
		return -1
	}
	// Edges of one node often begin alike, and seldom end so.
	if n < 8 {
		if (octets.At(line, at)^e.key)&e.mask != 0 {
			return -1
		}
	} else if binary.LittleEndian.Uint64(line[to-8:]) != e.key || string(line[at:to-8]) != string(e.text[:n-8]) {
		return -1
	}
	return to
}

// leaf is the pattern of an edge if the line ends behind its text.
func (e *edge) leaf(line []byte, to int) *Pattern {
	if to != len(line) || e.pattern.gone || !e.pattern.Defined() || e.pattern.version != e.version {
		return nil
	}
	return e.pattern
}

// end is where the value at an offset of line ends, 0 when there is none of the kind.
func (k slotKind) end(line []byte, at int) int {
	if at >= len(line) {
		return 0
	}
	if k <= slotTime {
		// Most numbers are digits, or start with them.
		if n := octets.Digits(octets.At(line, at)); n > 0 && n < 8 {
			if !goesOn(line, at+n) {
				return at + n
			}
			if marks[line[at+n]]&wordBytes == 0 {
				end, seen := wordGoesOn(line, at+n, digit)
				return k.admits(line, at, end, seen)
			}
		}
	}
	if k == slotQuoted {
		if to := quotedEnd(line, max(at-len(`: "`), 0), at); to > 0 {
			return to
		}
	}
	if m := marks[line[at]]; m&wordBytes == 0 && (m&(dash|slash|plus) == 0 || at+1 == len(line) || !opensWord(line, max(at-1, 0), at+1, m)) {
		return 0
	}
	end, seen := at+1, marks[line[at]]
	// Hashes and the like are skipped in large steps.
	const long = 16
	if k == slotNumber && at+long <= len(line) && marks[line[at+long-1]]&(digit|hexLetter) != 0 {
		if to, hex := hexEnd(line, at); to > at {
			end, seen = to, hex
		}
	}
	end, seen = wordGoesOn(line, end, seen)
	return k.admits(line, at, end, seen)
}

// admits is the end of a word if its class is that of the kind, else 0.
func (k slotKind) admits(line []byte, at, end int, seen mark) int {
	switch c := classOfWord(line[at:end], seen); {
	case c == classNumber && k <= slotTime, c == classWord && (k >= slotTime && k <= slotQuoted), c == classPath && k == slotPath:
		return end
	}
	return 0
}

// goesOn reports whether a word goes on at an offset, behind a digit of it.
func goesOn(line []byte, i int) bool {
	if i >= len(line) {
		return false
	}
	m := marks[line[i]]
	if m&(wordBytes|joins|numericJoins) == 0 {
		return false
	}
	if m&wordBytes != 0 {
		return true
	}
	if i+1 == len(line) {
		return false
	}
	next := marks[line[i+1]]
	return next == digit || m&joins != 0 && next&wordBytes != 0
}

// classOfWord is the class of the kind that classify gives a word.
func classOfWord(word []byte, seen mark) class {
	switch {
	case seen&(digit|slash) == 0:
		return classWord
	case seen&slash == 0, seen&digit != 0 && seen&(hexLetter|letter|at) == 0, seen&colon != 0 && seen&digit != 0 && isAccessTime(word):
		return classNumber
	}
	return classPath
}

// plant lets the tree find a pattern as the receiver knows it.
func (t *Table) plant(p *Pattern) {
	tr := t.tree
	if tr == nil || !p.Defined() || p.planted == (planted{tr, p.version}) {
		return
	}
	p.build()
	if !p.plantable() || tr.edges+len(p.slots) >= maxEdges && tr.walks < keepTree {
		return
	}
	if p.planted.in == tr {
		tr.stale++
	}
	if tr.edges+len(p.slots) >= maxEdges || tr.stale > maxStale {
		*tr = tree{}
		tr = &tree{}
		t.tree = tr
	}
	p.planted = planted{tr, p.version}
	tr.edges += len(p.slots) + 1
	n, from := &tr.root, 0
	for _, s := range p.slots {
		k := int(s.From)
		n = n.child(Span(p.line, p.toks, from, k), slotOf(p.toks[k].Kind))
		from = k + 1
	}
	leaf := edgeOf(Span(p.line, p.toks, from, len(p.toks)))
	leaf.pattern, leaf.version = p, p.version
	n.edges = append(n.edges, leaf)
}

// planted is where a pattern has a leaf, and with which template.
type planted struct {
	in      *tree
	version uint32
}

// plantable reports whether the slots of a pattern are such as the tree can tell.
func (p *Pattern) plantable() bool {
	for _, s := range p.slots {
		if s.To != s.From+1 || p.toks[s.From].Kind == IPv6 {
			return false
		}
	}
	return len(p.slots) <= maxDepth
}

// child is the node behind some text and a value.
func (n *node) child(text []byte, k slotKind) *node {
	for i := range n.edges {
		if e := &n.edges[i]; e.next != nil && e.slot == k && bytes.Equal(e.text, text) {
			return e.next
		}
	}
	e := edgeOf(text)
	e.slot, e.next = k, &node{}
	n.edges = append(n.edges, e)
	return e.next
}

func edgeOf(text []byte) edge {
	e := edge{text: text, key: octets.At(text, max(0, len(text)-8)), mask: ^uint64(0)}
	if n := len(text); n < 8 {
		e.mask = 1<<(8*n) - 1
	}
	return e
}

// slotOf is what the values of a slot look like, given the kind of one.
func slotOf(k Kind) slotKind {
	switch k {
	case Time:
		return slotTime
	case Quoted:
		return slotQuoted
	case Word:
		return slotWord
	case Path:
		return slotPath
	}
	return slotNumber
}
