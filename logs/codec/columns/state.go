package columns

// state is what both sides hold for one stream: it changes in the same way on
// both, because both run the same code on the same values.
type state struct {
	coder
	pool            pool
	bytes, maxBytes int // weight, and the budget

	templates []*template // by number; nil where none is live
	free      []int       // numbers of templates that are gone, last first
	lanes     lanes
	statuses  words
	layouts   []layout
	changes   symbols
	order     order
	times     times
	recent    recent
	dict      turnover
	counts    number // lengths and counts of all sorts

	// What decoding has met: where it is, and the first violation.
	at       place
	why      string
	tooMuch  bool
	maxArena int

	near    neighbours
	text    textStream
	parse   parsed // the value at hand, or the example of a layout
	runs    []run  // encoding: those of a column
	example layout
}

// turnover counts the entries of all dictionaries.
type turnover struct {
	added, removed uint64
}

// The weight of a state is counted alike on both sides: the bytes of text it holds
// and a fixed size for each model.
const (
	templateBytes = 256 // with the models of its status and of what comes next
	slotBytes     = 256
	baseBytes     = 5*numberBytes + templateBytes + laneBytes
)

func newState(maxBytes int, encoding bool) *state {
	s := &state{maxBytes: maxBytes, bytes: baseBytes}
	p := &s.pool
	p.chunks = encoding
	s.counts = *p.number()
	s.templates = []*template{p.template()} // number 0 stands for lines of plain text
	s.times.diff = p.number()
	s.lanes.init(p)
	s.statuses.limit = maxStatuses
	s.recent.step = *p.number()
	s.changes = p.symbols(changeKinds)
	s.text.lengths, s.text.lines = *p.number(), *p.number()
	return s
}

// allow takes n bytes of the budget, if they are left.
func (s *state) allow(n int) bool {
	if s.bytes+n > s.maxBytes {
		return false
	}
	s.bytes += n
	return true
}

// allowNumber makes a model where there is none.
func (s *state) allowNumber(m **number) bool {
	if *m == nil {
		if !s.allow(numberBytes) {
			return false
		}
		*m = s.pool.number()
	}
	return true
}

// count codes a small non-negative number.
func (s *state) count(n int, limit int) int {
	v := s.number(&s.counts, int64(n))
	if v < 0 || v > int64(limit) {
		s.fail("a count is out of range")
		return 0
	}
	return int(v)
}

// string codes bytes as part of the batch's text; decoding, the result is part of
// the text.
func (s *state) string(m *number, b []byte) []byte {
	if s.encoding {
		s.number(m, int64(len(b)))
		s.text.append(b)
		return b
	}
	n := s.number(m, 0)
	if n < 0 || n > int64(s.text.left()) {
		s.fail("text is too short")
		return nil
	}
	return s.text.take(int(n))
}
