package location

// Lists is the section of location lists as one compilation unit sees it.
type Lists struct {
	// Data is .debug_loclists (DWARF 5) or .debug_loc (DWARF 4 and before).
	Data []byte
	// V5 tells the two formats apart.
	V5 bool
	// Addrs is .debug_addr from DW_AT_addr_base of the unit on.
	Addrs []byte
	// Base is DW_AT_low_pc of the unit.
	Base uint64
}

// Entry is one range of a list: Expr holds for Low <= pc < High.
type Entry struct {
	Low, High uint64
	Expr      []byte
}

// maxEntries bounds a list; the longest of the standard library are in the
// hundreds.
const maxEntries = 1 << 16

// Find returns the expression at pc of the list at an offset of Data. An
// expression that is absent, or empty, is ErrOptimisedOut.
func (l Lists) Find(off, pc uint64) (expr []byte, err error) {
	err = l.Each(off, func(e Entry) bool {
		if pc >= e.Low && pc < e.High {
			expr = e.Expr
			return false
		}
		return true
	})
	if err == nil && len(expr) == 0 {
		err = ErrOptimisedOut
	}
	return expr, err
}

// Each calls yield for each range of the list at an offset of Data, until it
// returns false.
func (l Lists) Each(off uint64, yield func(Entry) bool) error {
	if off >= uint64(len(l.Data)) {
		return ErrCorrupt
	}
	r := reader{buf: l.Data[off:]}
	next := l.nextV4
	if l.V5 {
		next = l.nextV5
	}
	base := l.Base
	for range maxEntries {
		e, kind := next(&r, &base)
		switch {
		case r.bad:
			return ErrCorrupt
		case kind == entryEnd:
			return nil
		case kind == entryRange && !yield(e):
			return nil
		}
	}
	return ErrCorrupt
}

type entryKind uint8

const (
	entryEnd   entryKind = iota
	entryBase            // changed the base address only
	entryRange           // gave a range
)

// Entry kinds of DWARF 5, section 7.7.3.
const (
	lleEndOfList       = 0x00
	lleBaseAddressx    = 0x01
	lleStartxEndx      = 0x02
	lleStartxLength    = 0x03
	lleOffsetPair      = 0x04
	lleDefaultLocation = 0x05
	lleBaseAddress     = 0x06
	lleStartEnd        = 0x07
	lleStartLength     = 0x08
)

func (l Lists) nextV5(r *reader, base *uint64) (e Entry, kind entryKind) {
	switch r.byte() {
	case lleEndOfList:
		return e, entryEnd
	case lleBaseAddressx:
		*base = l.addr(r)
		return e, entryBase
	case lleBaseAddress:
		*base = r.fixed(8)
		return e, entryBase
	case lleStartxEndx:
		e.Low, e.High = l.addr(r), l.addr(r)
	case lleStartxLength:
		e.Low = l.addr(r)
		e.High = e.Low + r.uleb()
	case lleOffsetPair:
		e.Low, e.High = *base+r.uleb(), *base+r.uleb()
	case lleDefaultLocation:
		e.High = ^uint64(0)
	case lleStartEnd:
		e.Low, e.High = r.fixed(8), r.fixed(8)
	case lleStartLength:
		e.Low = r.fixed(8)
		e.High = e.Low + r.uleb()
	default:
		r.bad = true
		return e, entryEnd
	}
	e.Expr = r.take(r.uleb())
	return e, entryRange
}

// addr reads an index and returns that entry of .debug_addr.
func (l Lists) addr(r *reader) uint64 {
	i := r.uleb()
	if i >= uint64(len(l.Addrs))/8 {
		r.bad = true
		return 0
	}
	a := reader{buf: l.Addrs[i*8:]}
	return a.fixed(8)
}

// nextV4 reads an entry of .debug_loc (DWARF 4, section 2.6.2).
func (l Lists) nextV4(r *reader, base *uint64) (e Entry, kind entryKind) {
	low, high := r.fixed(8), r.fixed(8)
	switch {
	case low == 0 && high == 0:
		return e, entryEnd
	case low == ^uint64(0):
		*base = high
		return e, entryBase
	}
	return Entry{Low: *base + low, High: *base + high, Expr: r.take(r.fixed(2))}, entryRange
}
