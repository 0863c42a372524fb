package rows

import (
	"bytes"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/vigil-agent/vigil/logs/codec/check"
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
	check *check.Checker[Payload] // nil: no self-check
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
	replaced bool             // msg is not the record's own
	from, to int              // of Encoder.toks
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
		MaxPatterns:    e.opts.MaxPatterns,
		MaxStateBytes:  e.opts.MaxPatternBytes,
		MaxMemoryBytes: e.opts.MaxMemoryBytes,
		MaxLineBytes:   maxLineBytes,
		EntryBytes:     EntryBytes,
		MaxIdle:        e.opts.MaxIdle.Milliseconds(),
	})
	e.dict = newDict(e.opts.MaxDictEntries, e.opts.MaxDictBytes, e.opts.MaxIdle.Milliseconds())
	e.keepCounts()
	e.check = nil
	if e.opts.CheckEvery > 0 {
		e.check = check.New(newMirror(e.opts), e.opts.CheckEvery)
	}
}

// keepCounts adds what the checker has counted to the statistics, which outlive it.
func (e *Encoder) keepCounts() {
	if e.check != nil {
		c := e.check.Counts()
		e.stats.Checked += c.Checked
		e.stats.CheckFailures += c.Failures
	}
}

// Stats is what the encoder has done so far.
func (e *Encoder) Stats() Stats {
	s := e.stats
	if e.check != nil {
		c := e.check.Counts()
		s.Checked += c.Checked
		s.CheckFailures += c.Failures
	}
	s.Patterns, s.DictEntries, s.Candidates = e.table.Patterns(), len(e.dict.entries), e.table.Candidates()
	s.StateBytes = e.table.StateBytes() + e.dict.bytes
	s.MemoryBytes = e.table.MemoryBytes() + e.dict.bytes
	return s
}

// Top lists the n patterns with the most bytes, the largest first.
func (e *Encoder) Top(n int) []pattern.Volume { return e.table.Top(n) }

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
	if e.check != nil {
		e.check.Due(1, 1)
	}
	p, err := e.sealWith(recs, e.write)
	if err == nil && e.check != nil {
		err = e.check.Batch(p, len(recs), func(i int) record.Record { return e.expected(&recs[i], &e.lines[i]) })
		if m, ok := errors.AsType[*check.MismatchError](err); ok {
			p, err = e.sealRaw(recs, e.blamed(m.Line), before)
		}
	}
	e.release()
	if err != nil {
		e.rollback(before)
		return Payload{}, err
	}
	e.table.Commit()
	return p, nil
}

func (e *Encoder) begin() {
	e.table.Begin()
	e.dict.begin()
}

func (e *Encoder) rollback(before Stats) {
	e.table.Rollback()
	e.dict.rollback()
	e.stats = before
}

// blamed is the pattern of a line that failed its check, nil when it has none.
func (e *Encoder) blamed(i int) *pattern.Pattern {
	if i < 0 || i >= len(e.lines) {
		return nil
	}
	return e.lines[i].pattern
}

// expected is a record as the receiver must get it.
func (e *Encoder) expected(r *record.Record, l *line) record.Record {
	return record.Record{
		Time: r.Time, Message: l.msg,
		Status: validText(r.Status), Tags: validText(r.Tags),
	}
}

// sealRaw seals a batch that failed its check without any state, and drops the
// pattern to blame.
func (e *Encoder) sealRaw(recs []record.Record, blamed *pattern.Pattern, before Stats) (Payload, error) {
	e.rollback(before)
	p, err := e.sealWith(recs, func(recs []record.Record) {
		if blamed != nil {
			if id := e.table.Drop(blamed); id != 0 {
				e.w.forget(patternDelete, id)
				e.stats.PatternsRemoved++
			}
		}
		e.writeRaw(recs)
	})
	if err == nil {
		err = e.check.Follow(p)
	}
	return p, err
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
	_, err := e.sealWith(recs, e.write)
	e.rollback(before)
	return err == nil
}

// sealWith begins a transaction, encodes with write, and compresses; it leaves it
// to its caller to keep or undo what that has changed.
func (e *Encoder) sealWith(recs []record.Record, write func([]record.Record)) (Payload, error) {
	e.begin()
	e.w.reset()
	start := time.Now()
	e.expire(recs)
	e.learn(recs)
	tokenized := time.Now()
	write(recs)
	plain := e.w.buf
	if len(plain) > e.opts.MaxEncodedBytes {
		return Payload{}, &TooLargeError{Index: -1, Size: len(plain), Max: e.opts.MaxEncodedBytes}
	}
	encoded := time.Now()
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
	e.stats.Busy.Tokenize += tokenized.Sub(start)
	e.stats.Busy.Encode += encoded.Sub(tokenized)
	e.stats.Busy.Compress += time.Since(encoded)
	return p, nil
}

// learn cuts every line and files it under a pattern before any of them is
// written, so that a pattern is told once and as wide as the batch needs it.
func (e *Encoder) learn(recs []record.Record) {
	e.toks, e.lines, e.clean = e.toks[:0], e.lines[:0], e.clean[:0]
	for i := range recs {
		l := line{msg: recs[i].Message, from: len(e.toks)}
		if !utf8.Valid(l.msg) {
			l.msg, l.replaced = e.validMessage(l.msg), true
		} else if len(l.msg) <= maxLineBytes {
			e.toks, l.pattern = e.table.File(e.toks, l.msg)
		}
		l.to = len(e.toks)
		e.lines = append(e.lines, l)
	}
}

// expire makes the receiver forget what has not been used for long. The clock is
// that of the records.
func (e *Encoder) expire(recs []record.Record) {
	if len(recs) == 0 {
		return
	}
	now := recs[0].Time
	for i := range recs {
		now = max(now, recs[i].Time)
	}
	for _, id := range e.table.Advance(now) {
		e.w.forget(patternDelete, id)
		e.stats.PatternsRemoved++
	}
	for _, id := range e.dict.advance(now) {
		e.w.forget(dictDelete, id)
		e.stats.DictRemoved++
	}
}
