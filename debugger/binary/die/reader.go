package die

import (
	"debug/dwarf"
	"fmt"
	"iter"
)

// Reader goes through the entries of one unit.
type Reader struct {
	data *Data
	unit *Unit
	rest []byte // of the unit
}

// Entry is one entry. It is valid as long as the sections are.
type Entry struct {
	Off dwarf.Offset
	// Tag is 0 for the entry that ends a list of children.
	Tag      dwarf.Tag
	Children bool

	data   *Data
	unit   *Unit
	fields []field
	values []byte // begins with those of fields
}

// Reader begins at the first entry of a unit.
func (d *Data) Reader(u *Unit) Reader {
	return Reader{data: d, unit: u, rest: d.sections.Info[u.First:u.End]}
}

// Entry reads the entry at an offset, which must be right, and leaves the reader
// behind it. It fails with ErrCorrupt.
func (d *Data) Entry(off dwarf.Offset) (Entry, Reader, error) {
	u := d.UnitOf(off)
	if u == nil {
		return Entry{}, Reader{}, fmt.Errorf("%w (nothing at %#x)", ErrCorrupt, off)
	}
	r := Reader{data: d, unit: u, rest: d.sections.Info[off:u.End]}
	e, err := r.Next()
	return e, r, err
}

// Next reads an entry: the first child of the one before, if it has any, or else
// the next one of the same list. At the end of the unit it is an empty one. It
// fails with ErrCorrupt.
func (r *Reader) Next() (Entry, error) {
	if len(r.rest) == 0 {
		return Entry{}, nil
	}
	off := r.unit.End - dwarf.Offset(len(r.rest))
	b := buffer{data: r.rest}
	code := b.uvarint()
	e := Entry{Off: off, data: r.data, unit: r.unit}
	if code != 0 {
		a := r.unit.abbrevs.find(code)
		if a == nil {
			return Entry{}, fmt.Errorf("%w (entry at %#x)", ErrCorrupt, off)
		}
		e.Tag, e.Children, e.fields, e.values = a.tag, a.children, a.fields, b.data
		for _, f := range a.fields {
			r.unit.skip(&b, f.form)
		}
	}
	if b.cut {
		return Entry{}, fmt.Errorf("%w (entry at %#x)", ErrCorrupt, off)
	}
	r.rest = b.data
	return e, nil
}

// Skip goes past the children of the entry that was read last.
func (r *Reader) Skip(e *Entry) error {
	depth := 0
	for more := e.Children; more; {
		c, err := r.Next()
		if err != nil {
			return err
		}
		switch {
		case c.Children:
			depth++
		case c.Tag == 0:
			depth--
		}
		more = depth >= 0 && len(r.rest) > 0
	}
	return nil
}

// Children goes through the children of the entry that was read last, but not
// through theirs. An error is the last.
func (r *Reader) Children(e Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e.Children {
			c, err := r.Next()
			if err != nil {
				yield(c, err)
				return
			}
			if c.Tag == 0 || !yield(c, nil) {
				return
			}
			if err := r.Skip(&c); err != nil {
				yield(c, err)
				return
			}
		}
	}
}

// Value is that of an attribute; its Class is Missing when the entry lacks it.
func (e *Entry) Value(attr dwarf.Attr) Value {
	b := buffer{data: e.values}
	for _, f := range e.fields {
		if f.attr == attr {
			return e.data.value(e.unit, &b, f)
		}
		e.unit.skip(&b, f.form)
	}
	return Value{}
}

// Each calls yield for each attribute.
func (e *Entry) Each(yield func(dwarf.Attr, Value) bool) {
	b := buffer{data: e.values}
	for _, f := range e.fields {
		if !yield(f.attr, e.data.value(e.unit, &b, f)) {
			return
		}
	}
}

// Done reports whether all entries of the unit were read.
func (r *Reader) Done() bool { return len(r.rest) == 0 }
