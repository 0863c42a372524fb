package snapshot

import (
	"math/bits"
	"math/rand/v2"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// itemIndex finds the items of one event by type and address: an open hash
// table of positions that is emptied by moving to the next generation.
type itemIndex struct {
	items      []event.Item
	slots      []slot // a power of two, at least twice the items
	generation uint32
	// shapes, when it is set, lets find take items of types that are alike.
	shapes *Layout
}

type slot struct {
	generation uint32
	item       uint32
}

// reset indexes the items of the next event: by their type, or, with shapes, by
// what is alike to its types.
func (x *itemIndex) reset(items []event.Item, shapes *Layout) {
	x.items, x.shapes = items, shapes
	if len(x.slots) < 2*len(items) {
		n := 64
		for n < 2*len(items) {
			n *= 2
		}
		x.slots, x.generation = make([]slot, n), 0
	}
	x.generation++
	if x.generation == 0 { // wrapped: old marks would look current
		clear(x.slots)
		x.generation = 1
	}
	for i := range items {
		x.add(uint32(i))
	}
}

// add enters one item. Of two with the same key the longer is kept: slices of
// one array share an address and differ in length.
func (x *itemIndex) add(i uint32) {
	it := &x.items[i]
	key := x.key(it.Type)
	for h := hash(key, it.Addr); ; h++ {
		s := &x.slots[h&uint64(len(x.slots)-1)]
		if s.generation != x.generation {
			*s = slot{x.generation, i}
			return
		}
		if old := &x.items[s.item]; x.key(old.Type) == key && old.Addr == it.Addr {
			if len(it.Data) > len(old.Data) {
				s.item = i
			}
			return
		}
	}
}

// find returns the item, or nil.
func (x *itemIndex) find(t gotype.ID, addr uint64) *event.Item {
	if len(x.items) == 0 {
		return nil
	}
	key := x.key(t)
	for h := hash(key, addr); ; h++ {
		s := x.slots[h&uint64(len(x.slots)-1)]
		if s.generation != x.generation {
			return nil
		}
		if it := &x.items[s.item]; x.key(it.Type) == key && it.Addr == addr {
			return it
		}
	}
}

// key is what items are indexed by instead of a type.
func (x *itemIndex) key(t gotype.ID) gotype.ID {
	if x.shapes == nil || t == event.TypeDictionary {
		return t
	}
	return x.shapes.typ(t).alike
}

// secret keeps processes from choosing addresses whose items share a slot, which
// would make an event as costly as the square of its items.
var secret = [2]uint64{rand.Uint64(), rand.Uint64() | 1}

// hash mixes all bits of the address into the low ones: both halves of a product
// with a secret number, twice because one leaves patterns.
func hash(t gotype.ID, addr uint64) uint64 {
	hi, lo := bits.Mul64(addr^uint64(t)<<48^secret[0], secret[1])
	hi, lo = bits.Mul64(hi^lo^secret[1], 0x9e3779b97f4a7c15)
	return hi ^ lo
}
