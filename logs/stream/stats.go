package stream

import (
	"maps"
	"time"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// Stats is what a worker has done since it was made, and where it stands.
type Stats struct {
	// State is where the worker stands; Stopping says that Stop was called, and
	// Suspended that every receiving side waits for someone to act.
	State               State
	Stopping, Suspended bool
	// Endpoint and Profile are those of the stream in use or opened last.
	Endpoint, Profile string
	// LastError says why the last stream that failed did; empty when none failed.
	LastError      string
	LastErrorClass fault.Class
	LastErrorAt    time.Time
	// Sentence says what is going on and what to do about it, for a person; empty
	// while nothing is wrong.
	Sentence string
	// RetryAt is when the next stream is opened; zero outside of a backoff.
	RetryAt time.Time
	// LastAck is when acknowledgements last made progress.
	LastAck time.Time

	// Streams opened and failed; Ends counts how they ended, by class.
	StreamsOpened, StreamErrors uint64
	Ends                        Ends
	// Rotations by cause, steps down the ladder of profiles, and moves to another
	// endpoint.
	Rotations            Rotations
	Fallbacks, Failovers uint64

	// Batches and lines handed to a stream; replays are included and also
	// counted on their own.
	BatchesSent, LinesSent                        uint64
	BatchesReplayed, LinesReplayed, BytesReplayed uint64
	BatchesAcked, LinesAcked                      uint64
	// BatchesSplit counts halvings of a batch, for its size or to find the line at
	// fault. LinesQuarantined were put aside, LinesDropped lost because there is no
	// quarantine.
	BatchesSplit                   uint64
	LinesQuarantined, LinesDropped Reasons

	// Inflight is what Append accepted and is not acknowledged; its bytes are
	// memory: records, messages and payloads.
	InflightBytes, InflightBatches, InflightLines int
	// OldestInflight is the age of the oldest of it, by its Append.
	OldestInflight time.Duration
	// AckLatency is the time from handing a batch to a stream to its
	// acknowledgement.
	AckLatency Histogram
	// SendBlocked is how long senders waited for flow control.
	SendBlocked time.Duration

	// Bytes of the messages, of their encoding before compression, and of the
	// payloads; each batch counts once, however often it is sent.
	RawBytes, EncodedBytes, CompressedBytes uint64
	// WireSent and WireReceived are bytes of gRPC messages with their framing,
	// headers received included, HTTP/2 framing and TLS excluded.
	WireSent, WireReceived uint64

	// Encoder is what the rows encoder in use did, Columns what the columns encoder
	// did; zero for other profiles. What is encoded again counts again.
	Encoder rows.Stats
	Columns columns.Stats
	// StateBytes is the size of the state that the receiving side acknowledged.
	StateBytes int
	// Snapshots sent as batch 0, and how often the state was given up.
	SnapshotsSent, SnapshotBytes, StateResets uint64
}

// Ends counts ends of streams by class.
type Ends map[fault.Class]uint64

func (e *Ends) add(c fault.Class) {
	if *e == nil {
		*e = Ends{}
	}
	(*e)[c]++
}

// Cause says why a stream is replaced by another while it works.
type Cause string

// The causes of a rotation.
const (
	CauseLifetime Cause = "lifetime" // its time is over
	CauseGoAway   Cause = "goaway"   // the receiving side wants it
	CauseIDs      Cause = "ids"      // the last batch id is used
	CauseKey      Cause = "key"      // the API key changed
	CauseProbe    Cause = "probe"    // a better profile is tried again
	CauseNumbers  Cause = "numbers"  // batches are no longer numbered as saved
)

// Rotations counts rotations by cause.
type Rotations map[Cause]uint64

func (r *Rotations) add(c Cause) {
	if *r == nil {
		*r = Rotations{}
	}
	(*r)[c]++
}

// Reasons counts lines by the reason why they cannot be delivered.
type Reasons map[Reason]uint64

func (r *Reasons) add(reason Reason) {
	if *r == nil {
		*r = Reasons{}
	}
	(*r)[reason]++
}

// Sum is the number of lines.
func (r Reasons) Sum() uint64 {
	n := uint64(0)
	for _, v := range r {
		n += v
	}
	return n
}

// snapshotStats is where the core stands.
func (c *core) snapshotStats(now time.Time) Stats {
	s := c.stats
	s.Ends, s.Rotations = maps.Clone(s.Ends), maps.Clone(s.Rotations)
	s.LinesQuarantined, s.LinesDropped = maps.Clone(s.LinesQuarantined), maps.Clone(s.LinesDropped)
	s.State, s.Stopping = c.state, c.stopping
	s.Endpoint, s.Profile = c.endpoints[c.cur.endpoint].address, c.ladder[c.cur.rung].Profile()
	s.RetryAt = c.deadlines[timerRetry]
	s.Suspended = c.state == StateBackoff
	for i := range c.endpoints {
		s.Suspended = s.Suspended && c.endpoints[i].suspended(now)
	}
	s.Sentence = c.sentence()
	s.InflightBytes, s.InflightBatches, s.InflightLines = c.queue.bytes, c.queue.batches, c.queue.lines
	if c.queue.len() > 0 {
		s.OldestInflight = now.Sub(c.queue.items[0].at)
	}
	if c.ledger != nil {
		s.StateBytes = c.ledger.Bytes()
	}
	switch enc := c.enc.(type) {
	case interface{ Stats() rows.Stats }:
		s.Encoder = enc.Stats()
	case interface{ Stats() columns.Stats }:
		s.Columns = enc.Stats()
		s.StateBytes = s.Columns.StateBytes
	}
	return s
}

// sentence is what a person should know.
func (c *core) sentence() string {
	healthy := c.state == StateActive || c.state == StateDraining
	switch {
	case c.parking != nil && c.deadlines[timerPark] != (time.Time{}):
		return c.stats.LastError
	case c.state == StateStopped, c.stats.LastErrorClass == "":
		return ""
	case healthy && c.endpoints[c.cur.endpoint].floor > 0:
		return fault.RuleOf(fault.Capability).Sentence + ": " + c.ladder[c.cur.rung].Profile() + " is in use"
	case healthy:
		return ""
	default:
		return fault.RuleOf(c.stats.LastErrorClass).Sentence + " (" + c.stats.LastError + ")"
	}
}
