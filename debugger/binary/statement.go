package binary

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"io"
	"slices"
)

// statements are the addresses in a function that its line table marks as the
// beginning of a statement, in order.
func (b *Binary) statements(fn Function) (addrs []uint64, err error) {
	d, err := b.debugData()
	if err != nil {
		return nil, err
	}
	off, ok := d.function(fn.Entry)
	if !ok {
		return nil, ErrNotDescribed
	}
	u := d.dies.UnitOf(off)
	if u == nil {
		return nil, ErrNotDescribed
	}
	lines, err := b.detailed(d)
	if err != nil {
		return nil, err
	}
	e, err := standardEntry(lines, u.First)
	if err != nil {
		return nil, err
	}
	r, err := lines.LineReader(e)
	if err != nil || r == nil {
		return nil, fmt.Errorf("read line table: %w", errors.Join(ErrCorrupt, err))
	}
	var row dwarf.LineEntry
	for {
		switch err := r.Next(&row); {
		case errors.Is(err, io.EOF):
			slices.Sort(addrs)
			return addrs, nil
		case err != nil:
			return nil, fmt.Errorf("read line table: %w", errors.Join(ErrCorrupt, err))
		}
		if row.IsStmt && !row.EndSequence && row.Address >= fn.Entry && row.Address < fn.End {
			addrs = append(addrs, row.Address)
		}
	}
}
