// Package interp is the reference interpreter of the capture byte-code: what
// the kernel program in bpf/c/interp.h does, written to be read. Tests run both
// and compare; it also says what a plan would capture where no kernel program
// can run.
package interp

import (
	"encoding/binary"
	"slices"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// Bounds of one event, as in bpf/c/layout.h and bpf/c/scratch.h.
const (
	fragmentBytes = 32768
	maxFragments  = 16
	headerSize    = 72
	itemHeader    = 16
	queueItems    = 1024
	seenBits      = 10
	maxSteps      = 65536
	maxGroups     = 65536
)

// Machine is a process at the moment of a hit.
type Machine struct {
	// Registers are in DWARF order.
	Registers [32]uint64
	// CFA is the canonical frame address.
	CFA uint64
	// Types is the run-time address of runtime.types.
	Types uint64
	// Kept is what an entry keeps with its call; at its return it is the same. Nil
	// keeps nothing.
	Kept *uint64
	// Read fills b from an address, all of it or none.
	Read func(b []byte, addr uint64) error
}

// Run executes a compiled plan as at a site of the given kind and returns the
// event's items and holes. Frames is the number of program counters in the
// event: they take up room.
func Run(p *plan.Plan, kind plan.SiteKind, m Machine, frames int) *event.Event {
	r := newRun(p, m, frames)
	r.pc = p.RootRoutine(kind)
	r.e.Items[0].Addr = m.CFA
	r.loop()
	return r.e
}

// Follow is Run at a site whose root was captured already: copies are skipped.
func Follow(p *plan.Plan, kind plan.SiteKind, root event.Item, m Machine, frames int) *event.Event {
	r := newRun(p, m, frames)
	r.pc = p.RootRoutine(kind)
	r.copied = true
	r.e.Items[0] = event.Item{Addr: root.Addr, Data: slices.Clone(root.Data)}
	r.at.data = r.e.Items[0].Data
	r.loop()
	return r.e
}

// scan is an item whose elements are run through a routine.
type scan struct {
	data    []byte
	base    int // of the current element
	stride  int
	routine uint32
	depth   int
	left    int // entries that are still wanted of the map the item is part of
}

type seen struct {
	typ    gotype.ID
	addr   uint64
	length uint64
	depth  int
}

type run struct {
	p       *plan.Plan
	m       Machine
	e       *event.Event
	dynamic map[uint32]plan.Op
	copied  bool
	// cursor is the first free byte of a fragment, of which some were closed.
	cursor, fragments int
	pc                uint32
	at                scan
	queue             []scan
	seen              [1 << seenBits]seen
	// walk is the next group of a map, and walkLeft how many follow; or walkLeft
	// says that the second part of a ring does.
	walk     uint64
	walkLeft uint64
}

func newRun(p *plan.Plan, m Machine, frames int) *run {
	root := make([]byte, p.RootSize)
	r := &run{
		p: p, m: m,
		e:       &event.Event{Items: []event.Item{{Data: root}}},
		dynamic: map[uint32]plan.Op{},
		cursor:  headerSize + 8*frames + itemHeader + padded(len(root)),
		at:      scan{data: root, stride: len(root) + 1, depth: p.Limits.OrDefaults().Depth},
	}
	for _, d := range p.Dynamic {
		r.dynamic[d.Offset] = d.Op
	}
	return r
}

func padded(n int) int { return (n + 7) &^ 7 }

func (r *run) loop() {
	for range maxSteps {
		op := r.p.Code[r.pc]
		r.pc++
		switch op.Code {
		case plan.OpEnd:
			if !r.advance() {
				return
			}
		case plan.OpRegister, plan.OpStack, plan.OpHole, plan.OpKept:
			if !r.copied || op.Code == plan.OpHole {
				r.copy(op)
			}
		default:
			r.value(op)
			if r.e.Incomplete {
				return
			}
		}
	}
	r.e.Incomplete = true
}

// advance moves to the next element, or to the next item.
func (r *run) advance() bool {
	r.at.base += r.at.stride
	if r.at.base >= len(r.at.data) {
		if len(r.queue) == 0 {
			return false
		}
		r.at, r.queue = r.queue[0], r.queue[1:]
	}
	r.pc = r.at.routine
	return true
}

// copy fills a piece of the root.
func (r *run) copy(op plan.Op) {
	to := r.at.data[op.Offset:][:op.Size]
	switch op.Code {
	case plan.OpRegister:
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], r.m.Registers[op.Reg])
		copy(to, word[:])
	case plan.OpStack:
		if r.m.Read(to, r.m.CFA+uint64(op.CFA)) == nil {
			return
		}
		clear(to)
		r.hole(op)
	case plan.OpKept:
		if r.m.Kept != nil {
			binary.LittleEndian.PutUint64(to, *r.m.Kept)
		}
	case plan.OpHole:
		r.hole(op)
	}
}

func (r *run) hole(op plan.Op) {
	if !r.room(0) {
		r.e.Incomplete = true
		return
	}
	r.cursor += itemHeader
	r.e.MarkUnread(op.Offset, op.Size)
}

// room reports whether an item of n bytes fits, in a new fragment if need be.
func (r *run) room(n int) bool {
	if r.cursor+itemHeader+padded(n) <= fragmentBytes {
		return true
	}
	if r.fragments == maxFragments-1 {
		return false
	}
	r.fragments++
	r.cursor = headerSize
	return true
}

// word is the word at an offset of the current element.
func (r *run) word(offset uint32) uint64 {
	return binary.LittleEndian.Uint64(r.at.data[r.at.base+int(offset):])
}

// value runs an instruction that looks at a value of the current element.
func (r *run) value(op plan.Op) {
	words := 1
	switch op.Code {
	case plan.OpString, plan.OpSlice, plan.OpInterface:
		words = 2
	}
	if r.at.base+int(op.Offset)+8*words > len(r.at.data) {
		return // a clipped item ends before some of its fields
	}
	again := false
	switch op.Code {
	case plan.OpInterface:
		r.dynamicValue(op)
	case plan.OpInstance:
		r.instance(op)
	case plan.OpKeep:
		if d := r.word(op.Offset); r.m.Kept != nil && d+plan.DictionaryFar-r.m.Types < 2*plan.DictionaryFar {
			*r.m.Kept = d
		}
	case plan.OpRing:
		again = r.ring(op)
	case plan.OpGroups:
		again = r.groups(op)
	case plan.OpPointer:
		if depth, ok := r.deeper(op); ok {
			r.follow(op, op.Reason, r.word(op.Offset), 1, depth)
		}
	default:
		n, reason := r.word(op.Offset+8), event.ReasonNone
		if n > uint64(op.Limit) {
			n, reason = uint64(op.Limit), op.Reason
		}
		r.follow(op, reason, r.word(op.Offset), n, r.at.depth)
	}
	if again {
		r.pc--
	}
}

// deeper is the depth behind a pointer.
func (r *run) deeper(op plan.Op) (depth int, ok bool) {
	if op.Flags&plan.FlagFree != 0 {
		return r.at.depth, true
	}
	return r.at.depth - 1, r.at.depth > 0
}

// follow captures n elements at addr and queues them.
func (r *run) follow(op plan.Op, reason event.Reason, addr, n uint64, depth int) {
	length := n * uint64(op.Size)
	if addr == 0 || n == 0 || r.known(op.Type, addr, length, depth) {
		return
	}
	full := len(r.queue) >= queueItems
	if op.Routine != 0 && full && reason == event.ReasonNone {
		reason = event.ReasonPointers
	}
	data := r.capture(op.Type, addr, int(length), reason)
	if len(data) > 0 && op.Routine != 0 && !full {
		r.queue = append(r.queue, scan{data: data, stride: int(op.Size), routine: op.Routine, depth: depth, left: int(op.Aux)})
	}
}

// capture appends an item and returns its data.
func (r *run) capture(typ gotype.ID, addr uint64, n int, reason event.Reason) []byte {
	if n > plan.MaxItem || !r.room(n) {
		n, reason = 0, event.ReasonTooLarge
		if !r.room(0) {
			r.e.Incomplete = true
			return nil
		}
	}
	data := make([]byte, n)
	if n > 0 && r.m.Read(data, addr) != nil {
		data, reason = data[:0], event.ReasonUnavailable
	}
	r.cursor += itemHeader + padded(len(data))
	r.e.Items = append(r.e.Items, event.Item{Type: typ, Addr: addr, Data: data, Reason: reason})
	return data
}

// known is the direct-mapped memory of what this hit captured.
func (r *run) known(typ gotype.ID, addr, length uint64, depth int) bool {
	s := &r.seen[(addr^uint64(typ)<<48)*0x9e3779b97f4a7c15>>(64-seenBits)]
	if s.typ == typ && s.addr == addr && s.length >= length && s.depth >= depth {
		return true
	}
	*s = seen{typ, addr, length, depth}
	return false
}
