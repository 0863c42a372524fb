package rows

import (
	"bytes"
	"errors"

	"github.com/vigil-agent/vigil/logs/pattern"
	"github.com/vigil-agent/vigil/logs/record"
)

// Encoder seals batches of records against the state that the receiver has once
// it has every earlier payload of this encoder. It is not safe for concurrent use.
type Encoder struct {
	opts  Options
	comp  *compressor
	table *pattern.Table
	dict  *dict
	stats Stats

	// Scratch of one call.
	toks  []pattern.Token
	lines []line
	clean []byte // messages with invalid UTF-8 replaced
	text  []byte
	w     writer
}

// line is a record between the two passes of a call.
type line struct {
	msg      []byte
	replaced bool // msg is not the record's own
	toks     []pattern.Token
	pattern  *pattern.Pattern // nil: send as text
}

// maxLineBytes is the longest message that is given a pattern: longer ones are
// dumps, and a template of one would outweigh many others.
const maxLineBytes = 8 << 10

// NewEncoder is an encoder whose receiver knows nothing yet.
func NewEncoder(o Options) (*Encoder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	comp, err := newCompressor(o.Compression)
	if err != nil {
		return nil, err
	}
	e := &Encoder{opts: o, comp: comp}
	e.Reset()
	return e, nil
}

// Reset forgets all state, for a receiver that must start from nothing. Payloads
// encoded before it, and a ledger of them, are of no use after it.
func (e *Encoder) Reset() {
	e.table = pattern.NewTable(pattern.Limits{
		MaxPatterns:   e.opts.MaxPatterns,
		MaxStateBytes: e.opts.MaxPatternBytes,
		MaxLineBytes:  maxLineBytes,
		EntryBytes:    EntryBytes,
	})
	e.dict = newDict(e.opts.MaxDictEntries, e.opts.MaxDictBytes)
}

// Stats is what the encoder has done so far.
func (e *Encoder) Stats() Stats {
	s := e.stats
	s.Patterns, s.DictEntries = e.table.Patterns(), len(e.dict.entries)
	s.StateBytes = e.table.StateBytes() + e.dict.bytes
	return s
}

// Encode seals records into one payload. The encoder's state changes only when it
// succeeds; a *TooLargeError tells how to go on. No records give an empty payload.
func (e *Encoder) Encode(recs []record.Record) (Payload, error) {
	p, err := e.try(recs)
	var large *TooLargeError
	if !errors.As(err, &large) {
		return p, err
	}
	large.Index = e.misfit(recs, large.Max)
	return p, large
}

// try is Encode but for the index of the record to blame.
func (e *Encoder) try(recs []record.Record) (Payload, error) {
	before := e.stats
	e.table.Begin()
	e.dict.begin()
	p, err := e.seal(recs)
	e.release()
	if err != nil {
		e.table.Rollback()
		e.dict.rollback()
		e.stats = before
		return Payload{}, err
	}
	e.table.Commit()
	return p, nil
}

// release lets go of the caller's messages, and of scratch memory after an
// unusually large batch.
func (e *Encoder) release() {
	clear(e.lines)
	e.lines, e.toks, e.clean = e.lines[:0], e.toks[:0], e.clean[:0]
	const tokenBytes, lineBytes = 8, 64
	if cap(e.toks)*tokenBytes+cap(e.lines)*lineBytes+cap(e.clean)+cap(e.w.buf) > keepBytes {
		e.toks, e.lines, e.clean, e.w.buf = nil, nil, nil, nil
	}
}

// misfit is the index of the first record that does not fit in a batch of its own,
// or -1.
func (e *Encoder) misfit(recs []record.Record, limit int) int {
	for i := range recs {
		r := &recs[i]
		// Compression seldom makes anything larger, and never by half.
		if len(recs) > 1 && 2*(len(r.Message)+len(r.Tags)+len(r.Status)+EntryBytes) < limit {
			continue
		}
		if len(recs) == 1 || !e.fits(recs[i:i+1]) {
			return i
		}
	}
	return -1
}

// fits reports whether records fit in one batch, and changes nothing.
func (e *Encoder) fits(recs []record.Record) bool {
	before := e.stats
	e.table.Begin()
	e.dict.begin()
	_, err := e.seal(recs)
	e.table.Rollback()
	e.dict.rollback()
	e.stats = before
	return err == nil
}

// seal encodes and compresses, and leaves it to its caller to keep or undo what
// that has changed.
func (e *Encoder) seal(recs []record.Record) (Payload, error) {
	e.learn(recs)
	e.write(recs)
	plain := e.w.buf
	if len(plain) > e.opts.MaxEncodedBytes {
		return Payload{}, &TooLargeError{Index: -1, Size: len(plain), Max: e.opts.MaxEncodedBytes}
	}
	data, err := e.comp.compress(plain)
	if err != nil {
		return Payload{}, err
	}
	if len(data) > e.opts.MaxDataBytes {
		return Payload{}, &TooLargeError{Index: -1, Size: len(data), Max: e.opts.MaxDataBytes}
	}
	p := Payload{Data: bytes.Clone(data), Lines: len(recs), EncodedBytes: len(plain), Changes: e.w.changes()}
	for i := range recs {
		p.RawBytes += len(recs[i].Message)
	}
	e.stats.Payloads++
	e.stats.RawBytes += uint64(p.RawBytes)
	e.stats.EncodedBytes += uint64(p.EncodedBytes)
	e.stats.CompressedBytes += uint64(len(p.Data))
	return p, nil
}

// learn files every line under a pattern before any of them is written, so that a
// pattern is told once and as wide as the batch needs it.
func (e *Encoder) learn(recs []record.Record) {
	e.toks, e.lines, e.clean = e.toks[:0], e.lines[:0], e.clean[:0]
	for i := range recs {
		e.lines = append(e.lines, e.learnLine(recs[i].Message))
	}
}

func (e *Encoder) learnLine(msg []byte) line {
	if valid, replaced := e.validMessage(msg); replaced {
		return line{msg: valid, replaced: true}
	}
	if len(msg) > maxLineBytes {
		return line{msg: msg}
	}
	from := len(e.toks)
	e.toks = pattern.Tokenize(e.toks, msg)
	// When e.toks grows and moves later, this part stays as it is.
	toks := e.toks[from:len(e.toks):len(e.toks)]
	return line{msg: msg, toks: toks, pattern: e.table.Learn(msg, toks)}
}
