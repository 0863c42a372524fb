package intake

import (
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// Stats is what a server has done since it was made.
type Stats struct {
	// Streams is how many were accepted, OpenStreams how many are open now.
	Streams     uint64 `json:"streams"`
	OpenStreams int    `json:"open_streams"`
	// Batches and Lines are durable and acknowledged. Snapshots are the batches
	// with id 0; they hold no lines.
	Batches   uint64 `json:"batches"`
	Snapshots uint64 `json:"snapshots"`
	Lines     uint64 `json:"lines"`
	// DataBytes is the compressed data of all batches received.
	DataBytes uint64 `json:"data_bytes"`
	// StateBytes is the state of all open streams.
	StateBytes int64 `json:"state_bytes"`
	// Sessions is how many senders of numbered batches are known. Repeated are their
	// batches that came again: acknowledged, and not stored twice. Fenced are streams
	// that a newer one of their session ended.
	Sessions int    `json:"sessions"`
	Repeated uint64 `json:"repeated"`
	Fenced   uint64 `json:"fenced"`
	// Rejected counts streams that the server ended, by the name of the gRPC
	// status code; nil when there are none.
	Rejected map[string]uint64 `json:"rejected,omitempty"`
	// Journal is what the journal wrote; zero with another sink.
	Journal journal.Stats `json:"journal"`
}

// counters are the live form of Stats.
type counters struct {
	streams, batches, snapshots, lines, data, repeated, fenced atomic.Uint64

	open, state atomic.Int64

	mu       sync.Mutex
	rejected map[string]uint64 // guarded by mu
}

func (c *counters) reject(code codes.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rejected == nil {
		c.rejected = map[string]uint64{}
	}
	c.rejected[code.String()]++
}
