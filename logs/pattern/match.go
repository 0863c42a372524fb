package pattern

import "bytes"

// A line joins a pattern if one word in maxVaryingOf varies then, or one word.
const maxVaryingOf = 5

// maxCluster bounds the patterns that a line is compared with: a line that meets
// as many joins the closest, however many words vary.
const maxCluster = 32

// Fits reports whether the line is the pattern's template with some values: the
// same number of tokens, and the same bytes outside its slots.
func (p *Pattern) Fits(line []byte, toks []Token) bool {
	if len(toks) != len(p.toks) {
		return false
	}
	p.build()
	from := 0
	for _, s := range p.slots {
		if !bytes.Equal(Span(line, toks, from, int(s.From)), Span(p.line, p.toks, from, int(s.From))) {
			return false
		}
		from = int(s.To)
	}
	return bytes.Equal(Span(line, toks, from, len(toks)), Span(p.line, p.toks, from, len(toks)))
}

// distance is the number of words that would vary if the line joined the pattern,
// and whether it can join at all: it differs neither in punctuation nor, unless
// that may vary, in its first word.
func (p *Pattern) distance(line []byte, toks []Token, firstMayVary bool) (varying int, ok bool) {
	if len(toks) != len(p.toks) {
		return 0, false
	}
	var start, pstart uint32
	for i, t := range toks {
		pt := p.toks[i]
		text, ptext := line[start:t.End], p.line[pstart:pt.End]
		start, pstart = t.End, pt.End
		if classOf[t.Kind&(kinds-1)] != classOf[pt.Kind&(kinds-1)] {
			return 0, false
		}
		if !p.wild.has(i) && bytes.Equal(text, ptext) {
			continue
		}
		switch classOf[t.Kind&(kinds-1)] {
		case classText:
			return 0, false
		case classWord:
			if i != p.first {
				varying++
			} else if !firstMayVary {
				return 0, false
			}
		}
	}
	return varying, true
}

// widen lets the tokens vary in which the line differs.
func (p *Pattern) widen(line []byte, toks []Token) {
	var start, pstart uint32
	for i, t := range toks {
		pt := p.toks[i]
		if !bytes.Equal(line[start:t.End], p.line[pstart:pt.End]) {
			p.wild.add(i)
		}
		start, pstart = t.End, pt.End
	}
	p.stale = p.id != 0
	p.built = false
	p.version++
}

// cluster is the patterns that one line is compared with.
type cluster struct {
	patterns []*Pattern
	first    [1]*Pattern // room for most
}

// fitting is the oldest pattern that fits the line.
func (c *cluster) fitting(line []byte, toks []Token) *Pattern {
	for _, p := range c.patterns {
		if p.Fits(line, toks) {
			return p
		}
	}
	return nil
}

// closest is the pattern that has to change least to fit the line; of several the
// oldest.
func (c *cluster) closest(line []byte, toks []Token, firstMayVary bool) *Pattern {
	var best *Pattern
	least := 0
	for _, p := range c.patterns {
		d, ok := p.distance(line, toks, firstMayVary)
		if !ok || d > max(1, p.words/maxVaryingOf) && len(c.patterns) < maxCluster {
			continue
		}
		if best == nil || d < least {
			best, least = p, d
		}
	}
	return best
}
