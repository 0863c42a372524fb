package source

import (
	"context"

	"github.com/vigil-agent/vigil/logs/record"
)

// Bounds of the memory that reading takes.
const (
	// maxChunk is what one read takes from a file at most, in bytes: larger reads
	// were not faster.
	maxChunk = 256 << 10
	// readersAtOnce is how many readers of local files have a chunk at once, whatever
	// the number of files. The Sink takes the lines of one at a time, so that more
	// would wait with their memory full.
	readersAtOnce = 4
	// ChunkBytes is what they take together, but for lines that are longer than a
	// chunk, in bytes.
	ChunkBytes = readersAtOnce * maxChunk
	// spareRest is what a reader may hold besides the line that is not complete.
	spareRest = 4 << 10
)

// chunk is what was read from a file last, after the beginning of a line that was
// not complete before.
type chunk struct {
	memory []byte
	lines  []record.Record // empty, with room for groupSize
	local  bool
}

// room makes the chunk begin with rest and returns the memory behind it for up to
// want bytes, at least one.
func (c *chunk) room(rest []byte, want int64) []byte {
	most := maxChunk
	if len(rest) < maxChunk/2 {
		most -= len(rest) // the chunk keeps its size
	}
	n := int(min(max(want, 1), int64(most)))
	if need := len(rest) + n; cap(c.memory) < need {
		c.memory = make([]byte, max(need, maxChunk))
	}
	c.memory = append(c.memory[:0], rest...)
	return c.memory[len(rest) : len(rest)+n]
}

// text is all of the chunk after n bytes were read into its room.
func (c *chunk) text(n int) []byte { return c.memory[:len(c.memory)+n] }

// chunks lends memory for reading.
type chunks struct {
	readers chan struct{}
	free    chan *chunk
}

func newChunks() *chunks {
	return &chunks{
		readers: make(chan struct{}, readersAtOnce),
		free:    make(chan *chunk, readersAtOnce),
	}
}

// borrow waits for its turn, or for the end of ctx. A file that is not local never
// waits and makes none wait: nobody knows how long a read takes there.
func (c *chunks) borrow(ctx context.Context, local bool) (*chunk, error) {
	if local {
		select {
		case c.readers <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var lent *chunk
	select {
	case lent = <-c.free:
	default:
		lent = &chunk{lines: make([]record.Record, 0, groupSize)}
	}
	lent.local = local
	return lent, nil
}

func (c *chunks) giveBack(lent *chunk) {
	local := lent.local
	if cap(lent.memory) > maxChunk { // it grew for a long line
		lent.memory = nil
	}
	select {
	case c.free <- lent:
	default:
	}
	if local {
		<-c.readers
	}
}
