package binary

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Reach says which types are collected from those a probe reads first. The zero
// value is what lies within the values themselves.
type Reach struct {
	// Depth is how many pointers are followed.
	Depth int
	// Implementers is how many dynamic types are collected for each interface
	// with methods: those the program converts to it come first. Each costs an
	// entry in the plan; in large programs error has hundreds.
	Implementers int
	// Dynamic are runtime offsets of more types, found in values before: they
	// count as being at the first level.
	Dynamic []uint64
}

// Types collects types by their runtime offsets, as found in the type word of an
// interface value less the bias and Runtime.Types, and what they lead to. The
// debug information describes them when there is any, the runtime's own
// descriptions do otherwise; those lack nothing but the names of function
// parameters. ids[i] is 0 when offsets[i] is not the place of a type.
func (b *Binary) Types(offsets []uint64, reach Reach) (types *gotype.Table, ids []gotype.ID, err error) {
	if b.data == nil {
		return nil, nil, errClosed
	}
	var d *debugInfo
	if b.DebugInfo() == nil {
		if d, err = b.debugData(); err != nil {
			return nil, nil, err
		}
	}
	defer guard(&err)()
	builder := newTypeBuilder(d, b, reach)
	for _, off := range offsets {
		id := gotype.ID(0)
		if _, ok := b.rtypeAt(off); ok {
			id = builder.part(typeRef{runtime: off})
		}
		ids = append(ids, id)
	}
	types, err = builder.finish()
	return types, ids, err
}

// RuntimeTypeName is the name of the type at a runtime offset, with its full
// package path. It needs no debug information.
func (b *Binary) RuntimeTypeName(off uint64) (name string, ok bool) {
	if b.data == nil {
		return "", false
	}
	var err error
	defer func() { ok = ok && err == nil }()
	defer guard(&err)()
	t, ok := b.rtypeAt(off)
	if !ok {
		return "", false
	}
	return t.name(), true
}

// RuntimeTypeSize is the size of values of the type at a runtime offset, in
// bytes. It needs no debug information.
func (b *Binary) RuntimeTypeSize(off uint64) (size uint64, ok bool) {
	if b.data == nil {
		return 0, false
	}
	var err error
	defer func() { ok = ok && err == nil }()
	defer guard(&err)()
	t, ok := b.rtypeAt(off)
	if !ok {
		return 0, false
	}
	return t.size(), true
}

// itabType is the offset in an abi.ITab of the pointer to the dynamic type; the
// pointer to the interface comes first, the hash after.
const (
	itabType = 8
	itabSize = 24
)

// ItabType is the runtime offset of the dynamic type of an itab the linker made,
// by its link-time address: what the first word of an interface with methods
// points to. Those made at run time are not in the file; they have the same
// layout.
func (b *Binary) ItabType(addr uint64) (off uint64, ok bool) {
	if b.data == nil {
		return 0, false
	}
	var err error
	defer func() { ok = ok && err == nil }()
	defer guard(&err)()
	typ, ok := b.word(addr + itabType)
	if !ok {
		return 0, false
	}
	off = b.rtypeOffset(typ)
	_, ok = b.rtypeAt(off)
	return off, ok
}

// DictionaryType is the runtime offset of the type at an index of the dictionary
// at a link-time address: what a generic function is passed, less the bias.
func (b *Binary) DictionaryType(dictionary uint64, index int) (off uint64, ok bool) {
	if b.data == nil || index < 0 || index >= maxDictionary {
		return 0, false
	}
	var err error
	defer func() { ok = ok && err == nil }()
	defer guard(&err)()
	typ, ok := b.word(dictionary + wordSize*uint64(index))
	if !ok {
		return 0, false
	}
	off = b.rtypeOffset(typ)
	_, ok = b.rtypeAt(off)
	return off, ok
}

// implementations are the dynamic types of the itabs the linker made, by the
// interface: both as runtime offsets, in order of the interface.
type implementations []implementation

type implementation struct{ inter, typ uint64 }

// implementers are the runtime offsets of at most n types, and no more than
// maxImplementers, that implement the
// interface at off: first those the program converts to it, then other types
// whose methods fit, in the order of the file.
func (b *Binary) implementers(off uint64, n int) (types []uint64) {
	if n <= 0 {
		return nil // looking through all types takes a while
	}
	b.itabs.mu.Lock()
	defer b.itabs.mu.Unlock()
	known, ok := b.itabs.found[off]
	if !ok {
		known = b.findImplementers(off)
		if b.itabs.found == nil || len(b.itabs.found) >= maxKnownInterfaces {
			b.itabs.found = map[uint64][]uint64{}
		}
		b.itabs.found[off] = known
	}
	return known[:min(n, len(known))]
}

// Bounds on what is remembered of interfaces.
const (
	maxKnownInterfaces = 1 << 10
	maxImplementers    = 256
)

func (b *Binary) findImplementers(off uint64) (types []uint64) {
	const n = maxImplementers
	b.itabs.once.Do(b.readItabs)
	inter, ok := b.rtypeAt(off)
	if !ok {
		return nil
	}
	all := b.itabs.all
	at, _ := slices.BinarySearchFunc(all, off, func(i implementation, off uint64) int { return cmp.Compare(i.inter, off) })
	for ; at < len(all) && all[at].inter == off && len(types) < n; at++ {
		types = append(types, all[at].typ)
	}
	want := inter.imethods()
	if len(want) == 0 {
		return types
	}
	links := b.bytesAt(b.module.typelinks.addr)
	for i := range b.module.typelinks.len {
		if len(types) >= n {
			break
		}
		candidate := uint64(binary.LittleEndian.Uint32(links[4*i:]))
		if t, ok := b.rtypeAt(candidate); ok && t.kind() != kindInterface && t.implements(want) && !slices.Contains(types, candidate) {
			types = append(types, candidate)
		}
	}
	return types
}

func (b *Binary) readItabs() {
	for i := range b.module.itablinks.len {
		itab, ok := b.word(b.module.itablinks.addr + wordSize*i)
		if !ok {
			continue
		}
		inter, _ := b.word(itab)
		typ, _ := b.word(itab + itabType)
		found := implementation{b.rtypeOffset(inter), b.rtypeOffset(typ)}
		if found.inter != 0 && found.typ != 0 {
			b.itabs.all = append(b.itabs.all, found)
		}
	}
	slices.SortStableFunc(b.itabs.all, func(x, y implementation) int { return cmp.Compare(x.inter, y.inter) })
}

// rmethod is a method: its name and the type of its signature, both as offsets.
// The linker keeps one copy of a type, but names are repeated.
type rmethod struct {
	name string
	typ  uint32
}

// maxMethods bounds the methods of one type.
const maxMethods = 1 << 12

// imethods are the methods of an interface, sorted by name.
func (t rtype) imethods() (methods []rmethod) {
	at, n := t.word(rtypeSlice), t.word(rtypeSlice+8)
	raw := t.b.bytesAt(at)
	if t.kind() != kindInterface || n > maxMethods || n*methodRecord > uint64(len(raw)) {
		return nil
	}
	for i := range n {
		name, _ := t.b.nameAt(t.b.module.types + uint64(binary.LittleEndian.Uint32(raw[methodRecord*i:])))
		methods = append(methods, rmethod{name, binary.LittleEndian.Uint32(raw[methodRecord*i+4:])})
	}
	return methods
}

// implements reports whether a type has all methods of a list sorted by name;
// its own are sorted as well.
func (t rtype) implements(want []rmethod) bool {
	u := t.uncommon()
	if u == nil {
		return false
	}
	const record = 16 // abi.Method: name, type, two functions
	n := uint64(binary.LittleEndian.Uint16(u[4:]))
	at, ok := uncommonAt[t.kind()]
	if !ok {
		at = rtypeSize
	}
	at += uint64(binary.LittleEndian.Uint32(u[8:]))
	if n < uint64(len(want)) || at+n*record > uint64(len(t.raw)) {
		return false
	}
	for i := range n {
		m := t.raw[at+record*i:]
		if binary.LittleEndian.Uint32(m[4:]) != want[0].typ {
			continue
		}
		name, _ := t.b.nameAt(t.b.module.types + uint64(binary.LittleEndian.Uint32(m)))
		if name != want[0].name {
			continue
		}
		if want = want[1:]; len(want) == 0 {
			return true
		}
	}
	return false
}
