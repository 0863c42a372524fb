package columns

import "bytes"

// index finds the entries of a dictionary that is too large to be searched one by
// one. It is a hash table with chains; numbers in it are one more than an entry's.
type index struct {
	heads [256]uint8
	next  [maxItems]uint8
}

// searchUpTo is the number of entries that are searched without an index.
const searchUpTo = 8

// find is the entry that holds v, or -1.
func (sl *slot) find(v []byte, hash uint64) int {
	if sl.index == nil {
		for i := range sl.items {
			if e := &sl.items[i]; e.hash == hash && e.shape == nil && bytes.Equal(e.value, v) {
				return i
			}
		}
		return -1
	}
	for n := sl.index.heads[uint8(hash)]; n != 0; n = sl.index.next[n-1] {
		if e := &sl.items[n-1]; e.hash == hash && bytes.Equal(e.value, v) {
			return int(n) - 1
		}
	}
	return -1
}

// link makes an entry found.
func (sl *slot) link(p *pool, i int) {
	if sl.index == nil {
		if len(sl.items) <= searchUpTo {
			return
		}
		sl.index = &take(p, &p.indexes, 1)[0]
		for j := range sl.items {
			if sl.items[j].shape == nil {
				sl.index.link(j, sl.items[j].hash)
			}
		}
		return
	}
	sl.index.link(i, sl.items[i].hash)
}

func (x *index) link(i int, hash uint64) {
	head := &x.heads[uint8(hash)]
	x.next[i], *head = *head, uint8(i+1)
}

// unlink makes an entry no longer found.
func (sl *slot) unlink(i int) {
	if sl.index == nil {
		return
	}
	at := &sl.index.heads[uint8(sl.items[i].hash)]
	for *at != uint8(i+1) {
		at = &sl.index.next[*at-1]
	}
	*at = sl.index.next[i]
}
