// Package pair joins the entry of a call with its return. Both are events of
// their own, sent when they happen; a pairer keeps entries until their return
// comes, within a budget of bytes.
//
// A call is known by its process, its goroutine, its probe and its depth: how
// many bytes of the goroutine's stack are above its frame, which the runtime
// keeps when it moves the stack. Calls of one goroutine nest, so whatever was
// entered deeper than an event of the same goroutine is over: its frame was
// unwound by a panic, or its return was lost.
//
// The package is pure: it has no clock, no I/O and no goroutine.
package pair

// Call is the identity of a call in progress.
type Call struct {
	// Target, GoID and Depth are those of the event.
	Target uint32
	Depth  uint32
	GoID   uint64
	// Probe is the probe's index.
	Probe uint32
}

// End is why an entry is given back without its return.
type End uint8

// Ends of entries.
const (
	// Unwound means that the goroutine went on above the call: a panic or
	// runtime.Goexit took its frame away, or its return was throttled or lost.
	Unwound End = iota + 1
	// Evicted means that the budget was spent and the entry was the oldest.
	Evicted
	// Overdue means that the call took longer than the caller of Expire waits.
	Overdue
	// Ended means that the process ended, or the probe was removed.
	Ended
)

// String says it for a snapshot's evaluation error.
func (e End) String() string {
	switch e {
	case Unwound:
		return "return not received: the call was unwound by a panic, or its return was lost"
	case Evicted:
		return "return not received: too many calls were in progress"
	case Overdue:
		return "return not received: the call was still running a minute later"
	case Ended:
		return "return not received: the probe was removed or the process ended first"
	}
	return "unknown"
}

// Pairer keeps entries. It is not safe for concurrent use.
type Pairer struct {
	budget, used int
	orphan       func(entry []byte, why End)
	stacks       map[goroutine]*stack
	age          entry // the ring of all entries begins and ends here, the oldest first
	pending      int
	freeEntries  []*entry
	freeStacks   []*stack
}

type goroutine struct {
	target uint32
	id     uint64
}

// stack holds the entries of one goroutine, by depth, the outermost first.
type stack struct{ entries []*entry }

type entry struct {
	call         Call
	ktime        uint64
	event        []byte
	older, newer *entry
}

// entryCost is what an entry takes besides its event.
const entryCost = 160

// New makes a pairer that holds about budget bytes. orphan is told of entries
// that will get no return; it must not keep the slice.
func New(budget int, orphan func(entry []byte, why End)) *Pairer {
	p := &Pairer{budget: budget, orphan: orphan, stacks: map[goroutine]*stack{}}
	p.age.older, p.age.newer = &p.age, &p.age
	return p
}

// Entry keeps a copy of the event with which a call began at a time, in
// nanoseconds.
func (p *Pairer) Entry(c Call, ktime uint64, event []byte) {
	key := goroutine{c.Target, c.GoID}
	s := p.stacks[key]
	if s == nil {
		s = reuse(&p.freeStacks)
		p.stacks[key] = s
	}
	p.unwind(s, c.Depth)
	if i := s.find(c); i >= 0 { // the same frame begins again: its return was lost
		p.give(s, i, Unwound)
	}
	e := reuse(&p.freeEntries)
	e.call, e.ktime, e.event = c, ktime, append(e.event[:0], event...)
	e.older, e.newer = p.age.older, &p.age
	e.older.newer, e.newer.older = e, e
	s.entries = append(s.entries, e)
	p.pending++
	p.used += cap(e.event) + entryCost
	for p.used > p.budget && p.pending > 0 {
		p.evict(p.age.newer, Evicted)
	}
}

// Return gives the entry of the call that returned and had begun at a time, valid
// until the next call of the pairer; nil when it is not there: the call began
// before the probe was placed, or its entry was given back or lost. In the last
// case there may be one of an earlier call of the same frame, whose return was
// lost too: the time tells them apart.
func (p *Pairer) Return(c Call, began uint64) []byte {
	key := goroutine{c.Target, c.GoID}
	s := p.stacks[key]
	if s == nil {
		return nil
	}
	p.unwind(s, c.Depth)
	var event []byte
	if i := s.find(c); i >= 0 {
		if s.entries[i].ktime == began {
			event = p.take(s, i)
		} else {
			p.give(s, i, Unwound)
		}
	}
	p.tidy(key, s)
	return event
}

// Expire gives back the calls that began before a time, in nanoseconds.
func (p *Pairer) Expire(before uint64) {
	for p.pending > 0 && p.age.newer.ktime < before {
		p.evict(p.age.newer, Overdue)
	}
}

// Forget gives back the entries of one process.
func (p *Pairer) Forget(target uint32) {
	p.forget(func(c Call) bool { return c.Target == target })
}

// Close gives back all entries.
func (p *Pairer) Close() { p.forget(func(Call) bool { return true }) }

func (p *Pairer) forget(which func(Call) bool) {
	for e := p.age.newer; e != &p.age; {
		next := e.newer
		if which(e.call) {
			p.evict(e, Ended)
		}
		e = next
	}
}

// Pending is how many calls are in progress.
func (p *Pairer) Pending() int { return p.pending }

// Bytes is the memory of the calls in progress.
func (p *Pairer) Bytes() int { return p.used }

// unwind gives back what was entered deeper: depth grows with each call.
func (p *Pairer) unwind(s *stack, depth uint32) {
	for i := len(s.entries) - 1; i >= 0 && s.entries[i].call.Depth > depth; i-- {
		p.give(s, i, Unwound)
	}
}

// find returns the place of a call among those of its goroutine, or -1.
func (s *stack) find(c Call) int {
	for i := len(s.entries) - 1; i >= 0 && s.entries[i].call.Depth >= c.Depth; i-- {
		if s.entries[i].call == c {
			return i
		}
	}
	return -1
}

func (p *Pairer) evict(e *entry, why End) {
	key := goroutine{e.call.Target, e.call.GoID}
	s := p.stacks[key]
	if i := s.find(e.call); i >= 0 {
		p.give(s, i, why)
	}
	p.tidy(key, s)
}

func (p *Pairer) give(s *stack, i int, why End) { p.orphan(p.take(s, i), why) }

// take removes entry i; its buffer is used again for a later one.
func (p *Pairer) take(s *stack, i int) []byte {
	e := s.entries[i]
	s.entries = append(s.entries[:i], s.entries[i+1:]...)
	e.older.newer, e.newer.older = e.newer, e.older
	p.pending--
	p.used -= cap(e.event) + entryCost
	keep(&p.freeEntries, e)
	return e.event
}

// tidy forgets a goroutine without calls in progress.
func (p *Pairer) tidy(key goroutine, s *stack) {
	if len(s.entries) == 0 {
		delete(p.stacks, key)
		keep(&p.freeStacks, s)
	}
}

// maxFree bounds what is kept to be used again.
const maxFree = 64

func reuse[T any](free *[]*T) *T {
	if len(*free) == 0 {
		return new(T)
	}
	last := (*free)[len(*free)-1]
	*free = (*free)[:len(*free)-1]
	return last
}

func keep[T any](free *[]*T, item *T) {
	if len(*free) < maxFree {
		*free = append(*free, item)
	}
}
