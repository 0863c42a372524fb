package binary

import (
	"sync"

	"github.com/vigil-agent/vigil/debugger/binary/pclntab"
)

// Frame is one logical call of a stack.
type Frame struct {
	// Function is the qualified name; File and Line are where in it.
	Function string
	File     string
	Line     int
}

// symbolizerCache bounds the program counters a Symbolizer remembers; one takes
// about 200 bytes.
const symbolizerCache = 8192

// Symbolizer turns link-time program counters into frames and remembers the
// answers. It is safe for concurrent use, until its binary is closed.
type Symbolizer struct {
	binary *Binary

	mu    sync.RWMutex // guards cache
	cache map[uint64][]Frame
}

// Symbolizer returns a symbolizer with a cache of its own.
func (b *Binary) Symbolizer() *Symbolizer {
	return &Symbolizer{binary: b, cache: map[uint64][]Frame{}}
}

// Frames are the logical calls at a link-time pc, innermost first: inlined
// calls, then the function itself. A return address (every stack entry but the
// innermost) is looked up one byte earlier, in the call it returns to. The
// result is nil when pc is in no Go function; it is shared and must not be
// modified.
func (s *Symbolizer) Frames(pc uint64, returnAddress bool) []Frame {
	if returnAddress {
		pc--
	}
	s.mu.RLock()
	frames, ok := s.cache[pc]
	s.mu.RUnlock()
	if ok {
		return frames
	}
	frames = s.binary.frames(pc)
	s.mu.Lock()
	if len(s.cache) >= symbolizerCache {
		// Stacks repeat: what is hot comes back at once, so forgetting all is
		// as good as a precise order of eviction and needs none of its upkeep.
		clear(s.cache)
	}
	s.cache[pc] = frames
	s.mu.Unlock()
	return frames
}

func (b *Binary) frames(pc uint64) (frames []Frame) {
	if b.table == nil {
		return nil
	}
	var err error
	defer guard(&err)()
	f, ok := b.table.Find(pc)
	if !ok {
		return nil
	}
	var buf [8]pclntab.Frame
	for _, fr := range f.AppendFrames(buf[:0], pc) {
		frames = append(frames, Frame(fr))
	}
	return frames
}
