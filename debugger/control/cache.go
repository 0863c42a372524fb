package control

import (
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary"
)

// cachedBinaries is how many binaries' resolutions are kept: a service that
// restarts must not be analysed again. One takes some kilobytes per probe.
const cachedBinaries = 16

// cacheKey tells builds apart: by the build id, so that copies of one file in
// different containers are analysed once, or by the file.
type cacheKey struct {
	build string
	size  int64
	file  binary.Identity
}

// keyOf is the key of a binary. Only a build id that the Go toolchain computed
// counts, "action/…/content": some build systems write the same word into
// everything, and a plan for another build would damage the program.
func keyOf(bin *binary.Binary) cacheKey {
	id := bin.Identity()
	const hashes = 60 // the least length of two hashes and what is between
	if build := bin.BuildID(); len(build) >= hashes && strings.Count(build, "/") >= 2 {
		return cacheKey{build: build, size: id.Size}
	}
	return cacheKey{file: id}
}

// cache remembers the resolutions of the binaries used last.
type cache struct {
	entries map[cacheKey][]Resolution
	order   []cacheKey // least recently used first
}

func newCache() *cache { return &cache{entries: map[cacheKey][]Resolution{}} }

// get returns the resolutions for a binary; find makes them when there are
// none.
func (c *cache) get(key cacheKey, find func() []Resolution) []Resolution {
	found, ok := c.entries[key]
	if !ok {
		found = find()
	}
	c.put(key, found)
	return found
}

// put remembers resolutions.
func (c *cache) put(key cacheKey, found []Resolution) {
	c.entries[key] = found
	for i, have := range c.order {
		if have == key {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.order = append(c.order, key)
	if len(c.order) > cachedBinaries {
		delete(c.entries, c.order[0])
		c.order = c.order[1:]
	}
}
