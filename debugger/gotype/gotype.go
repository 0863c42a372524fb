// Package gotype is the pure-data model of Go types as a probe sees them: what
// a value's bytes mean. binary builds it from DWARF, plan refers to it, and
// snapshot walks it to render captured bytes. It does no I/O.
package gotype

// ID indexes a Table. IDs are dense and start at 1; 0 is "no type".
type ID uint32

// Kind says how the bytes of a type are read.
type Kind uint8

// Kinds. Platform-dependent kinds are resolved to a width by Type.Size.
const (
	Invalid Kind = iota
	Bool
	Int     // signed integer of Size bytes
	Uint    // unsigned integer of Size bytes
	Uintptr // printed in hexadecimal
	Float   // 4 or 8 bytes
	Complex // 8 or 16 bytes
	String  // pointer, length
	UnsafePointer
	Pointer   // Elem is the pointee
	Struct    // Fields
	Array     // Elem × Len
	Slice     // pointer, length, capacity; Elem
	Map       // Key, Elem
	Chan      // Elem
	Func      // pointer to closure
	Interface // type word, data word; Empty tells eface from iface
	Opaque    // known size, unknown meaning: rendered with a reason only
)

// Type is one Go type.
type Type struct {
	ID   ID
	Kind Kind
	// Name is the Go name with its full package path, as DWARF spells it:
	// "main.Order", "*net/http.Request", "[]string".
	Name string
	// Size is in bytes.
	Size uint64
	// Elem is the pointee or element type; Key is the key type of a map. Those
	// of a pointer, map or channel are 0 when the plan's depth does not reach
	// them: the value is shown, what it leads to is not followed.
	Elem, Key ID
	// Len is the length of an array.
	Len uint64
	// Fields are in declaration order.
	Fields []Field
	// Empty marks an interface without methods.
	Empty bool
	// RuntimeOffset is the offset of the runtime type from runtime.types, or 0
	// when the binary does not say (DW_AT_go_runtime_type, 0x2904).
	RuntimeOffset uint64
	// Held is where an interface holds a value of the type, as its runtime
	// description says.
	Held Held
	// Map is the layout of a map's entries; nil when it is not known.
	Map *MapLayout
	// Dynamic are types that values of an interface are known to have, those
	// that the program converts first; see binary.Reach.
	Dynamic []ID
}

// Held is where an interface holds a value.
type Held uint8

// Places. A type without a runtime description is never in an interface.
const (
	HeldUnknown Held = iota
	HeldDirect       // in the data word
	HeldBehind       // where the data word points to
)

// Field is one struct field.
type Field struct {
	Name     string
	Offset   uint64
	Type     ID
	Embedded bool
}

// Table holds the types of one plan. It is built once and then only read.
type Table struct {
	// Runtime is the layout of what types of the table refer to.
	Runtime Runtime

	types     []Type
	byRuntime map[uint64]ID
}

// Add appends t, gives it the next ID and returns it. A placeholder added
// first and replaced by Set lets recursive types refer to themselves.
func (t *Table) Add(typ Type) ID {
	t.types = append(t.types, Type{})
	id := ID(len(t.types))
	t.Set(id, typ)
	return id
}

// Set replaces the type with the given ID.
func (t *Table) Set(id ID, typ Type) {
	typ.ID = id
	t.types[id-1] = typ
	if typ.RuntimeOffset == 0 {
		return
	}
	if t.byRuntime == nil {
		t.byRuntime = map[uint64]ID{}
	}
	t.byRuntime[typ.RuntimeOffset] = id
}

// ByRuntimeOffset returns the type with a RuntimeOffset, or 0 when there is
// none.
func (t *Table) ByRuntimeOffset(off uint64) ID { return t.byRuntime[off] }

// Get returns the type with the given ID, or nil when there is none. The
// result must not be modified.
func (t *Table) Get(id ID) *Type {
	if id == 0 || int(id) > len(t.types) {
		return nil
	}
	return &t.types[id-1]
}

// Len is the number of types; IDs run from 1 to Len.
func (t *Table) Len() int { return len(t.types) }
