package stream

import (
	"time"

	"github.com/vigil-agent/vigil/logs/codec/rows"
)

// Stats is what a worker has done since it was made, and where it stands.
type Stats struct {
	// State is where the worker stands; Stopping says that Stop was called.
	State    State
	Stopping bool
	// LastError says why the last stream that failed did, and what to do about
	// it; empty when none failed.
	LastError      string
	LastErrorClass Class
	LastErrorAt    time.Time
	// RetryAt is when the next stream is opened; zero outside of a backoff.
	RetryAt time.Time
	// LastAck is when acknowledgements last made progress.
	LastAck time.Time

	// Streams: opened, failed, closed by the receiving side on purpose, and
	// rotated (lifetime, or on its wish).
	StreamsOpened, StreamErrors, PlannedCloses, Rotations uint64

	// Batches and lines handed to a stream; replays are included and also
	// counted on their own.
	BatchesSent, LinesSent         uint64
	BatchesReplayed, LinesReplayed uint64
	BatchesAcked, LinesAcked       uint64
	// BatchesSplit counts halvings of a batch that did not fit into a message,
	// LinesDropped single lines that did not.
	BatchesSplit, LinesDropped uint64

	// Inflight is what Append accepted and is not acknowledged; its bytes are
	// memory: records, messages and payloads.
	InflightBytes, InflightBatches, InflightLines int
	// OldestInflight is the age of the oldest of it, by its Append.
	OldestInflight time.Duration

	// Bytes of the messages, of the datum sequences before compression, and of
	// the payloads; each batch counts once, however often it is sent.
	RawBytes, EncodedBytes, CompressedBytes uint64
	// WireSent and WireReceived are bytes of gRPC messages with their framing,
	// headers received included, HTTP/2 framing and TLS excluded.
	WireSent, WireReceived uint64

	// Encoder is what the encoder did, replays excluded; zero when the codec has
	// no such figures.
	Encoder rows.Stats
	// StateBytes is the size of the state that the receiving side acknowledged.
	StateBytes int
	// Snapshots sent as batch 0, and how often the state was given up.
	SnapshotsSent, SnapshotBytes, StateResets uint64
}
