package pattern

import "unsafe"

// MaxTokens is the number of tokens a line may have to be given a pattern.
const MaxTokens = 512

// Pattern is a set of lines that differ only in some of their tokens. It belongs
// to its table and changes only through it.
type Pattern struct {
	// What the pattern was made from. The words of line that vary are counted in
	// state; first is the index of the first Word, or -1.
	line   []byte
	toks   []Token
	first  int
	words  int
	family uint64
	serial uint64 // order of creation
	rank   uint64 // scratch of eviction
	gone   bool   // out of the table

	version uint32 // of the template
	planted planted

	state

	// What follows from line, toks and wild; built says whether it is up to date.
	template []byte
	pos      []uint32
	slots    []Slot
	built    bool
}

// state is the part of a pattern that a transaction may change and undo.
type state struct {
	id       uint64
	cluster  uint64 // key of the cluster it is filed in
	lastUse  uint64 // transaction
	usedAt   int64  // time
	heat     uint64 // lines of late, as of lastUse
	lines    uint64
	returned uint64 // lines of a candidate before it that was evicted, as far as known
	bytes    uint64
	weighs   int                 // state bytes of what the receiver knows; 0 when it knows nothing
	stale    bool                // the receiver knows id with a narrower template
	trust    uint8               // in next
	next     [followers]*Pattern // of lines that came after one of this pattern, those that do so often first
	dropped  bool                // out of the table, though lines of the transaction still hold it
	wild     tokenSet
}

// memoryOf is the memory of a pattern made from a line, and of its place in the
// index: what the line, its tokens, and all that follows from them take at most.
func memoryOf(line, toks int) int {
	const index = 96 // a cluster, its slice, and an entry of the map
	return int(unsafe.Sizeof(Pattern{})) + index + 2*line + int(unsafe.Sizeof(Token{}))*toks + 8*((toks+1)/2)
}

func (p *Pattern) memory() int { return memoryOf(len(p.line), len(p.toks)) }

// Slot is a run of neighbouring tokens that vary: one value.
type Slot struct {
	// From and To are token indexes, To exclusive.
	From, To uint16
}

// tokenSet is a set of token indexes.
type tokenSet [MaxTokens / 64]uint64

func (s *tokenSet) has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }
func (s *tokenSet) add(i int)      { s[i>>6] |= 1 << (i & 63) }

// ID is the number the receiver knows the pattern by, 0 before Table.Define.
func (p *Pattern) ID() uint64 { return p.id }

// Seen is the number of lines the pattern has stood for.
func (p *Pattern) Seen() int { return int(p.lines) }

// Defined reports whether the receiver knows the pattern as it is now.
func (p *Pattern) Defined() bool { return p.id != 0 && !p.stale }

// Template is the constant text of the pattern and, for each value, the offset in
// that text where it goes: offsets are bytes, non-decreasing, never inside a rune
// of valid UTF-8. Both are valid until the pattern changes.
func (p *Pattern) Template() (text []byte, pos []uint32) {
	p.build()
	return p.template, p.pos
}

// Slots are the values of the pattern, in order, as runs of the tokens of any line
// that Table.Learn gave this pattern. They are valid until the pattern changes.
func (p *Pattern) Slots() []Slot {
	p.build()
	return p.slots
}

// build derives template, positions and slots.
func (p *Pattern) build() {
	if p.built {
		return
	}
	if p.pos == nil {
		n := (len(p.toks) + 1) / 2
		p.pos, p.slots = make([]uint32, 0, n), make([]Slot, 0, n)
	}
	p.template, p.pos, p.slots = p.template[:0], p.pos[:0], p.slots[:0]
	start := uint32(0)
	for i, t := range p.toks {
		switch n := len(p.slots); {
		case !p.wild.has(i):
			p.template = append(p.template, p.line[start:t.End]...)
		case n > 0 && int(p.slots[n-1].To) == i:
			p.slots[n-1].To++
		default:
			p.slots = append(p.slots, Slot{From: uint16(i), To: uint16(i + 1)})
			p.pos = append(p.pos, uint32(len(p.template)))
		}
		start = t.End
	}
	p.built = true
}

// Span is the bytes of line that the tokens from one index up to another cover.
func Span(line []byte, toks []Token, from, to int) []byte {
	var start, end uint32
	if from > 0 {
		start = toks[from-1].End
	}
	if to > 0 {
		end = toks[to-1].End
	}
	return line[start:end]
}

// Version is another number for each template that the pattern has had.
func (p *Pattern) Version() uint32 { return p.version }
