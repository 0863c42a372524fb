package rows

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// Ledger is the fold of acknowledged Changes: the state a receiver has once it
// has everything that was acknowledged, and so what a new stream must be told
// before it is sent what was not. It is not safe for concurrent use.
type Ledger struct {
	opts     Options
	comp     *compressor
	patterns map[uint64]ledgerEntry
	dict     map[uint64]ledgerEntry
	state    int
}

// ledgerEntry is one live define: its encoded datum, and what it weighs.
type ledgerEntry struct {
	datum []byte
	state int
}

// NewLedger is an empty ledger. Options are those of the encoder.
func NewLedger(o Options) *Ledger {
	return &Ledger{opts: o, patterns: map[uint64]ledgerEntry{}, dict: map[uint64]ledgerEntry{}}
}

// Apply folds in the changes of the next acknowledged payload.
func (l *Ledger) Apply(c Changes) {
	for _, op := range c.ops {
		table := l.patterns
		if op.kind == dictDefine || op.kind == dictDelete {
			table = l.dict
		}
		l.state -= table[op.id].state
		if op.kind == patternDelete || op.kind == dictDelete {
			delete(table, op.id)
			continue
		}
		// A copy, because the datum shares memory with all others of its payload.
		table[op.id] = ledgerEntry{datum: bytes.Clone(op.datum), state: op.state}
		l.state += op.state
	}
}

// Bytes is the exact size of the live state, see Decoder.StateBytes.
func (l *Ledger) Bytes() int { return l.state }

// Snapshot is the live state as one compressed DatumSequence of defines: patterns
// before dictionary, each sorted by id, so that equal states give equal bytes. It
// is nil when there is no state. An error means that no stream can be opened with
// this state: start over with Encoder.Reset and a new ledger.
func (l *Ledger) Snapshot() ([]byte, error) {
	if len(l.patterns)+len(l.dict) == 0 {
		return nil, nil
	}
	o, err := l.opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if l.comp == nil {
		if l.comp, err = newCompressor(o.Compression); err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
	}
	var plain []byte
	for _, table := range []map[uint64]ledgerEntry{l.patterns, l.dict} {
		for _, id := range slices.Sorted(maps.Keys(table)) {
			plain = append(plain, table[id].datum...)
		}
	}
	data, err := l.comp.compress(plain)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	if len(data) > o.MaxDataBytes {
		return nil, fmt.Errorf("snapshot: %w", &TooLargeError{Index: -1, Size: len(data), Max: o.MaxDataBytes})
	}
	return bytes.Clone(data), nil
}
