package logs

import (
	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
)

// Memory is the budget of Config.MemoryLimit and what is used of it. Every part has
// a bound, and the bounds sum to the limit at most: none is ever allocated for
// another.
type Memory struct {
	Limit int          `json:"limit_bytes"`
	Parts []MemoryPart `json:"parts"`
}

// MemoryPart is one share of the budget.
type MemoryPart struct {
	Name  string `json:"name"`
	Limit int    `json:"limit_bytes"`
	// Bytes are in use; for batches and the spool they are not counted, and 0.
	Bytes int `json:"bytes"`
	// Full says what happens when the share is used up, Shed how many lines were
	// lost by it.
	Full string `json:"when_full"`
	Shed uint64 `json:"shed_lines"`
}

// shares divides the memory limit, in bytes.
type shares struct {
	batches  int // three batches: one open, one sealed, one that is handed on
	spool    int // one batch that is written and one that is read
	outputs  int // lines of the application that wait for a batch
	inflight int // what is not acknowledged, with payloads for a replay
	codec    int // patterns, dictionaries and windows of the encoder
	// The same for the secondary, with its queue.
	secondQueue, secondInflight, secondCodec int
}

// shares gives each part that is there its weight of the limit, and not more than
// it has a use for.
func (c Config) shares() shares {
	type part struct {
		share       *int
		weight, max int
	}
	const inflight = stream.DefaultMaxInflightBytes * 3 / 2
	const codec = encoderBytes + 2*columns.DefaultMaxStateBytes
	var s shares
	parts := []part{
		{&s.batches, 3, batchesInMemory * c.Batch.MaxBytes},
		{&s.inflight, 4, inflight},
		{&s.codec, 4, codec},
	}
	if c.Spool.Enabled {
		parts = append(parts, part{&s.spool, 2, 2 * c.Batch.MaxBytes})
	}
	if c.takesOutput() {
		parts = append(parts, part{&s.outputs, 1, 2 * source.DefaultOutputBytes})
	}
	if c.Secondary.Address != "" {
		parts = append(parts, part{&s.secondQueue, 1, stream.DefaultSecondaryBytes}, part{&s.secondInflight, 2, inflight}, part{&s.secondCodec, 4, codec})
	}
	weights := 0
	for _, p := range parts {
		weights += p.weight
	}
	for _, p := range parts {
		*p.share = min(p.max, c.MemoryLimit/weights*p.weight)
	}
	return s
}

// batchesInMemory is how many the batcher holds at most.
const batchesInMemory = 3

// encoderBytes is what a columns encoder takes besides twice its state (its
// package's documentation).
const encoderBytes = 4 << 20

// batchBytes bounds a batch by what three of them, and two in the spool, may take.
func (s shares) batchBytes(c Config) int {
	n := min(c.Batch.MaxBytes, s.batches/batchesInMemory)
	if c.Spool.Enabled {
		n = min(n, s.spool/2)
	}
	return max(n, 1)
}

// inflightBytes is the worker's bound, which payloads kept for a replay may exceed
// by half.
func inflightBytes(share int) int { return share / 3 * 2 }

// codecs are the encoders of a profile within their share.
func codecs(profile string, share int) []stream.Codec {
	inColumns := stream.Columns(columns.Options{MaxStateBytes: min(columns.DefaultMaxStateBytes, (share-encoderBytes)/2)})
	inRows := stream.Rows(rows.Options{MaxMemoryBytes: min(rows.DefaultMaxMemoryBytes, share/2)})
	switch profile {
	case ProfileColumns:
		return []stream.Codec{inColumns}
	case ProfileRows:
		return []stream.Codec{inRows}
	case ProfileHTTP:
		return nil
	default:
		return []stream.Codec{inColumns, inRows}
	}
}

// memory is the budget as it is used.
func (e *Engine) memory(s Status) Memory {
	m := Memory{Limit: e.cfg.MemoryLimit}
	sh := e.cfg.shares()
	add := func(name string, limit, used int, full string, shed uint64) {
		if limit > 0 {
			m.Parts = append(m.Parts, MemoryPart{Name: name, Limit: limit, Bytes: used, Full: full, Shed: shed})
		}
	}
	var dropped int64
	for _, o := range s.Outputs {
		dropped += o.Dropped
	}
	add("outputs", sh.outputs, 0, "new lines of the application are dropped", uint64(dropped))
	add("batches", sh.batches, 0, "files wait", 0)
	add("spool", sh.spool, 0, "files wait", 0)
	add("inflight", sh.inflight, s.Stream.InflightBytes, "files wait", 0)
	add("codec", sh.codec, s.Stream.StateBytes, "the least useful patterns are forgotten", 0)
	if d := s.Secondary; d != nil {
		add("secondary queue", sh.secondQueue, d.QueuedBytes, "its oldest lines are dropped", d.DroppedLines)
		add("secondary inflight", sh.secondInflight, d.Stream.InflightBytes, "its queue waits", 0)
		add("secondary codec", sh.secondCodec, d.Stream.StateBytes, "the least useful patterns are forgotten", 0)
	}
	return m
}
