package logs

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
)

// Status is the state of the engine.
type Status struct {
	// Enabled is the configuration; Running says that Start has succeeded and
	// Stop was not called.
	Enabled bool `json:"enabled"`
	Running bool `json:"running"`
	// Files are the open files by name, and configured names that cannot be read.
	Files []source.FileStatus `json:"files"`
	// Outputs are the streams that the supervised application prints on.
	Outputs []source.OutputStatus `json:"outputs,omitempty"`
	// Stream is the sending side.
	Stream StreamStatus `json:"stream"`
	// Registry is where offsets are kept.
	Registry registry.Status `json:"registry"`
}

// StreamStatus is the state of the sending side. Counters begin at Start; bytes
// are counted once per batch, however often it is sent, except on the wire.
type StreamStatus struct {
	// Endpoint is the receiving side, State what the stream is doing: new,
	// connecting, active, draining, backoff or stopped.
	Endpoint  string `json:"endpoint"`
	State     string `json:"state"`
	Connected bool   `json:"connected"`
	// LastError is why the last stream that failed did, and what to do about it;
	// NextStep is what the engine does next by itself. Both may be empty.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	NextStep    string    `json:"next_step,omitempty"`
	// LastAck is when an acknowledgement last came.
	LastAck time.Time `json:"last_ack,omitzero"`

	AckedLines   uint64 `json:"acked_lines"`
	AckedBatches uint64 `json:"acked_batches"`
	// ReplayedBatches were sent again on a new stream, and DroppedLines could not
	// be sent at all.
	ReplayedBatches uint64 `json:"replayed_batches"`
	DroppedLines    uint64 `json:"dropped_lines"`
	StreamsOpened   uint64 `json:"streams_opened"`
	StreamErrors    uint64 `json:"stream_errors"`

	// Inflight is read and not acknowledged, and OldestInflight its age.
	InflightBytes   int           `json:"inflight_bytes"`
	InflightBatches int           `json:"inflight_batches"`
	InflightLines   int           `json:"inflight_lines"`
	OldestInflight  time.Duration `json:"oldest_inflight_ns"`

	// RawBytes are the messages, EncodedBytes their encoding, CompressedBytes
	// what goes into payloads, and WireBytes all that gRPC sent.
	RawBytes        uint64 `json:"raw_bytes"`
	EncodedBytes    uint64 `json:"encoded_bytes"`
	CompressedBytes uint64 `json:"compressed_bytes"`
	WireBytes       uint64 `json:"wire_bytes"`

	// Patterns and DictEntries are what the receiving side was taught, and
	// StateBytes their size there.
	Patterns    int `json:"patterns"`
	DictEntries int `json:"dict_entries"`
	StateBytes  int `json:"state_bytes"`
	// InvalidUTF8Lines had bytes that the rows profile cannot carry; they arrived
	// as U+FFFD.
	InvalidUTF8Lines uint64 `json:"invalid_utf8_lines"`
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
		return last
	}
	return Status{
		Enabled: true, Running: true,
		Files:    p.files.Status(),
		Outputs:  e.outputStatus(),
		Stream:   streamStatus(e.cfg.Endpoint.Address, p.shipper.Stats(), time.Now()),
		Registry: p.registry.Status(),
	}
}

func (e *Engine) outputStatus() []source.OutputStatus {
	var out []source.OutputStatus
	for _, o := range e.outputs {
		out = append(out, o.Status())
	}
	return out
}

func streamStatus(endpoint string, s stream.Stats, now time.Time) StreamStatus {
	return StreamStatus{
		Endpoint:  endpoint,
		State:     string(s.State),
		Connected: s.State == stream.StateActive || s.State == stream.StateDraining,
		LastError: s.LastError, LastErrorAt: s.LastErrorAt, NextStep: nextStep(s, now), LastAck: s.LastAck,
		AckedLines: s.LinesAcked, AckedBatches: s.BatchesAcked,
		ReplayedBatches: s.BatchesReplayed, DroppedLines: s.LinesDropped.Sum(),
		StreamsOpened: s.StreamsOpened, StreamErrors: s.StreamErrors,
		InflightBytes: s.InflightBytes, InflightBatches: s.InflightBatches, InflightLines: s.InflightLines, OldestInflight: s.OldestInflight,
		RawBytes: s.RawBytes, EncodedBytes: s.EncodedBytes, CompressedBytes: s.CompressedBytes, WireBytes: s.WireSent,
		Patterns: s.Encoder.Patterns, DictEntries: s.Encoder.DictEntries, StateBytes: s.StateBytes,
		InvalidUTF8Lines: s.Encoder.InvalidUTF8,
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
