package gotype

// Runtime is how the Go runtime that a binary carries lays out what a capture
// walks through. Offsets and sizes are in bytes; addresses are link-time ones.
type Runtime struct {
	// Types and ETypes bound the runtime's type descriptions: the type word of
	// an interface, less the bias of the process and Types, is the
	// Type.RuntimeOffset of the dynamic type when it is in range. A type made at
	// run time by package reflect is on the heap, and outside.
	Types, ETypes uint64
	// ItabType is the offset in an itab, which is what the type word of an
	// interface with methods points to, of the pointer to the dynamic type.
	ItabType uint32
	// TypeSize, TypeHash and TypeKind are offsets in a type description of the
	// size (8 bytes), the hash (4) and the kind (1, the low five bits).
	TypeSize, TypeHash, TypeKind uint32
	// Swiss is set when maps are swiss tables (Go 1.24 and later), Hash when
	// they are arrays of buckets (GOEXPERIMENT=noswissmap until Go 1.25).
	Swiss    *SwissLayout
	Hash     *HashLayout
	Chan     ChanLayout
	Location LocationLayout
	G        GLayout
}

// SwissLayout is what all swiss maps of a binary share. A map's word points to the
// header; a nil word is a nil map. With DirLen 0 the map is small: DirPtr
// points to a single group, or is nil when nothing was ever stored. Otherwise it
// points to DirLen pointers to tables, where a table stands 1<<(GlobalDepth -
// its LocalDepth) times in a row, the first time at its Index. A table has
// LengthMask+1 groups, side by side.
type SwissLayout struct {
	// Offsets in the header: entries (8 bytes), pointer, length (8), depth (1).
	Used, DirPtr, DirLen, GlobalDepth uint32
	// Offsets in a table: depth (1), index (8), pointer to groups, mask (8).
	LocalDepth, Index, Groups, LengthMask uint32
}

// HashLayout is what all maps made of buckets share. A map's word points to the
// header. There are 1<<B buckets. While OldBuckets is not nil the map grows:
// what has not moved yet is there, in as many buckets when Flags has the bit
// SameSize, in half as many otherwise.
type HashLayout struct {
	// Offsets in the header: entries (8 bytes), flags (1), log2 (1), pointers.
	Count, Flags, B, Buckets, OldBuckets uint32
	SameSize                             uint8
}

// MapLayout is how a map of one type holds its entries: by eight, in a group of a
// swiss map or in a bucket.
type MapLayout struct {
	// GroupSize is the distance from one group or bucket to the next.
	GroupSize uint32
	// Control is the offset of eight bytes that say which slots are used, one
	// each: in a group those with bit 7 clear, in a bucket those of 5 and more
	// (what has moved out of OldBuckets has 2 or 3 there).
	Control uint32
	// Keys and Elems are the offsets of the first, the strides lead to the next.
	Keys, KeyStride, Elems, ElemStride uint32
	// Overflow is the offset of the pointer to the next bucket of a chain; 0 in
	// a swiss map.
	Overflow uint32
	// IndirectKey and IndirectElem say that a slot holds a pointer to the key or
	// element, because it is larger than 128 bytes.
	IndirectKey, IndirectElem bool
}

// Slots is how many entries a group or bucket holds.
const Slots = 8

// ChanLayout is the layout of a channel. Its word points to it. The element that is
// received next is at Receive of Buffer; Count elements follow, round the end.
type ChanLayout struct {
	// Offsets of len and cap (8 bytes each), the pointer to the elements, the
	// index (8) and the word that is not 0 once the channel is closed (4).
	Count, Capacity, Buffer, Receive, Closed uint32
}

// LocationLayout is the layout of a time.Location: the zone that was in use lately.
type LocationLayout struct {
	// Name is the offset of the name, a string. CacheStart and CacheEnd are those
	// of the seconds since 1970 between which the zone holds (8 bytes each),
	// CacheZone that of a pointer to it.
	Name, CacheStart, CacheEnd, CacheZone uint32
	// ZoneName and ZoneOffset are the offsets, in the zone, of its abbreviation, a
	// string, and of the seconds east of UTC (8 bytes).
	ZoneName, ZoneOffset uint32
}

// GLayout is the layout of a goroutine, which register R14 of amd64 points to.
type GLayout struct {
	// GoID is the offset of the goroutine's number (8 bytes), StackLow and
	// StackHigh those of the bounds of its stack.
	GoID, StackLow, StackHigh uint32
	// M is the offset of the pointer to the thread, CurG the offset, there, of
	// the pointer to the goroutine a thread works for while it is on its own
	// stack.
	M, CurG uint32
}
