package pattern

// The cost model of admission, in bytes before compression, which shrinks both
// sides alike: measured on the corpora of the logs specification, section 11.
const (
	// valueCost is what a value costs besides its bytes, once compressed.
	valueCost = 2
	// referCost is what naming the pattern costs.
	referCost = 1
	// defineCost is the framing of a define, once compressed.
	defineCost = 4
	// One define in carryOf is carried by a snapshot before it pays: streams rotate
	// seldom, compared with the batches that a lasting pattern is used in.
	carryOf = 4
)

// saves is what a line saves when it refers to the pattern, in bytes. It is
// negative for templates with less text than their values cost.
func (p *Pattern) saves() int {
	p.build()
	return len(p.template) - valueCost*len(p.pos) - referCost
}

// Pays reports whether telling the receiver the pattern is expected to save more
// than it costs, its share of snapshots included: a pattern of n lines so far
// would have saved on each, and is expected to return n - 1 times more.
func (t *Table) Pays(p *Pattern) bool {
	if p.dropped {
		return false
	}
	saves := p.saves()
	costs := len(p.template) + len(p.pos) + defineCost
	costs += costs / carryOf
	return saves > 0 && (2*(p.lines+p.returned)-1)*uint64(saves) >= uint64(costs)
}

// Loses reports whether a pattern the receiver knows has become so wide that lines
// cost more with it than without.
func (t *Table) Loses(p *Pattern) bool { return p.id != 0 && p.saves() <= 0 }
