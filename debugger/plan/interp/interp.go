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
	outBytes   = 32768
	headerSize = 48
	itemHeader = 16
	queueItems = 256
	seenBits   = 8
	maxSteps   = 8192
)

// Machine is a process at the moment of a hit.
type Machine struct {
	// Registers are in DWARF order.
	Registers [32]uint64
	// CFA is the canonical frame address.
	CFA uint64
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

// Follow is Run at an entry whose root was captured already: copies are
// skipped.
func Follow(p *plan.Plan, root event.Item, m Machine, frames int) *event.Event {
	r := newRun(p, m, frames)
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
}

type seen struct {
	typ    gotype.ID
	addr   uint64
	length uint64
	depth  int
}

type run struct {
	p      *plan.Plan
	m      Machine
	e      *event.Event
	copied bool
	cursor int
	pc     uint32
	at     scan
	queue  []scan
	seen   [1 << seenBits]seen
}

func newRun(p *plan.Plan, m Machine, frames int) *run {
	root := make([]byte, p.RootSize)
	return &run{
		p: p, m: m,
		e:      &event.Event{Items: []event.Item{{Data: root}}},
		cursor: headerSize + 8*frames + itemHeader + padded(len(root)),
		at:     scan{data: root, stride: len(root) + 1, depth: p.Limits.OrDefaults().Depth},
	}
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
		case plan.OpRegister, plan.OpStack, plan.OpHole:
			if !r.copied || op.Code == plan.OpHole {
				r.copy(op)
			}
		default:
			r.follow(op)
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
	case plan.OpHole:
		r.hole(op)
	}
}

func (r *run) hole(op plan.Op) {
	if _, ok := r.room(0); ok {
		r.cursor += itemHeader
		r.e.MarkUnread(op.Offset, op.Size)
	}
}

// room reports whether n bytes fit, and whether at least their header does.
func (r *run) room(n int) (data, header bool) {
	if r.cursor > outBytes-itemHeader {
		r.e.Incomplete = true
		return false, false
	}
	return n <= plan.MaxItem && r.cursor+itemHeader+n <= outBytes, true
}

// follow captures what a pointer, string or slice refers to.
func (r *run) follow(op plan.Op) {
	words := 2
	if op.Code == plan.OpPointer {
		words = 1
	}
	at := r.at.base + int(op.Offset)
	if at+8*words > len(r.at.data) {
		return
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(r.at.data[at+8*i:]) }
	addr, n, depth, reason := word(0), uint64(1), r.at.depth, event.ReasonNone
	switch {
	case op.Code == plan.OpPointer && depth == 0:
		return
	case op.Code == plan.OpPointer:
		depth--
		reason = op.Reason
	default:
		if n = word(1); n > uint64(op.Limit) {
			n, reason = uint64(op.Limit), op.Reason
		}
		if word(1) == 0 {
			return
		}
	}
	length := n * uint64(op.Size)
	if addr == 0 || r.known(op.Type, addr, length, depth) {
		return
	}
	full := len(r.queue) >= queueItems
	if op.Routine != 0 && full && reason == event.ReasonNone {
		reason = event.ReasonPointers
	}
	data := r.capture(op.Type, addr, int(length), reason)
	if len(data) > 0 && op.Routine != 0 && !full {
		r.queue = append(r.queue, scan{data: data, stride: int(op.Size), routine: op.Routine, depth: depth})
	}
}

// capture appends an item and returns its data.
func (r *run) capture(typ gotype.ID, addr uint64, n int, reason event.Reason) []byte {
	fits, ok := r.room(n)
	if !ok {
		return nil
	}
	data := []byte{}
	if !fits {
		reason = event.ReasonTooLarge
	} else if n > 0 {
		data = make([]byte, n)
		if r.m.Read(data, addr) != nil {
			data, reason = data[:0], event.ReasonUnavailable
		}
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
