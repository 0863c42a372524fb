package columns

// lane is the lines of one tag set: one source, whose clock goes on and whose
// templates follow each other.
type lane struct {
	last      [3]int  // the templates of the lines before, latest first
	next      symbols // the tags of the line after
	registers []register
}

// register is the latest time in one layout.
type register struct {
	value uint64
	diff  *number
}

const (
	maxLanes  = 256 // the first lane is for all tag sets beyond
	laneBytes = 128 + 2*maxLanes
)

// lanes finds the lane of each line.
type lanes struct {
	tags words
	list []lane
	last int
}

func (ls *lanes) init(p *pool) {
	ls.tags.limit = maxTags
	ls.list = []lane{{next: p.symbols(1)}}
}

// lane codes the tags of a line and returns the number of its lane.
func (s *state) lane(tags string) (string, int) {
	ls := &s.lanes
	tags, n := s.word(&ls.tags, &ls.list[ls.last].next, tags)
	n++ // the first lane has no tags of its own
	for n >= len(ls.list) {
		if !s.allow(laneBytes) {
			n = 0
			break
		}
		ls.list = append(ls.list, lane{next: s.pool.symbols(1)})
	}
	ls.last = n
	return tags, n
}

// register is the latest time of a lane in a layout; nil if there is no room.
func (s *state) register(l *lane, layout int) *register {
	if layout < len(l.registers) && l.registers[layout].diff != nil {
		return &l.registers[layout]
	}
	if !s.allow(numberBytes) {
		return nil
	}
	for len(l.registers) <= layout {
		l.registers = append(l.registers, register{})
	}
	l.registers[layout].diff = s.pool.number()
	return &l.registers[layout]
}
