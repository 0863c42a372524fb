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
	// Bytes are in use; for reading, batches and the spool they are not counted, and 0.
	Bytes int `json:"bytes"`
	// Full says what happens when the share is used up, Shed how many lines were
	// lost by it, and Note what was given up because the share is small.
	Full string `json:"when_full"`
	Shed uint64 `json:"shed_lines"`
	Note string `json:"note,omitempty"`
}

// shares divides the memory limit, in bytes.
type shares struct {
	reading  int // chunks of files, and lines that are not complete
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
	const codec = encoderBytes + checkBytes + (encoderStates+checkStates)*columns.DefaultMaxStateBytes
	s := shares{reading: source.MemoryBytes}
	parts := []part{
		{&s.batches, 5, batchesInMemory * c.Batch.MaxBytes},
		{&s.inflight, 6, inflight},
		{&s.codec, 8, codec},
	}
	if c.Spool.Enabled {
		parts = append(parts, part{&s.spool, 4, 2 * c.Batch.MaxBytes})
	}
	if c.takesOutput() {
		parts = append(parts, part{&s.outputs, 2, 2 * source.DefaultOutputBytes})
	}
	if c.Secondary.Address != "" {
		parts = append(parts, part{&s.secondQueue, 2, stream.DefaultSecondaryBytes}, part{&s.secondInflight, 4, inflight}, part{&s.secondCodec, 8, codec})
	}
	weights := 0
	for _, p := range parts {
		weights += p.weight
	}
	for _, p := range parts {
		*p.share = min(p.max, (c.MemoryLimit-s.reading)/weights*p.weight)
	}
	return s
}

// batchesInMemory is how many the batcher holds at most.
const batchesInMemory = 3

// What a columns encoder takes (its package's documentation): itself, a multiple of
// its state, and for the self-check another decoder with a copy of the state.
const (
	encoderBytes  = 4 << 20
	encoderStates = 2
	checkBytes    = 3 << 20
	checkStates   = 1
	// leastState is room for some hundred patterns with their values. The self-check
	// makes room for it.
	leastState = 1 << 20
)

// columnsOptions are those of an encoder within its share.
func columnsOptions(share int) columns.Options {
	state := (share - encoderBytes - checkBytes) / (encoderStates + checkStates)
	if state >= leastState {
		return columns.Options{MaxStateBytes: min(columns.DefaultMaxStateBytes, state)}
	}
	return columns.Options{MaxStateBytes: (share - encoderBytes) / encoderStates, CheckEvery: -1}
}

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
	inColumns := stream.Columns(columnsOptions(share))
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
	codec := func(name string, limit int, s StreamStatus) {
		add(name, limit, s.StateBytes, "the least useful patterns are forgotten", 0)
		if limit > 0 && s.Profile == ProfileColumns && columnsOptions(limit).CheckEvery < 0 {
			m.Parts[len(m.Parts)-1].Note = "batches are not checked before they leave: a larger logs.memory_limit has room for it"
		}
	}
	var dropped int64
	for _, o := range s.Outputs {
		dropped += o.Dropped
	}
	add("reading", sh.reading, 0, "files wait", 0)
	add("outputs", sh.outputs, 0, "new lines of the application are dropped", uint64(dropped))
	add("batches", sh.batches, 0, "files wait", 0)
	add("spool", sh.spool, 0, "files wait", 0)
	add("inflight", sh.inflight, s.Stream.InflightBytes, "files wait", 0)
	codec("codec", sh.codec, s.Stream)
	if d := s.Secondary; d != nil {
		add("secondary queue", sh.secondQueue, d.QueuedBytes, "its oldest lines are dropped", d.DroppedLines)
		add("secondary inflight", sh.secondInflight, d.Stream.InflightBytes, "its queue waits", 0)
		codec("secondary codec", sh.secondCodec, d.Stream)
	}
	return m
}
