package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// What the runtime keeps behind maps, channels, times and interfaces: code that
// is run on the runtime's own structures, by the layouts the binary gives.

const (
	wordSize    = 8
	contextName = "context.Context"
	// maxDirectory is how many words of a Swiss map's directory are captured. Two
	// tables hold more entries than anything shows, and few words lead to the
	// same table.
	maxDirectory = 128
)

// isTime reports whether a struct is a time.Time, of which only the location is
// followed.
func isTime(t *gotype.Type) bool {
	return t.Name == "time.Time" && t.Kind == gotype.Struct && t.Size == 3*wordSize
}

// mapHeaderSize is how much of a map's header is captured; 0 when its layout is
// not known.
func (c *compiler) mapHeaderSize() uint32 {
	switch s, h := c.types.Runtime.Swiss, c.types.Runtime.Hash; {
	case s != nil && s.DirLen == s.DirPtr+wordSize:
		return whole(s.Used, s.DirLen)
	case h != nil:
		return whole(h.Count, h.Flags, h.B, h.Buckets, h.OldBuckets)
	}
	return 0
}

// whole is the size of a structure that has words at the offsets; 0 when it is
// more than anything of the runtime.
func whole(offsets ...uint32) uint32 {
	size := (slices.Max(offsets) + 2*wordSize - 1) &^ (wordSize - 1)
	if size > MaxItem {
		return 0
	}
	return size
}

func (c *compiler) mapHeader(id gotype.ID) {
	group := c.groups(id)
	if s := c.types.Runtime.Swiss; s != nil {
		small, directory := group, Op{
			Code: OpSlice, Offset: s.DirPtr, Type: id, Size: wordSize, Limit: maxDirectory,
			Routine: c.want(id, partDirectory), Aux: uint32(c.limits.Collection),
		}
		small.Reg, small.Offset, small.Aux = GroupsSmall, s.DirPtr, s.DirLen
		c.code = append(c.code, small, directory)
		return
	}
	h := c.types.Runtime.Hash
	now, before := group, group
	now.Reg, now.Offset, now.Aux = GroupsBuckets, h.Buckets, h.B
	before.Reg, before.Offset, before.Aux = GroupsOld, h.OldBuckets, h.B
	before.CFA, before.Limit = int32(h.Flags), uint32(h.SameSize)
	c.code = append(c.code, now, before)
}

// groups is the instruction for groups of a map, without where they are.
func (c *compiler) groups(id gotype.ID) Op {
	t := c.types.Get(id)
	op := Op{Code: OpGroups, Type: id, Size: t.Map.GroupSize}
	if c.types.Runtime.Swiss == nil {
		op.Flags = FlagBucket
	}
	if c.refers(t.Key) || c.refers(t.Elem) || t.Map.IndirectKey || t.Map.IndirectElem || t.Map.Overflow > 0 {
		op.Routine = c.want(id, partGroup)
	}
	return op
}

// mapDirectory is run on each word of a directory, which leads to a table.
func (c *compiler) mapDirectory(id gotype.ID) {
	op, s := c.groups(id), c.types.Runtime.Swiss
	op.Reg, op.CFA, op.Aux = GroupsTable, int32(s.Groups), s.LengthMask
	if op.Limit = whole(s.LocalDepth, s.Index, s.Groups, s.LengthMask); op.Limit > 0 {
		c.code = append(c.code, op)
	}
}

// mapGroup is run on each group or bucket.
func (c *compiler) mapGroup(id gotype.ID) {
	t := c.types.Get(id)
	m := t.Map
	// The chain first: entries that belong side by side are captured so.
	if m.Overflow > 0 && !c.full(uint64(m.Overflow)) {
		next := c.groups(id)
		next.Reg, next.Offset = GroupsNext, m.Overflow
		c.code = append(c.code, next)
	}
	part := func(id gotype.ID, at uint64, indirect bool) {
		switch elem := c.types.Get(id); {
		case !indirect:
			c.follow(id, at, 1)
		case elem != nil && elem.Size > 0 && !c.full(at):
			op := c.pointer(id, at)
			op.Flags = FlagFree
			c.code = append(c.code, op)
		}
	}
	for i := range uint64(gotype.Slots) {
		part(t.Key, uint64(m.Keys)+i*uint64(m.KeyStride), m.IndirectKey)
		part(t.Elem, uint64(m.Elems)+i*uint64(m.ElemStride), m.IndirectElem)
	}
}

// chanHeaderSize is how much of a channel's header is captured; 0 when its
// layout is not known.
func (c *compiler) chanHeaderSize() uint32 {
	l := c.types.Runtime.Chan
	if l.Capacity != l.Count+wordSize {
		return 0
	}
	return whole(l.Count, l.Capacity, l.Buffer, l.Receive, l.Closed)
}

func (c *compiler) chanHeader(id gotype.ID) {
	l, t := c.types.Runtime.Chan, c.types.Get(id)
	elem := c.types.Get(t.Elem)
	op := Op{Code: OpRing, Offset: l.Buffer, CFA: int32(l.Count), Aux: l.Receive, Type: id, Size: uint32(elem.Size), Routine: c.element(t.Elem)}
	op.Limit, op.Reason = clip(c.limits.Collection, int(MaxItem/elem.Size), event.ReasonCollection)
	c.code = append(c.code, op)
}

// free follows a pointer that the program does not know of, which does not count
// as one: to a variable on the heap, or to a closure.
func (c *compiler) free(pointer gotype.ID, at uint64, closure bool) {
	t := c.types.Get(pointer)
	if t.Kind != gotype.Pointer || !c.refers(pointer) || c.full(at) {
		return
	}
	op := c.pointer(t.Elem, at)
	op.Flags |= FlagFree
	if closure {
		op.Routine = c.want(t.Elem, partClosure)
	}
	c.code = append(c.code, op)
}

// closure follows the variables in a closure, and the dictionary.
func (c *compiler) closure(id gotype.ID) {
	for _, f := range c.types.Get(id).Fields {
		if strings.HasPrefix(f.Name, "&") {
			c.free(f.Type, f.Offset, false)
		} else {
			c.follow(f.Type, f.Offset, 1)
		}
	}
	if d := c.dictionary; d != nil && !c.full(uint64(d.InClosure)) {
		c.follows(d, d.InClosure, c.keep)
	}
}

// leadsToSpan reports whether a field is to be followed: of a context of the
// standard library only the context it lies in and the value it holds, because
// that is all that is shown of one.
func leadsToSpan(t *gotype.Type, f gotype.Field) bool {
	if !strings.HasPrefix(t.Name, "context.") {
		return true
	}
	return f.Embedded || f.Name == "key" || f.Name == "val" || f.Name == "c"
}

// time follows the location of a time.Time.
func (c *compiler) time(t *gotype.Type, at uint64) {
	l := c.types.Runtime.Location
	for _, f := range t.Fields {
		if f.Name != "loc" {
			continue
		}
		c.code = append(c.code, Op{
			Code: OpPointer, Flags: FlagFree, Offset: uint32(at + f.Offset), Type: t.ID, Limit: 1,
			Size: whole(l.CacheStart, l.CacheEnd, l.CacheZone), Routine: c.want(t.ID, partLocation),
		})
	}
}

// location follows the zone that a location used last.
func (c *compiler) location(id gotype.ID) {
	l := c.types.Runtime.Location
	c.code = append(c.code, Op{
		Code: OpPointer, Flags: FlagFree, Offset: l.CacheZone, Type: id, Limit: 1, Size: whole(l.ZoneOffset),
	})
}

// dynamicTypes says what to do with the values of interfaces: of every type of
// the table, because a type that is in reach in one way is often in another.
func (c *compiler) dynamicTypes(p *Plan) {
	if p.Dictionary == nil && !c.followsInterfaces() {
		return
	}
	for id := gotype.ID(1); int(id) <= c.types.Len(); id++ {
		t := c.types.Get(id)
		if t.RuntimeOffset == 0 || t.RuntimeOffset > maxRuntimeOffset || t.Size == 0 {
			continue
		}
		direct := t.Held == gotype.HeldDirect
		if t.Held == gotype.HeldUnknown || t.Kind == gotype.Opaque || direct && t.Size != wordSize {
			continue
		}
		d := Dynamic{Offset: uint32(t.RuntimeOffset)}
		if direct {
			d.Op = Op{Code: OpPointer, Flags: FlagDirect, Type: id, Size: wordSize, Limit: 1, Routine: c.element(id)}
		} else {
			d.Op = c.pointer(id, 0)
		}
		c.dynamic = append(c.dynamic, d)
	}
	slices.SortStableFunc(c.dynamic, func(a, b Dynamic) int { return cmp.Compare(a.Offset, b.Offset) })
	c.dynamic = slices.CompactFunc(c.dynamic, func(a, b Dynamic) bool { return a.Offset == b.Offset })
}

const maxRuntimeOffset = 1<<32 - 1

// followsInterfaces reports whether a type of the table is one that is followed.
func (c *compiler) followsInterfaces() bool {
	for id := 1; id <= c.types.Len(); id++ {
		if t := c.types.Get(gotype.ID(id)); t.Kind == gotype.Interface && c.refers(t.ID) {
			return true
		}
	}
	return false
}
