package interp

import (
	"encoding/binary"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// dynamicValue is the type of an interface, and its value when that is known.
func (r *run) dynamicValue(op plan.Op) {
	tab := r.word(op.Offset)
	if tab == 0 {
		return
	}
	seen := r.known(op.Type, tab, 8, 0)
	typ := tab
	if op.Flags&plan.FlagItab != 0 {
		var word [8]byte
		if r.m.Read(word[:], tab+uint64(op.CFA)) != nil {
			if !seen {
				r.capture(op.Type, tab, 0, event.ReasonUnavailable)
			}
			return
		}
		typ = binary.LittleEndian.Uint64(word[:])
	}
	typ -= r.m.Types
	if !seen {
		if !r.room(8) {
			r.e.Incomplete = true
			return
		}
		r.cursor += itemHeader + 8
		r.e.Items = append(r.e.Items, event.Item{Type: op.Type, Addr: tab, Data: binary.LittleEndian.AppendUint64(nil, typ)})
	}
	d, ok := r.dynamic[uint32(typ)]
	if !ok || typ>>32 != 0 {
		return
	}
	at := r.at.base + int(op.Offset) + 8
	if d.Flags&plan.FlagDirect != 0 {
		if d.Routine != 0 && len(r.queue) < queueItems {
			r.queue = append(r.queue, scan{data: r.at.data[at : at+8], stride: 8, routine: d.Routine, depth: r.at.depth})
		}
		return
	}
	if depth, ok := r.deeper(op); ok {
		r.follow(d, d.Reason, r.word(op.Offset+8), 1, depth)
	}
}

// instance follows a value by its type in the dictionary, when that is known.
func (r *run) instance(op plan.Op) {
	dictionary := r.word(uint32(op.CFA))
	var word [8]byte
	if dictionary == 0 || r.m.Read(word[:], dictionary+8*uint64(op.Aux)) != nil {
		return
	}
	typ := binary.LittleEndian.Uint64(word[:]) - r.m.Types
	d, ok := r.dynamic[uint32(typ)]
	if !ok || typ>>32 != 0 || d.Size != op.Size {
		return
	}
	if at := r.at.base + int(op.Offset); d.Routine != 0 && len(r.queue) < queueItems {
		r.queue = append(r.queue, scan{data: r.at.data[at : at+int(d.Size)], stride: int(d.Size), routine: d.Routine, depth: r.at.depth})
	}
	r.pc += op.Limit
}

// ring captures what waits in a channel, in up to two runs. True to be called
// again.
func (r *run) ring(op plan.Op) bool {
	count, capacity := r.word(uint32(op.CFA)), r.word(uint32(op.CFA)+8)
	buffer, at := r.word(op.Offset), r.word(op.Aux)
	n, reason := count, event.ReasonNone
	if n > uint64(op.Limit) {
		n, reason = uint64(op.Limit), op.Reason
	}
	if n == 0 || at >= capacity {
		return false
	}
	first := min(capacity-at, n)
	if r.walkLeft > 0 {
		r.walkLeft = 0
		r.follow(op, reason, buffer, n-first, r.at.depth)
		return false
	}
	r.follow(op, reason, buffer+at*uint64(op.Size), first, r.at.depth)
	if first < n {
		r.walkLeft = 1
	}
	return first < n
}

// groups captures the groups of a map one by one, those with entries only, until
// as many entries were captured as are wanted. True to be called again.
func (r *run) groups(op plan.Op) bool {
	if r.walkLeft == 0 {
		return r.beginGroups(op)
	}
	full := op.Routine != 0 && len(r.queue) >= queueItems
	reason := event.ReasonNone
	if full {
		reason = event.ReasonPointers
	}
	cursor := r.cursor
	data := r.capture(op.Type, r.walk, int(op.Size), reason)
	if len(data) > 0 && r.cursor < cursor {
		cursor = headerSize // of a new fragment
	}
	r.walk += uint64(op.Size)
	r.walkLeft--
	if len(data) == 0 {
		r.walkLeft = 0
		return false
	}
	n := 0
	for _, c := range data[:gotype.Slots] {
		if op.Flags&plan.FlagBucket != 0 && c >= 5 || op.Flags&plan.FlagBucket == 0 && c < 128 {
			n++
		}
	}
	if r.at.left = max(r.at.left-n, 0); r.at.left == 0 {
		r.walkLeft = 0
	}
	switch {
	case n == 0 && op.Flags&plan.FlagBucket == 0:
		r.cursor, r.e.Items = cursor, r.e.Items[:len(r.e.Items)-1]
	case op.Routine != 0 && !full:
		r.queue = append(r.queue, scan{data: data, stride: int(op.Size), routine: op.Routine, depth: r.at.depth, left: r.at.left})
	}
	return r.walkLeft > 0
}

// beginGroups finds the groups; false when there are none.
func (r *run) beginGroups(op plan.Op) bool {
	addr, n := r.word(op.Offset), uint64(1)
	if addr == 0 || r.at.left == 0 {
		return false
	}
	switch op.Reg {
	case plan.GroupsSmall:
		if r.word(op.Aux) != 0 {
			return false
		}
	case plan.GroupsTable:
		if r.known(op.Type, addr, uint64(op.Limit), r.at.depth) {
			return false
		}
		table := r.capture(op.Type, addr, int(op.Limit), event.ReasonNone)
		if len(table) == 0 {
			return false
		}
		addr, n = binary.LittleEndian.Uint64(table[op.CFA:]), binary.LittleEndian.Uint64(table[op.Aux:])+1
	case plan.GroupsBuckets, plan.GroupsOld:
		log2 := r.word(op.Aux) & 31
		if op.Reg == plan.GroupsOld && log2 > 0 && r.word(uint32(op.CFA))&uint64(op.Limit) == 0 {
			log2--
		}
		n = 1 << log2
	}
	r.walk, r.walkLeft = addr, min(n, maxGroups)
	return addr != 0 && r.walkLeft > 0
}
