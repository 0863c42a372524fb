package logs

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/fallback"
	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
)

// Status is the state of the engine.
type Status struct {
	// Enabled is the configuration; Running says that Start has succeeded and
	// Stop was not called. Paused says that nothing is read until the machine is
	// restored from its snapshot.
	Enabled bool `json:"enabled"`
	Running bool `json:"running"`
	Paused  bool `json:"paused,omitempty"`
	// Files are the open files by name, and configured names that cannot be read.
	Files []source.FileStatus `json:"files"`
	// Outputs are the streams that the supervised application prints on.
	Outputs []source.OutputStatus `json:"outputs,omitempty"`
	// Stream is the sending side.
	Stream StreamStatus `json:"stream"`
	// Secondary is the second receiver of a dual send; nil without one.
	Secondary *SecondaryStatus `json:"secondary,omitempty"`
	// Spool is the queue on disk; nil without one.
	Spool *SpoolStatus `json:"spool,omitempty"`
	// Quarantine is the file of lines that no receiving side takes.
	Quarantine string `json:"quarantine,omitempty"`
	// Memory is the budget.
	Memory Memory `json:"memory"`
	// Registry is where offsets are kept.
	Registry registry.Status `json:"registry"`
}

// StreamStatus is the state of the sending side. Counters begin at Start; bytes
// are counted once per batch, however often it is sent, except on the wire.
type StreamStatus struct {
	// Endpoint is the receiving side, Profile the encoding it takes, and State what
	// the stream is doing: new, connecting, active, draining, backoff or stopped.
	// Suspended says that nothing is tried until someone acts, but for a slow probe.
	Endpoint  string `json:"endpoint"`
	Profile   string `json:"profile,omitempty"`
	State     string `json:"state"`
	Connected bool   `json:"connected"`
	Suspended bool   `json:"suspended,omitempty"`
	// Sentence says what is wrong and what to do about it; LastError is why the last
	// stream that failed did, with its class; NextStep is what the engine does next
	// by itself. All may be empty.
	Sentence       string    `json:"sentence,omitempty"`
	LastError      string    `json:"last_error,omitempty"`
	LastErrorClass string    `json:"last_error_class,omitempty"`
	LastErrorAt    time.Time `json:"last_error_at,omitzero"`
	NextStep       string    `json:"next_step,omitempty"`
	// LastAck is when an acknowledgement last came.
	LastAck time.Time `json:"last_ack,omitzero"`

	AckedLines   uint64 `json:"acked_lines"`
	AckedBatches uint64 `json:"acked_batches"`
	// SentLines and SentBatches were handed to a stream, with those that were
	// replayed, sent again on a new stream.
	SentLines       uint64 `json:"sent_lines"`
	SentBatches     uint64 `json:"sent_batches"`
	ReplayedLines   uint64 `json:"replayed_lines"`
	ReplayedBatches uint64 `json:"replayed_batches"`
	ReplayedBytes   uint64 `json:"replayed_bytes"`
	// SplitBatches were halved, for their size or to find the line at fault.
	// QuarantinedLines were put aside and DroppedLines lost, by reason.
	SplitBatches     uint64         `json:"split_batches"`
	QuarantinedLines stream.Reasons `json:"quarantined_lines,omitempty"`
	DroppedLines     stream.Reasons `json:"dropped_lines,omitempty"`
	// StreamErrors are the streams that failed; Ends counts all ends by class,
	// Rotations changes of the stream by cause, Fallbacks steps to a simpler
	// profile, Failovers moves to another endpoint.
	StreamsOpened uint64           `json:"streams_opened"`
	StreamErrors  uint64           `json:"stream_errors"`
	Ends          stream.Ends      `json:"ends,omitempty"`
	Rotations     stream.Rotations `json:"rotations,omitempty"`
	Fallbacks     uint64           `json:"fallbacks"`
	Failovers     uint64           `json:"failovers"`

	// Inflight is read and not acknowledged, and OldestInflight its age.
	InflightBytes   int           `json:"inflight_bytes"`
	InflightBatches int           `json:"inflight_batches"`
	InflightLines   int           `json:"inflight_lines"`
	OldestInflight  time.Duration `json:"oldest_inflight_ns"`
	// AckLatency is from handing a batch to a stream to its acknowledgement;
	// Blocked is how long senders waited for the receiving side to take more.
	AckLatency stream.Histogram `json:"-"`
	AckCount   uint64           `json:"ack_count"`
	AckTime    time.Duration    `json:"ack_time_ns"`
	Blocked    time.Duration    `json:"blocked_ns"`

	// RawBytes are the messages, EncodedBytes their encoding before compression,
	// CompressedBytes what goes into payloads, and WireBytes all that gRPC sent;
	// ReceivedBytes all that it received.
	RawBytes        uint64 `json:"raw_bytes"`
	EncodedBytes    uint64 `json:"encoded_bytes"`
	CompressedBytes uint64 `json:"compressed_bytes"`
	WireBytes       uint64 `json:"wire_bytes"`
	ReceivedBytes   uint64 `json:"received_bytes"`

	Codec CodecStatus `json:"codec"`
	// StateBytes is the exact size of what the receiving side was taught. Snapshots
	// told it to a new stream; StateResets gave it up.
	StateBytes    int    `json:"state_bytes"`
	Snapshots     uint64 `json:"snapshots"`
	SnapshotBytes uint64 `json:"snapshot_bytes"`
	StateResets   uint64 `json:"state_resets"`

	// HTTP is what went out without a stream; nil when there is no such way.
	HTTP *fallback.Stats `json:"http,omitempty"`
}

// CodecStatus is what the encoder in use has done.
type CodecStatus struct {
	// Patterns and DictEntries are what the receiving side knows now.
	Patterns        int    `json:"patterns"`
	DictEntries     int    `json:"dict_entries"`
	PatternsAdded   uint64 `json:"patterns_added"`
	PatternsUpdated uint64 `json:"patterns_updated"`
	PatternsRemoved uint64 `json:"patterns_removed"`
	DictAdded       uint64 `json:"dict_added"`
	DictRemoved     uint64 `json:"dict_removed"`
	// PatternLines were sent as a pattern with values, PlainLines as text.
	PatternLines uint64 `json:"pattern_lines"`
	PlainLines   uint64 `json:"plain_lines"`
	// InvalidUTF8Lines had bytes that the rows profile cannot carry; they arrived
	// as U+FFFD.
	InvalidUTF8Lines uint64 `json:"invalid_utf8_lines"`
	// Checked batches were decoded and compared before they left; those that failed
	// were sealed again as text.
	Checked       uint64 `json:"checked_batches"`
	CheckFailures uint64 `json:"check_failures"`
	// Tokenizer, Encoder and Compressor are how long each was busy.
	Tokenizer  time.Duration `json:"tokenizer_ns"`
	Encoder    time.Duration `json:"encoder_ns"`
	Compressor time.Duration `json:"compressor_ns"`
}

// SecondaryStatus is the state of the second receiver.
type SecondaryStatus struct {
	Stream StreamStatus `json:"stream"`
	// Queued waits in front of the stream, Dropped had to make room.
	QueuedBytes    int    `json:"queued_bytes"`
	QueuedLines    int    `json:"queued_lines"`
	DroppedLines   uint64 `json:"dropped_lines"`
	DroppedBatches uint64 `json:"dropped_batches"`
}

// Status works in every phase; after Stop it is the state at the end.
func (e *Engine) Status() Status {
	e.mu.Lock()
	p, last := e.parts, e.last
	e.mu.Unlock()
	if p == nil {
		last.Enabled, last.Stream.Endpoint = e.cfg.Enabled, e.cfg.Endpoint.Address
		if last.Files == nil {
			last.Files = []source.FileStatus{}
		}
		last.Outputs = e.outputStatus() // the application may print on
		last.Paused = e.paused.Load()
		return last
	}
	now := time.Now()
	s := Status{
		Enabled: true, Running: true,
		Files:      p.files.Status(),
		Outputs:    e.outputStatus(),
		Stream:     streamStatus(p.shipper.Stats(), p.sender, now),
		Quarantine: p.quarantine.Path(),
		Registry:   p.registry.Status(),
	}
	if p.spooled != nil {
		s.Spool = p.spooled.status(e.cfg)
	}
	if p.secondary != nil {
		d := p.secondary.Stats()
		s.Secondary = &SecondaryStatus{
			Stream:      streamStatus(d.Stream, p.second, now),
			QueuedBytes: d.QueuedBytes, QueuedLines: d.QueuedLines, DroppedLines: d.DroppedLines, DroppedBatches: d.DroppedBatches,
		}
	}
	s.Memory = e.memory(s)
	return s
}

func (e *Engine) outputStatus() []source.OutputStatus {
	var out []source.OutputStatus
	for _, o := range e.outputs {
		out = append(out, o.Status())
	}
	return out
}

func streamStatus(s stream.Stats, from *sender, now time.Time) StreamStatus {
	out := StreamStatus{
		Endpoint: s.Endpoint, Profile: s.Profile, State: string(s.State), Suspended: s.Suspended,
		Connected: s.State == stream.StateActive || s.State == stream.StateDraining,
		Sentence:  s.Sentence, LastError: s.LastError, LastErrorClass: string(s.LastErrorClass), LastErrorAt: s.LastErrorAt,
		NextStep: nextStep(s, now), LastAck: s.LastAck,
		AckedLines: s.LinesAcked, AckedBatches: s.BatchesAcked, SentLines: s.LinesSent, SentBatches: s.BatchesSent,
		ReplayedLines: s.LinesReplayed, ReplayedBatches: s.BatchesReplayed, ReplayedBytes: s.BytesReplayed,
		SplitBatches: s.BatchesSplit, QuarantinedLines: s.LinesQuarantined, DroppedLines: s.LinesDropped,
		StreamsOpened: s.StreamsOpened, StreamErrors: s.StreamErrors, Ends: s.Ends, Rotations: s.Rotations,
		Fallbacks: s.Fallbacks, Failovers: s.Failovers,
		InflightBytes: s.InflightBytes, InflightBatches: s.InflightBatches, InflightLines: s.InflightLines, OldestInflight: s.OldestInflight,
		AckLatency: s.AckLatency, AckCount: s.AckLatency.Count(), AckTime: s.AckLatency.Sum(), Blocked: s.SendBlocked,
		RawBytes: s.RawBytes, EncodedBytes: s.EncodedBytes, CompressedBytes: s.CompressedBytes, WireBytes: s.WireSent, ReceivedBytes: s.WireReceived,
		Codec: codecStatus(s), StateBytes: s.StateBytes,
		Snapshots: s.SnapshotsSent, SnapshotBytes: s.SnapshotBytes, StateResets: s.StateResets,
	}
	if from != nil && from.http != nil {
		h := from.http.Stats()
		out.HTTP = &h
	}
	return out
}

func codecStatus(s stream.Stats) CodecStatus {
	if s.Profile == stream.ProfileColumns {
		return ofColumns(s.Columns)
	}
	return ofRows(s.Encoder)
}

func ofColumns(c columns.Stats) CodecStatus {
	return CodecStatus{
		Patterns: c.Templates, DictEntries: c.DictEntries,
		PatternsAdded: c.TemplatesAdded, PatternsUpdated: c.TemplatesUpdated, PatternsRemoved: c.TemplatesRemoved,
		DictAdded: c.DictAdded, DictRemoved: c.DictRemoved,
		PatternLines: c.Lines - c.PlainLines, PlainLines: c.PlainLines,
		Checked: c.Checked, CheckFailures: c.CheckFailures,
		Tokenizer: c.Tokenizer, Encoder: c.Encoder, Compressor: c.Compressor,
	}
}

func ofRows(r rows.Stats) CodecStatus {
	return CodecStatus{
		Patterns: r.Patterns, DictEntries: r.DictEntries,
		PatternsAdded: r.PatternsAdded, PatternsUpdated: r.PatternsUpdated, PatternsRemoved: r.PatternsRemoved,
		DictAdded: r.DictAdded, DictRemoved: r.DictRemoved,
		PatternLines: r.LinesStructured, PlainLines: r.LinesRaw, InvalidUTF8Lines: r.InvalidUTF8,
		Checked: r.Checked, CheckFailures: r.CheckFailures,
		Tokenizer: r.Busy.Tokenize, Encoder: r.Busy.Encode, Compressor: r.Busy.Compress,
	}
}

// nextStep says what happens without anybody's help; empty when all is well.
func nextStep(s stream.Stats, now time.Time) string {
	switch {
	case s.State == stream.StateBackoff && s.RetryAt.After(now):
		return fmt.Sprintf("connects again in %v; files are read on as far as there is room", s.RetryAt.Sub(now).Round(time.Second/10))
	case s.State == stream.StateBackoff, s.State == stream.StateConnecting && s.LastError != "":
		return "connects again now"
	case s.State == stream.StateDraining:
		return "moves to a new stream when what was sent is acknowledged"
	}
	return ""
}
