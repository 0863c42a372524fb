package event

import "slices"

// stackSlots is 1 << STACK_BITS in bpf/c/layout.h: as many stacks are known to
// have been sent, each found by the low bits of its hash.
const stackSlots = 1 << 10

// Stacks remembers the call stacks of one session, which the kernel program
// sends once and then refers to by their hash. It forgets what the program does
// not refer to any more: of the stacks that share low bits, all but the last
// two. The zero value is empty. It is not for concurrent use.
type Stacks struct {
	slots [stackSlots][2]knownStack
}

type knownStack struct {
	id  uint64
	pcs []uint64
}

// Resolve fills in the stack of an event that has its number only, and keeps
// that of one that brought it. The stack stays empty when it is not known: the
// event that had it was lost on the way.
func (s *Stacks) Resolve(e *Event) {
	if e.StackID == 0 {
		return
	}
	slot := &s.slots[e.StackID%stackSlots]
	if slot[0].id != e.StackID {
		slot[0], slot[1] = slot[1], slot[0]
	}
	known := slot[0].id == e.StackID
	switch {
	case len(e.Stack) > 0:
		slot[0].id, slot[0].pcs = e.StackID, append(slot[0].pcs[:0], e.Stack...)
	case known:
		e.Stack = append(e.Stack, slot[0].pcs...)
	default:
		slot[0], slot[1] = slot[1], slot[0]
	}
}

// Clone is a copy of an event that shares nothing with the buffer it was parsed
// from.
func (e *Event) Clone() *Event {
	c := *e
	c.Stack, c.holes = slices.Clone(e.Stack), slices.Clone(e.holes)
	c.Items = slices.Clone(e.Items)
	n := 0
	for _, it := range e.Items {
		n += len(it.Data)
	}
	data := make([]byte, 0, n)
	for i := range c.Items {
		from := len(data)
		data = append(data, c.Items[i].Data...)
		c.Items[i].Data = data[from:len(data):len(data)]
	}
	return &c
}
