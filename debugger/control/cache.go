package control

import "github.com/vigil-agent/vigil/debugger/binary"

// cachedBinaries is how many binaries' resolutions are kept: a service that
// restarts must not be analysed again. One takes some kilobytes per probe.
const cachedBinaries = 16

// cache remembers the resolutions of the binaries used last.
type cache struct {
	entries map[binary.Identity][]Resolution
	order   []binary.Identity // least recently used first
}

func newCache() *cache { return &cache{entries: map[binary.Identity][]Resolution{}} }

// get returns the resolutions for a binary; find makes them when there are
// none.
func (c *cache) get(id binary.Identity, find func() []Resolution) []Resolution {
	found, ok := c.entries[id]
	if !ok {
		found = find()
		c.entries[id] = found
	}
	c.touch(id)
	if len(c.order) > cachedBinaries {
		delete(c.entries, c.order[0])
		c.order = c.order[1:]
	}
	return found
}

func (c *cache) touch(id binary.Identity) {
	for i, have := range c.order {
		if have == id {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.order = append(c.order, id)
}
