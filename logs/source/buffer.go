package source

import (
	"context"
	"sync/atomic"

	"github.com/vigil-agent/vigil/logs/record"
)

// Bounds of the memory that reading takes.
const (
	// maxChunk is what one read takes from a file at most, in bytes: larger reads
	// were not faster.
	maxChunk = 256 << 10
	// farChunk is that of a file that is not local, of which any number may be read at
	// once.
	farChunk = 32 << 10
	// readersAtOnce is how many readers of local files have a chunk at once, whatever
	// the number of files. The Sink takes the lines of one at a time, so that more
	// would wait with their memory full.
	readersAtOnce = 4
	// maxRests is what all files together hold of lines that are not complete, in
	// bytes. What they have beyond it is read again when it goes on.
	maxRests = 512 << 10
	// spareRest is what a file may hold more than twice its rest, so that short ones do
	// not allocate.
	spareRest = 512
	// MemoryBytes is what reading local files takes at most with lines of
	// DefaultMaxLine: the chunks, one of which may have grown for a line that is
	// longer, and the rests.
	MemoryBytes = readersAtOnce*maxChunk + DefaultMaxLine + maxRests
)

// chunk is what was read from a file last, after the beginning of a line that was
// not complete before.
type chunk struct {
	memory []byte
	lines  []record.Record // empty, with room for groupSize
	local  bool
	large  bool // local, and may grow
}

// room makes the chunk begin with rest and returns the memory behind it: for the
// again bytes that follow, which were read before, and up to want more, at least one.
func (c *chunk) room(rest []byte, again int, want int64) []byte {
	size := farChunk
	if c.local {
		size = maxChunk
	}
	most := size
	if known := len(rest) + again; known < size/2 {
		most -= known // the chunk keeps its size
	}
	n := again + int(min(max(want, 1), int64(most)))
	if need := len(rest) + n; cap(c.memory) < need {
		c.memory = make([]byte, max(need, size))
	}
	c.memory = append(c.memory[:0], rest...)
	return c.memory[len(rest) : len(rest)+n]
}

// text is all of the chunk after n bytes were read into its room.
func (c *chunk) text(n int) []byte { return c.memory[:len(c.memory)+n] }

// chunks lends memory for reading.
type chunks struct {
	readers chan struct{}
	large   chan struct{} // to whom a chunk may grow
	free    chan *chunk   // of local files
	far     chan *chunk   // of others
	rests   atomic.Int64  // bytes that files hold
}

func newChunks() *chunks {
	return &chunks{
		readers: make(chan struct{}, readersAtOnce),
		large:   make(chan struct{}, 1),
		free:    make(chan *chunk, readersAtOnce),
		far:     make(chan *chunk, readersAtOnce),
	}
}

// borrow waits for its turn, or for the end of ctx, to read what follows known bytes
// of a line. A file that is not local never waits and makes none wait: nobody knows
// how long a read takes there.
func (c *chunks) borrow(ctx context.Context, local bool, known int) (*chunk, error) {
	large := local && known >= maxChunk/2
	if large { // before the turn, so that who has one waits for nobody
		if err := take(ctx, c.large); err != nil {
			return nil, err
		}
	}
	if local {
		if err := take(ctx, c.readers); err != nil {
			if large {
				<-c.large
			}
			return nil, err
		}
	}
	var lent *chunk
	select {
	case lent = <-c.idle(local):
	default:
		lent = &chunk{lines: make([]record.Record, 0, groupSize), local: local}
	}
	lent.large = large
	return lent, nil
}

func (c *chunks) idle(local bool) chan *chunk {
	if local {
		return c.free
	}
	return c.far
}

func take(ctx context.Context, turns chan<- struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *chunks) giveBack(lent *chunk) {
	local, large := lent.local, lent.large
	if cap(lent.memory) > maxChunk { // it grew for a long line
		lent.memory = nil
	}
	select {
	case c.idle(local) <- lent:
	default:
	}
	if local {
		<-c.readers
	}
	if large {
		<-c.large
	}
}

// hold counts a file's rest, whose memory changes by so many bytes. It refuses to
// hold more than maxRests.
func (c *chunks) hold(change int) bool {
	if c.rests.Add(int64(change)) <= maxRests || change <= 0 {
		return true
	}
	c.rests.Add(-int64(change))
	return false
}
