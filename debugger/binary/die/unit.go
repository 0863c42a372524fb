package die

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"slices"
)

// ErrCorrupt says that the debug information cannot be read any further.
var ErrCorrupt = errors.New("debug information is damaged")

// Sections are what entries refer to. All but Abbrev and Info may be missing.
type Sections struct {
	Abbrev, Info, Str, LineStr, StrOffsets, Addr []byte
}

// Data is the debug information of one program. It is safe for concurrent use.
type Data struct {
	sections Sections
	units    []Unit
	// abbreviated is how many bytes of Abbrev were read.
	abbreviated int
}

// Unit is one compilation unit.
type Unit struct {
	// Header is where it starts; its first entry, which describes the unit
	// itself, is at First, and End is behind its last one.
	Header, First, End dwarf.Offset
	// Version is that of DWARF.
	Version int
	// AddrBase is where its part of .debug_addr begins; LowPC is what the offsets of
	// its lists start from.
	AddrBase, LowPC uint64

	strBase              uint64 // where its part of .debug_str_offsets begins
	offsetSize, addrSize int
	abbrevs              *abbrevs
}

// New reads the headers of the units and their abbreviations. It fails with
// ErrCorrupt.
func New(s Sections) (*Data, error) {
	d := &Data{sections: s}
	tables := map[uint64]*abbrevs{}
	for at := 0; at < len(s.Info); {
		u, err := d.header(at, tables)
		if err != nil {
			return nil, fmt.Errorf("unit at %#x: %w", at, err)
		}
		if at = int(u.End); u.abbrevs == nil {
			continue
		}
		d.units = append(d.units, u)
		last := &d.units[len(d.units)-1]
		r := d.Reader(last)
		if e, err := r.Next(); err == nil {
			last.AddrBase, last.strBase = e.Value(dwarf.AttrAddrBase).offset(), e.Value(dwarf.AttrStrOffsetsBase).offset()
			if low := e.Value(dwarf.AttrLowpc); low.Class == Address { // it may need AddrBase
				last.LowPC = low.N
			}
		}
	}
	return d, nil
}

// Types of units with more in the header (section 7.5.1).
const (
	unitType         = 2
	unitSkeleton     = 4
	unitSplitCompile = 5
	unitSplitType    = 6
)

// header reads the header of the unit at an offset; one without content has no
// abbreviations.
func (d *Data) header(at int, tables map[uint64]*abbrevs) (u Unit, err error) {
	b := buffer{data: d.sections.Info[at:]}
	u = Unit{Header: dwarf.Offset(at), offsetSize: 4}
	length, lengthSize := b.uint(4), 4
	if length == 0xffffffff {
		length, lengthSize, u.offsetSize = b.uint(8), 12, 8
	}
	if b.data = b.take(length); b.cut {
		return u, ErrCorrupt
	}
	u.End = u.Header + dwarf.Offset(lengthSize) + dwarf.Offset(length)
	if length == 0 {
		return u, nil
	}
	kind := uint64(0)
	u.Version = int(b.uint(2))
	if u.Version < 2 || u.Version > 5 {
		return u, fmt.Errorf("%w (version %d)", ErrCorrupt, u.Version)
	}
	if u.Version >= 5 {
		kind, u.addrSize = b.uint(1), int(b.uint(1))
	}
	table := b.uint(u.offsetSize)
	if u.Version < 5 {
		u.addrSize = int(b.uint(1))
	}
	switch kind {
	case unitSkeleton, unitSplitCompile:
		b.uint(8)
	case unitType, unitSplitType:
		b.uint(8)
		b.uint(u.offsetSize)
	}
	u.First = u.End - dwarf.Offset(len(b.data))
	if b.cut || table > uint64(len(d.sections.Abbrev)) || u.addrSize > 8 {
		return u, ErrCorrupt
	}
	if u.abbrevs = tables[table]; u.abbrevs == nil {
		var length int
		if u.abbrevs, length, err = parseAbbrevs(d.sections.Abbrev[table:]); err != nil {
			return u, err
		}
		// Tables do not overlap: else a small file could ask for any amount of them.
		if d.abbreviated += length; d.abbreviated > len(d.sections.Abbrev) {
			return u, fmt.Errorf("%w (abbreviations overlap)", ErrCorrupt)
		}
		tables[table] = u.abbrevs
	}
	return u, nil
}

// Units are the units in the order of the file.
func (d *Data) Units() []Unit { return d.units }

// UnitOf is the unit that holds an entry, nil when there is none.
func (d *Data) UnitOf(off dwarf.Offset) *Unit {
	i, found := slices.BinarySearchFunc(d.units, off, func(u Unit, off dwarf.Offset) int { return int(u.First) - int(off) })
	if !found {
		i--
	}
	if i < 0 || off >= d.units[i].End {
		return nil
	}
	return &d.units[i]
}
