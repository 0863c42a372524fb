package snapshot

import "encoding/binary"

// view is a run of captured bytes.
type view struct {
	data []byte
	// missing is why it is shorter than the value, or why what it points to
	// was not followed, when the kernel program said so.
	missing reason
	// root says that the run is part of the root item, at this offset there.
	root   bool
	offset uint64
}

// sub is the part of the view at [offset, offset+size), clipped to what there
// is.
func (w view) sub(offset, size uint64) view {
	n := uint64(len(w.data))
	from := min(offset, n)
	w.data = w.data[from : from+min(size, n-from)]
	w.offset += offset
	return w
}

// word is the little-endian word at the offset; the caller checked the length.
func (w view) word(offset int) uint64 { return binary.LittleEndian.Uint64(w.data[offset:]) }

// unfollowed is why there is no item for what a captured value points to.
func (w view) unfollowed() reason {
	if w.missing == reasonPointers {
		return reasonPointers
	}
	return reasonPruned
}
