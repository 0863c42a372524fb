package binary

import (
	"debug/dwarf"
	"fmt"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Attributes of Go (cmd/internal/dwarf/dwarf.go).
const (
	attrGoKind        dwarf.Attr = 0x2900
	attrGoKey         dwarf.Attr = 0x2901
	attrGoElem        dwarf.Attr = 0x2902
	attrGoEmbedded    dwarf.Attr = 0x2903
	attrGoRuntimeType dwarf.Attr = 0x2904
	attrGoDictIndex   dwarf.Attr = 0x2906
	attrGoClosure     dwarf.Attr = 0x2907
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
	info   *debugInfo // nil when the binary was stripped
	binary *Binary
	reach  Reach
	table  *gotype.Table
	ids    map[typeRef]gotype.ID
	queue  []queuedType
	level  int
	below  []link
	err    error
	// fieldsRead bounds the work on types of the runtime, which can overlap when
	// they are damaged.
	fieldsRead int
}

// typeRef says where a type is described: in the debug information or, when
// dwarf is 0, by the runtime.
type typeRef struct {
	dwarf   dwarf.Offset
	runtime uint64
}

// queuedType is a type whose ID is given and whose description is not read yet.
type queuedType struct {
	id gotype.ID
	typeRef
}

// link is an edge to a type of the next level.
type link struct {
	from gotype.ID
	kind linkKind
	to   typeRef
}

type linkKind uint8

const (
	linkElem linkKind = iota
	linkKey
	linkDynamic
)

func newTypeBuilder(info *debugInfo, binary *Binary, reach Reach) *typeBuilder {
	return &typeBuilder{info: info, binary: binary, reach: reach, table: &gotype.Table{}, ids: map[typeRef]gotype.ID{}}
}

// root adds a type of level 0.
func (b *typeBuilder) root(off dwarf.Offset) gotype.ID { return b.part(typeRef{dwarf: off}) }

// finish reads everything in reach and returns the table.
func (b *typeBuilder) finish() (*gotype.Table, error) {
	if b.table.Runtime, b.err = b.binary.runtimeLayout(b.info); b.err != nil {
		return nil, b.err
	}
	for _, off := range b.reach.Dynamic {
		if _, ok := b.binary.rtypeAt(off); ok {
			b.part(typeRef{runtime: off})
		}
	}
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
	if b.err == nil {
		b.layOutShapes()
	}
	return b.table, b.err
}

// layOutShapes computes how maps of shapes hold their entries: the runtime does
// not describe these.
func (b *typeBuilder) layOutShapes() {
	if b.table.Runtime.Swiss == nil {
		return
	}
	for id := gotype.ID(1); int(id) <= b.table.Len(); id++ {
		if t := *b.table.Get(id); t.Kind == gotype.Map && t.Map == nil && t.RuntimeOffset == 0 {
			t.Map = b.table.SwissGroup(t.Key, t.Elem)
			b.table.Set(id, t)
		}
	}
}

// follow gives the type a link leads to an ID, when it is within the depth or
// known anyway.
func (b *typeBuilder) follow(l link) {
	var id gotype.ID
	if b.level <= b.reach.Depth {
		id = b.part(l.to)
	} else if known, ok := b.ids[b.canonical(l.to)]; ok {
		id = known
	}
	t := *b.table.Get(l.from)
	switch l.kind {
	case linkKey:
		t.Key = id
	case linkElem:
		t.Elem = id
	case linkDynamic:
		if id == 0 {
			return
		}
		t.Dynamic = append(t.Dynamic, id)
	}
	b.table.Set(l.from, t)
}

// part gives a type an ID and queues it for reading on the current level.
func (b *typeBuilder) part(ref typeRef) gotype.ID {
	ref = b.canonical(ref)
	if id, ok := b.ids[ref]; ok {
		return id
	}
	if b.table.Len() >= maxTypes {
		b.fail(fmt.Errorf("%w (more than %d types)", ErrCorrupt, maxTypes))
		return 0
	}
	id := b.table.Add(gotype.Type{Kind: gotype.Opaque, Name: "?"})
	b.ids[ref] = id
	b.queue = append(b.queue, queuedType{id, ref})
	return id
}

// canonical is the one reference to a type: to the debug information when it
// describes the type, past typedefs.
func (b *typeBuilder) canonical(ref typeRef) typeRef {
	if ref.dwarf == 0 && b.info != nil {
		ref.dwarf = b.info.runtimeType(ref.runtime)
	}
	if ref.dwarf == 0 {
		return ref
	}
	return typeRef{dwarf: b.strip(ref.dwarf)}
}

// strip skips the typedefs that only name a type: those without a kind.
func (b *typeBuilder) strip(off dwarf.Offset) dwarf.Offset {
	for range maxTypedefs {
		t := b.entry(off)
		if !t.isAlias() {
			return off
		}
		off = t.target
	}
	return off
}

// entry is what the debug information says of the type at off; nothing when it
// is damaged.
func (b *typeBuilder) entry(off dwarf.Offset) *typeEntry {
	t, err := b.info.typeEntry(off, b.binary.module)
	if err != nil {
		b.fail(err)
		return &typeEntry{kind: gotype.Opaque, name: "?", dictionary: NoDictionary}
	}
	return t
}

// dictionary is the index that the typedef at off has in the dictionary of its
// function, NoDictionary when it is no such typedef.
func (b *typeBuilder) dictionary(off dwarf.Offset) int { return b.entry(off).dictionary }

// maxDictionary bounds the types of one dictionary.
const maxDictionary = 1 << 12

func (b *typeBuilder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func goKind(e *die.Entry) int64 { return e.Value(attrGoKind).Int() & kindMask }

// read fills in a queued type.
func (b *typeBuilder) read(q queuedType) {
	t := gotype.Type{}
	if q.dwarf != 0 {
		t = b.readEntry(q)
	} else {
		t = b.readRuntime(q)
	}
	if r, ok := b.binary.rtypeAt(t.RuntimeOffset); ok {
		t.Held = gotype.HeldBehind
		if r.direct() {
			t.Held = gotype.HeldDirect
		}
		if t.Kind == gotype.Map {
			t.Map = r.mapLayout()
		}
	}
	if t.Kind == gotype.Interface && !t.Empty {
		t.Dynamic = b.dynamic(q.id, t.RuntimeOffset)
	}
	b.table.Set(q.id, t)
}

// dynamic are the implementers of an interface. Those that are pointers are in
// the interface as they are, on its level; others are behind a pointer.
func (b *typeBuilder) dynamic(id gotype.ID, off uint64) (direct []gotype.ID) {
	for _, off := range b.binary.implementers(off, b.reach.Implementers) {
		switch t, ok := b.binary.rtypeAt(off); {
		case !ok:
		case t.kind() == kindPointer && b.level <= b.reach.Depth:
			direct = append(direct, b.part(typeRef{runtime: off}))
		default:
			b.below = append(b.below, link{from: id, kind: linkDynamic, to: typeRef{runtime: off}})
		}
	}
	return direct
}

// readRuntime reads what the runtime says of a type.
func (b *typeBuilder) readRuntime(q queuedType) gotype.Type {
	r, ok := b.binary.rtypeAt(q.runtime)
	if !ok {
		return gotype.Type{Kind: gotype.Opaque, Name: "?"}
	}
	t := gotype.Type{Kind: kindOfGo(int64(r.kind())), Name: r.name(), Size: r.size(), RuntimeOffset: q.runtime}
	if t.Size > maxTypeSize {
		t.Kind, t.Size = gotype.Opaque, 0
	}
	elem := typeRef{runtime: r.elem()}
	switch t.Kind {
	case gotype.Pointer, gotype.Chan, gotype.Map:
		if elem.runtime != 0 {
			b.below = append(b.below, link{from: q.id, to: elem})
		}
		if key := r.pointed(rtypeMapKey); t.Kind == gotype.Map && key != 0 {
			b.below = append(b.below, link{from: q.id, kind: linkKey, to: typeRef{runtime: key}})
		}
	case gotype.Interface:
		t.Empty = r.word(rtypeSlice+8) == 0
	case gotype.Slice:
		t.Elem = b.part(elem)
	case gotype.Array:
		t.Elem, t.Len = b.part(elem), r.word(rtypeArrayLen)
	case gotype.Struct:
		fields := r.fields()
		if b.fieldsRead += len(fields); b.fieldsRead > maxTypes*8 {
			b.fail(fmt.Errorf("%w (types with %d fields)", ErrCorrupt, b.fieldsRead))
			return t
		}
		for _, f := range fields {
			t.Fields = append(t.Fields, gotype.Field{Name: f.name, Offset: f.off, Type: b.part(typeRef{runtime: f.typ}), Embedded: f.embedded})
		}
	}
	return t
}

// readEntry reads what the debug information says of a type.
func (b *typeBuilder) readEntry(q queuedType) gotype.Type {
	e := b.entry(q.dwarf)
	t := gotype.Type{Kind: e.kind, Name: e.name, RuntimeOffset: e.runtime}
	if e.size < 0 || e.size > maxTypeSize {
		t.Kind = gotype.Opaque
	} else {
		t.Size = uint64(e.size)
	}
	switch t.Kind {
	case gotype.Pointer:
		t.Size = wordSize
		if e.target == 0 {
			t.Kind = gotype.UnsafePointer
			break
		}
		b.below = append(b.below, link{from: q.id, to: typeRef{dwarf: e.target}})
	case gotype.UnsafePointer, gotype.Func:
		t.Size = wordSize
	case gotype.Chan, gotype.Map:
		t.Size = wordSize
		if e.elem != 0 {
			b.below = append(b.below, link{from: q.id, to: typeRef{dwarf: e.elem}})
		}
		if e.key != 0 {
			b.below = append(b.below, link{from: q.id, kind: linkKey, to: typeRef{dwarf: e.key}})
		}
	case gotype.Interface:
		t.Size = 2 * wordSize
		t.Empty = e.target != 0 && b.entry(b.strip(e.target)).name == "runtime.eface"
	case gotype.Slice:
		t.Size = 3 * wordSize
		t.Elem = b.part(typeRef{dwarf: e.elem})
	case gotype.String:
		t.Size = 2 * wordSize
	case gotype.Array:
		t.Elem, t.Len = b.part(typeRef{dwarf: e.target}), e.len
	case gotype.Struct:
		for _, f := range e.fields {
			t.Fields = append(t.Fields, gotype.Field{Name: f.name, Offset: f.off, Type: b.part(typeRef{dwarf: f.typ}), Embedded: f.embedded})
		}
	case gotype.Bool, gotype.Int, gotype.Uint, gotype.Uintptr, gotype.Float, gotype.Complex:
		if !sizeFits(t.Kind, t.Size) {
			t.Kind = gotype.Opaque
		}
	}
	return t
}

// runtimeOffset is where the run-time description of a type is, from
// runtime.types on. Toolchains write the offset or the address.
func (m moduleData) runtimeOffset(e *die.Entry) uint64 {
	v := e.Value(attrGoRuntimeType)
	if v.Class != die.Address && v.Class != die.Constant {
		return 0
	}
	if v.N >= m.types && v.N < m.etypes {
		return v.N - m.types
	}
	return v.N
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
