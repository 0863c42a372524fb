package pattern

import (
	"bytes"
	"slices"
)

// File is Tokenize and Learn in one. Lines tend to follow each other as they did
// before: when one of the patterns that followed the last one fits, only the values
// of the line are cut, and the other tokens are the pattern's own. toks is dst with
// the tokens of the line; Learn's rules about p hold.
func (t *Table) File(dst []Token, line []byte) (toks []Token, p *Pattern) {
	from := len(dst)
	if last := t.last; last != nil && last.trust >= trusted {
		for _, next := range last.next {
			if next == nil || next.gone {
				continue
			}
			if out, ok := next.cut(dst, line); ok {
				t.use(next, line)
				t.follow(next)
				return out, next
			}
		}
	}
	dst = Tokenize(dst, line)
	if p = t.Learn(line, dst[from:]); p != nil {
		t.follow(p)
	}
	return dst, p
}

// followers is how many patterns are remembered to follow one.
const followers = 3

// Predictions are tried when they were right often enough of late.
const (
	trusted  = 3
	maxTrust = 7
)

// follow notes the pattern of the line at hand.
func (t *Table) follow(p *Pattern) {
	if last := t.last; last != nil {
		at := slices.Index(last.next[:], p)
		if at >= 0 {
			last.trust = min(last.trust+1, maxTrust)
		} else {
			last.trust -= min(last.trust, 1)
			at = followers - 1
			last.next[at] = p
		}
		if at > 0 {
			last.next[at-1], last.next[at] = p, last.next[at-1]
		}
	}
	t.last = p
}

// cut appends the tokens of line if it is the pattern's template with values that
// are one token each.
func (p *Pattern) cut(dst []Token, line []byte) ([]Token, bool) {
	p.build()
	// Most lines of other patterns end or begin in another way, which is the cheapest
	// to see.
	done := 0
	if k := len(p.slots); k > 0 {
		done = int(p.slots[k-1].To)
	}
	tail := Span(p.line, p.toks, done, len(p.toks))
	if !bytes.HasSuffix(line, tail) {
		return dst, false
	}
	first := len(p.toks)
	if len(p.slots) > 0 {
		first = int(p.slots[0].From)
	}
	if !bytes.HasPrefix(line, Span(p.line, p.toks, 0, first)) {
		return dst, false
	}
	n := len(dst)
	dst = append(dst, p.toks...)
	toks := dst[n:]
	at, token := 0, 0        // how far line and tokens are done
	moved := uint32(0)       // what has to be added to the ends of the pattern's tokens
	for i := range p.slots { // a slot is one token: no two that vary are neighbours
		k := int(p.slots[i].From)
		text := Span(p.line, p.toks, token, k)
		if !bytes.HasPrefix(line[at:], text) {
			return dst[:n], false
		}
		at += len(text)
		for ; token < k; token++ {
			toks[token].End += moved
		}
		end, kind := p.value(line, at, k)
		if end == 0 {
			return dst[:n], false
		}
		moved = uint32(end) - p.toks[k].End
		toks[k].End, toks[k].Kind = uint32(end), kind
		at, token = end, k+1
	}
	if len(line)-at != len(tail) {
		return dst[:n], false
	}
	for ; token < len(toks); token++ {
		toks[token].End += moved
	}
	return dst, true
}

// value is the end and the kind of the token at an offset of line that stands where
// a token of the pattern varies, or 0 when there is none of its class.
func (p *Pattern) value(line []byte, at, k int) (end int, kind Kind) {
	was := p.toks[k].Kind
	if at >= len(line) || was == IPv6 {
		return 0, 0
	}
	if was == Quoted {
		if to := quotedEnd(line, max(at-len(`: "`), 0), at); to > 0 {
			return to, Quoted
		}
	}
	if m := marks[line[at]]; m&wordBytes == 0 && (m&(dash|slash|plus) == 0 || at+1 == len(line) || !opensWord(line, max(at-1, 0), at+1, m)) {
		return 0, 0
	}
	end, seen := wordEnd(line, at)
	kind = Word
	if seen == digit {
		kind = digitsKind(line[at:end])
	} else if seen&(digit|slash) != 0 {
		kind, _ = classify(line[at:end], seen)
	}
	if was == Time && kind != Path {
		// A part of a stamp is one by what is around it.
		kind = Time
	}
	if classOf[kind&(kinds-1)] != classOf[was&(kinds-1)] {
		return 0, 0
	}
	return end, kind
}
