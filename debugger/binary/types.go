package binary

import (
	"debug/dwarf"
	"fmt"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Attributes of Go (cmd/internal/dwarf/dwarf.go).
const (
	attrGoKind        dwarf.Attr = 0x2900
	attrGoKey         dwarf.Attr = 0x2901
	attrGoElem        dwarf.Attr = 0x2902
	attrGoEmbedded    dwarf.Attr = 0x2903
	attrGoRuntimeType dwarf.Attr = 0x2904
)

// Kinds of Go (internal/abi/type.go, abi.Kind), as DW_AT_go_kind has them.
const (
	kindBool          = 1
	kindInt           = 2
	kindInt64         = 6
	kindUint          = 7
	kindUint64        = 11
	kindUintptr       = 12
	kindFloat32       = 13
	kindFloat64       = 14
	kindComplex64     = 15
	kindComplex128    = 16
	kindArray         = 17
	kindChan          = 18
	kindFunc          = 19
	kindInterface     = 20
	kindMap           = 21
	kindPointer       = 22
	kindSlice         = 23
	kindString        = 24
	kindStruct        = 25
	kindUnsafePointer = 26
	kindMask          = 31
)

// Bounds on what one plan may pull in, and on a single type.
const (
	maxTypes    = 1 << 16
	maxTypeSize = 1 << 40
	maxTypedefs = 32
	wordSize    = 8
)

// typeBuilder collects types breadth first: everything that is part of a value
// is on the value's level, what a pointer leads to is one level below, and
// nothing is collected below the depth. A type is so met at its least level
// first, and never twice.
type typeBuilder struct {
	info   *debugInfo
	module moduleData
	depth  int
	table  *gotype.Table
	ids    map[dwarf.Offset]gotype.ID
	queue  []queuedType
	level  int
	below  []link
	err    error
}

// queuedType is a type whose ID is given and whose description is not read yet.
type queuedType struct {
	id  gotype.ID
	off dwarf.Offset
}

// link is an edge to a type of the next level: the Elem or Key of a type.
type link struct {
	from gotype.ID
	key  bool
	to   dwarf.Offset
}

func newTypeBuilder(info *debugInfo, module moduleData, depth int) *typeBuilder {
	return &typeBuilder{info: info, module: module, depth: depth, table: &gotype.Table{}, ids: map[dwarf.Offset]gotype.ID{}}
}

// root adds a type of level 0.
func (b *typeBuilder) root(off dwarf.Offset) gotype.ID { return b.part(off) }

// finish reads everything in reach and returns the table.
func (b *typeBuilder) finish() (*gotype.Table, error) {
	for {
		for len(b.queue) > 0 && b.err == nil {
			next := b.queue[0]
			b.queue = b.queue[1:]
			b.read(next)
		}
		below := b.below
		b.below = nil
		if b.err != nil || len(below) == 0 {
			break
		}
		b.level++
		for _, l := range below {
			b.follow(l)
		}
	}
	if b.err == nil {
		b.err = b.checkContainment()
	}
	return b.table, b.err
}

// follow gives the type a link leads to an ID, when it is within the depth or
// known anyway.
func (b *typeBuilder) follow(l link) {
	var id gotype.ID
	if b.level <= b.depth {
		id = b.part(l.to)
	} else if known, ok := b.ids[b.strip(l.to)]; ok {
		id = known
	}
	t := *b.table.Get(l.from)
	if l.key {
		t.Key = id
	} else {
		t.Elem = id
	}
	b.table.Set(l.from, t)
}

// part gives the type at off an ID and queues it for reading on the current
// level.
func (b *typeBuilder) part(off dwarf.Offset) gotype.ID {
	off = b.strip(off)
	if id, ok := b.ids[off]; ok {
		return id
	}
	if b.table.Len() >= maxTypes {
		b.fail(fmt.Errorf("%w (more than %d types)", ErrCorrupt, maxTypes))
		return 0
	}
	id := b.table.Add(gotype.Type{Kind: gotype.Opaque, Name: "?"})
	b.ids[off] = id
	b.queue = append(b.queue, queuedType{id, off})
	return id
}

// strip skips the typedefs that only name a type: those without a kind.
func (b *typeBuilder) strip(off dwarf.Offset) dwarf.Offset {
	for range maxTypedefs {
		e, _, err := b.info.entry(off)
		if err != nil {
			b.fail(err)
			return off
		}
		if e.Tag != dwarf.TagTypedef && e.Tag != dwarf.TagConstType && e.Tag != dwarf.TagVolatileType {
			return off
		}
		if goKind(e) != 0 {
			return off
		}
		to, ok := e.Val(dwarf.AttrType).(dwarf.Offset)
		if !ok {
			return off
		}
		off = to
	}
	return off
}

func (b *typeBuilder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func goKind(e *dwarf.Entry) int64 {
	kind, _ := e.Val(attrGoKind).(int64)
	return kind & kindMask
}

// read fills in a queued type.
func (b *typeBuilder) read(q queuedType) {
	e, r, err := b.info.entry(q.off)
	if err != nil {
		b.fail(err)
		return
	}
	t := gotype.Type{ID: q.id, Kind: kindOf(e), RuntimeOffset: b.runtimeOffset(e)}
	t.Name, _ = e.Val(dwarf.AttrName).(string)
	size, _ := e.Val(dwarf.AttrByteSize).(int64)
	if size < 0 || size > maxTypeSize {
		t.Kind, size = gotype.Opaque, 0
	}
	t.Size = uint64(size)
	target, _ := e.Val(dwarf.AttrType).(dwarf.Offset)
	elem, hasElem := e.Val(attrGoElem).(dwarf.Offset)
	switch t.Kind {
	case gotype.Pointer:
		t.Size = wordSize
		if target == 0 {
			t.Kind = gotype.UnsafePointer
			break
		}
		b.below = append(b.below, link{from: q.id, to: target})
	case gotype.UnsafePointer, gotype.Func:
		t.Size = wordSize
	case gotype.Chan, gotype.Map:
		t.Size = wordSize
		if hasElem {
			b.below = append(b.below, link{from: q.id, to: elem})
		}
		if key, ok := e.Val(attrGoKey).(dwarf.Offset); ok {
			b.below = append(b.below, link{from: q.id, key: true, to: key})
		}
	case gotype.Interface:
		t.Size = 2 * wordSize
		t.Empty = b.name(target) == "runtime.eface"
	case gotype.Slice:
		t.Size = 3 * wordSize
		t.Elem = b.part(elem)
	case gotype.String:
		t.Size = 2 * wordSize
	case gotype.Array:
		t.Elem = b.part(target)
		t.Len = b.arrayLen(r, e)
	case gotype.Struct:
		t.Fields = b.fields(r, e, t.Size)
	case gotype.Bool, gotype.Int, gotype.Uint, gotype.Uintptr, gotype.Float, gotype.Complex:
		if !sizeFits(t.Kind, t.Size) {
			t.Kind = gotype.Opaque
		}
	}
	b.table.Set(q.id, t)
}

// runtimeOffset is where the run-time description of a type is, from
// runtime.types on. Toolchains write the offset or the address.
func (b *typeBuilder) runtimeOffset(e *dwarf.Entry) uint64 {
	var v uint64
	switch n := e.Val(attrGoRuntimeType).(type) {
	case uint64:
		v = n
	case int64:
		v = uint64(n)
	}
	if v >= b.module.types && v < b.module.etypes {
		v -= b.module.types
	}
	return v
}

// name is the name of the type at off, typedefs skipped.
func (b *typeBuilder) name(off dwarf.Offset) string {
	if off == 0 {
		return ""
	}
	e, _, err := b.info.entry(b.strip(off))
	if err != nil {
		b.fail(err)
		return ""
	}
	name, _ := e.Val(dwarf.AttrName).(string)
	return name
}

// arrayLen is the count of an array's only dimension.
func (b *typeBuilder) arrayLen(r *dwarf.Reader, e *dwarf.Entry) uint64 {
	for e.Children {
		c, err := r.Next()
		if err != nil || c == nil || c.Tag == 0 {
			break
		}
		if n, ok := c.Val(dwarf.AttrCount).(int64); ok && n >= 0 {
			return uint64(n)
		}
		if n, ok := c.Val(dwarf.AttrUpperBound).(int64); ok && n >= 0 {
			return uint64(n) + 1
		}
	}
	return 0
}

// fields reads the members of a struct of size bytes.
func (b *typeBuilder) fields(r *dwarf.Reader, e *dwarf.Entry, size uint64) (fields []gotype.Field) {
	for e.Children {
		c, err := r.Next()
		if err != nil || c == nil || c.Tag == 0 {
			break
		}
		if c.Tag == dwarf.TagMember {
			name, _ := c.Val(dwarf.AttrName).(string)
			off, _ := c.Val(dwarf.AttrDataMemberLoc).(int64)
			typ, ok := c.Val(dwarf.AttrType).(dwarf.Offset)
			embedded, _ := c.Val(attrGoEmbedded).(bool)
			if ok && off >= 0 && uint64(off) <= size {
				fields = append(fields, gotype.Field{Name: name, Offset: uint64(off), Type: b.part(typ), Embedded: embedded})
			}
		}
		if c.Children {
			r.SkipChildren()
		}
	}
	return fields
}

// checkContainment refuses a type that is part of itself, which no compiler
// writes and which would have no end, and parts that stick out of the whole.
func (b *typeBuilder) checkContainment() error {
	const (
		unseen = iota
		open
		done
	)
	state := make([]uint8, b.table.Len()+1)
	var visit func(id gotype.ID) error
	part := func(whole *gotype.Type, id gotype.ID, off, count uint64) error {
		if err := visit(id); err != nil {
			return err
		}
		t := b.table.Get(id)
		if t == nil || off > whole.Size || (count > 0 && t.Size > (whole.Size-off)/count) {
			return fmt.Errorf("%w (type %s is larger than the whole)", ErrCorrupt, whole.Name)
		}
		return nil
	}
	visit = func(id gotype.ID) error {
		t := b.table.Get(id)
		if t == nil || state[id] == done {
			return nil
		}
		if state[id] == open {
			return fmt.Errorf("%w (type %s contains itself)", ErrCorrupt, t.Name)
		}
		state[id] = open
		for _, f := range t.Fields {
			if err := part(t, f.Type, f.Offset, 1); err != nil {
				return err
			}
		}
		if t.Kind == gotype.Array {
			if err := part(t, t.Elem, 0, t.Len); err != nil {
				return err
			}
		}
		state[id] = done
		return nil
	}
	for id := 1; id <= b.table.Len(); id++ {
		if err := visit(gotype.ID(id)); err != nil {
			return err
		}
	}
	return nil
}
