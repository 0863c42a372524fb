package binary

import (
	"debug/dwarf"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// typeEntry is what debug information says of one type, before it is known which
// of the types it leads to are wanted.
type typeEntry struct {
	tag     dwarf.Tag
	goKind  bool
	kind    gotype.Kind
	name    string
	size    int64
	runtime uint64
	// target is what a pointer leads to, what an array holds, or what a typedef
	// stands for; elem and key are those of the types that only Go has. 0 is none.
	target, elem, key dwarf.Offset
	len               uint64
	fields            []entryField
	dictionary        int
}

type entryField struct {
	name     string
	off      uint64
	typ      dwarf.Offset
	embedded bool
}

// maxTypeEntries bounds the types that are remembered; one takes some 300 bytes.
const maxTypeEntries = 1 << 14

// typeEntry reads the type at off, or remembers it: the same few thousand types
// are in the signatures of all functions. The result must not be modified.
func (d *debugInfo) typeEntry(off dwarf.Offset, module moduleData) (*typeEntry, error) {
	d.typesMu.Lock()
	known, ok := d.typeEntries[off]
	d.typesMu.Unlock()
	if ok {
		return known, nil
	}
	e, r, err := d.entry(off)
	if err != nil {
		return nil, err
	}
	t := &typeEntry{tag: e.Tag, goKind: goKind(&e) != 0, kind: kindOf(&e), runtime: module.runtimeOffset(&e), dictionary: NoDictionary}
	for attr, v := range e.Each {
		switch attr {
		case dwarf.AttrName:
			t.name = withoutNumbers(string(v.Bytes))
		case dwarf.AttrByteSize:
			t.size = v.Int()
		case dwarf.AttrType:
			t.target = v.Offset()
		case attrGoElem:
			t.elem = v.Offset()
		case attrGoKey:
			t.key = v.Offset()
		case attrGoDictIndex:
			if index := v.Int(); v.Class == die.Constant && index >= 0 && index < maxDictionary {
				t.dictionary = int(index)
			}
		}
	}
	switch t.kind {
	case gotype.Array:
		t.len = arrayLen(r, e)
	case gotype.Struct:
		t.fields = entryFields(r, e, t.size)
	}
	d.typesMu.Lock()
	defer d.typesMu.Unlock()
	if d.typeEntries == nil || len(d.typeEntries) >= maxTypeEntries {
		d.typeEntries = map[dwarf.Offset]*typeEntry{}
	}
	d.typeEntries[off] = t
	return t, nil
}

// isAlias reports whether the entry only names another type.
func (t *typeEntry) isAlias() bool {
	alias := t.tag == dwarf.TagTypedef || t.tag == dwarf.TagConstType || t.tag == dwarf.TagVolatileType
	return alias && !t.goKind && t.target != 0
}

// arrayLen is the count of an array's only dimension.
func arrayLen(r die.Reader, e die.Entry) uint64 {
	for c, err := range r.Children(e) {
		if err != nil {
			break
		}
		if n := c.Value(dwarf.AttrCount); n.Class == die.Constant && n.Int() >= 0 {
			return n.N
		}
		if n := c.Value(dwarf.AttrUpperBound); n.Class == die.Constant && n.Int() >= 0 {
			return n.N + 1
		}
	}
	return 0
}

// entryFields reads the members of a struct of size bytes.
func entryFields(r die.Reader, e die.Entry, size int64) (fields []entryField) {
	for c, err := range r.Children(e) {
		if err != nil {
			break
		}
		if c.Tag != dwarf.TagMember {
			continue
		}
		off, typ := c.Value(dwarf.AttrDataMemberLoc).Int(), c.Value(dwarf.AttrType)
		if typ.Class == die.Reference && off >= 0 && off <= size {
			fields = append(fields, entryField{
				name: string(c.Value(dwarf.AttrName).Bytes), off: uint64(off), typ: typ.Offset(), embedded: c.Value(attrGoEmbedded).True(),
			})
		}
	}
	return fields
}
