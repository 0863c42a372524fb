package snapshot

// value is one node of a snapshot. Values lie in one slice in the order they
// are printed: the children of a value follow it, up to its end.
type value struct {
	// label is the name within the parent; nil for an element.
	label *label
	// typ is the declared type; shape is the type that data and children have:
	// the same, or what the pointer leads to.
	typ, shape *typeInfo
	// data are the bytes of a scalar, a string or a time.
	data []byte
	// addr is where a pointer points; size is the real length of a string, slice,
	// array, map or channel; capacity is that of a slice or channel, of a
	// function the address of its code, of a time the seconds east of UTC.
	addr, size, capacity uint64
	// end is the position after the last descendant.
	end     int32
	content content
	flags   flags
	reason  reason
}

// content says which of the keys value, fields, elements and entries a value has.
type content uint8

const (
	contentNone content = iota
	contentScalar
	contentString
	contentTime
	contentFields
	contentElements
	contentEntries // children are keys and elements in turn
	contentFunction
	contentID    // of a trace or span: bytes, most significant first
	contentState // of what synchronises: data is a word that stands for it
)

// flags say which of the other keys a value has.
type flags uint16

const (
	flagNull flags = 1 << iota
	flagAddress
	flagSize
	flagTruncated
	flagInvalidUTF8
	flagCapacity
	flagClosed
)

func (v *value) is(f flags) bool { return v.flags&f != 0 }
