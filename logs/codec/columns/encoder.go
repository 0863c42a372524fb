package columns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/codec/check"
	"github.com/vigil-agent/vigil/logs/pattern"
	"github.com/vigil-agent/vigil/logs/record"
)

// Encoder seals batches of records, each against the state that the batches before
// it have left. It is not safe for concurrent use and starts no goroutine.
type Encoder struct {
	opts  Options
	table *pattern.Table
	comp  *compressor
	state *state
	fresh bool // the next batch starts from empty state
	known []known
	stats Stats
	plain bool // learn no patterns

	mirror *mirror
	check  *check.Checker[sealed] // nil: no self-check
	recs   []record.Record
	wanted func(i int) record.Record // of recs

	// Scratch of one call.
	batch     batch
	toks      []pattern.Token
	spans     []uint32
	lines     []line
	cuts      []cut
	text      []byte // of a new template
	plainBits []byte

	changes int // of templates, in this batch
	dayAt   int // the token that is the time of day in the template at hand, -1 if none
}

// line is a record between learning and coding.
type line struct {
	msg     []byte
	pattern *pattern.Pattern // nil: plain text
	// Where the values start and end, if the pattern was known, or else the tokens.
	spans   []uint32
	version uint32 // of the pattern that spans are of
	toks    []pattern.Token
}

// known is a pattern that the receiver has a template of.
type known struct {
	number int
	line   []byte // one that has it, and where its tokens end
	ends   []uint32
	wild   []uint16 // tokens that are slots
}

const (
	version    = 1
	flagFresh  = 1
	flagText   = 2
	flagsUsed  = flagFresh | flagText
	maxIDs     = 1 << 20 // of patterns, before the encoder starts afresh
	checkBits  = 16
	budgetUnit = 1 << 10
)

// NewEncoder is an encoder for a stream whose receiver knows nothing yet.
func NewEncoder(o Options) (*Encoder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	comp, err := newCompressor()
	if err != nil {
		return nil, err
	}
	e := &Encoder{opts: o, comp: comp}
	if o.CheckEvery > 0 {
		e.mirror = newMirror()
		e.wanted = func(i int) record.Record { return e.recs[i] }
		e.check = check.New(e.mirror, o.CheckEvery)
	}
	e.Reset()
	return e, nil
}

// Reset forgets all state. The next batch tells the receiver to do the same, so
// that it may be sent on the same stream or on a new one.
func (e *Encoder) Reset() {
	e.table = pattern.NewTable(pattern.Limits{
		MaxPatterns:   e.opts.MaxPatterns,
		MaxStateBytes: e.opts.MaxStateBytes / 4,
		MaxLineBytes:  maxLineBytes,
		EntryBytes:    templateBytes,
	})
	e.comp.reset()
	if e.state != nil {
		e.stats.forget(e.state)
	}
	e.state = newState(e.opts.MaxStateBytes/budgetUnit*budgetUnit, true)
	e.known = e.known[:0]
	e.fresh = true
}

// maxLineBytes is the longest message that is given a pattern: longer ones are
// dumps, and a template of one would outweigh many others.
const maxLineBytes = 8 << 10

// Encode seals records into one batch and appends it to dst. Records are not kept.
//
// A *TooLargeError that is found before anything is encoded leaves the encoder as
// if it had not been called; after any other error it is as after Reset. Either
// way the receiver need not hear of the failed call, and the same records may be
// encoded again in smaller batches.
func (e *Encoder) Encode(dst []byte, recs []record.Record) ([]byte, BatchStats, error) {
	raw := 0
	for i := range recs {
		raw += len(recs[i].Message)
	}
	if err := e.opts.admits(recs, raw); err != nil {
		return dst, BatchStats{}, err
	}
	if s := e.state; s.bytes > s.maxBytes-s.maxBytes/8 || s.pool.taken > 2*s.maxBytes+keepChunks || len(e.known) > maxIDs {
		e.Reset()
		e.stats.Resets++
	}
	e.prepareCheck(raw)
	out, bs, err := e.sealed(dst, recs, raw)
	if err == nil && e.check != nil {
		e.recs = recs
		err = e.check.Batch(e.forCheck(out[len(dst):]), len(recs), e.wanted)
		if _, ok := errors.AsType[*check.MismatchError](err); ok {
			out, bs, err = e.sealPlain(dst, recs, raw, &bs)
		}
	}
	e.release()
	if err != nil {
		e.giveUp(&bs)
		return dst, BatchStats{}, err
	}
	e.fresh = false
	e.stats.add(&bs)
	return out, bs, nil
}

// sealed is seal within the bound of a batch.
func (e *Encoder) sealed(dst []byte, recs []record.Record, raw int) ([]byte, BatchStats, error) {
	bs := BatchStats{Lines: len(recs), RawBytes: raw}
	out, err := e.seal(dst, recs, &bs)
	bs.DataBytes = len(out) - len(dst)
	if err == nil && bs.DataBytes > e.opts.MaxDataBytes {
		err = &TooLargeError{What: "compressed batch", Size: bs.DataBytes, Max: e.opts.MaxDataBytes}
	}
	return out, bs, err
}

// giveUp starts afresh after a batch that does not leave.
func (e *Encoder) giveUp(bs *BatchStats) {
	e.stats.addTemplates(bs) // Reset forgets them
	e.Reset()
	e.stats.Resets++
}

// sealPlain seals a batch that failed its check so that it comes back exactly,
// whatever is wrong with the models: from empty state, every line as text. The
// pattern to blame goes with all others, because values that were coded since it
// was learnt have taught the models of other columns too.
func (e *Encoder) sealPlain(dst []byte, recs []record.Record, raw int, failed *BatchStats) ([]byte, BatchStats, error) {
	e.giveUp(failed)
	e.plain = true
	defer func() { e.plain = false }()
	out, bs, err := e.sealed(dst, recs, raw)
	if err == nil {
		err = e.check.Follow(e.forCheck(out[len(dst):]))
	}
	return out, bs, err
}

// prepareCheck decides whether the next batch is checked, before it changes the
// models. Copying them costs about as much for four bytes as decoding one.
func (e *Encoder) prepareCheck(raw int) {
	const copyOf = 4
	if e.check != nil && e.check.Due(raw, raw+e.state.bytes/copyOf) && !e.fresh {
		start := time.Now()
		e.mirror.base = e.state.decoding()
		e.stats.Checker += time.Since(start)
	}
}

func (e *Encoder) forCheck(data []byte) sealed {
	return sealed{data: data, text: e.state.text.buf, state: e.state}
}

// seal learns, codes and compresses.
func (e *Encoder) seal(dst []byte, recs []record.Record, bs *BatchStats) ([]byte, error) {
	start := time.Now()
	e.table.Begin()
	e.learn(recs)
	learnt := time.Now()
	bs.Tokenizer = learnt.Sub(start)

	s := e.state
	// The coded part goes behind the text, whose size is not known yet.
	s.startEncoding(e.batch.arena[:0], e.plainBits[:0])
	s.text.buf = s.text.buf[:0]
	e.define(bs)
	e.fill(recs, bs)
	s.lines(&e.batch)
	s.check(bs.RawBytes)
	coded := s.finish()
	e.batch.arena, e.plainBits = coded, s.bits.finish()
	if s.bad {
		return dst, errors.New("encode batch: internal inconsistency: encode it again")
	}
	e.table.Commit()
	encoded := time.Now()
	bs.Encoder = encoded.Sub(learnt)

	flags := byte(0)
	if e.fresh {
		flags |= flagFresh
	}
	text := s.text.buf
	if len(text) > 0 {
		flags |= flagText
	}
	dst = append(dst, version<<4|flags)
	if e.fresh {
		dst = binary.AppendUvarint(dst, uint64(e.opts.MaxStateBytes/budgetUnit))
	}
	dst = binary.AppendUvarint(dst, uint64(len(recs)))
	if len(text) > 0 {
		z, err := e.comp.compress(text)
		if err != nil {
			return dst, fmt.Errorf("encode batch: %w", err)
		}
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = binary.AppendUvarint(dst, uint64(len(z)))
		dst = append(dst, z...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.plainBits)))
	dst = append(append(dst, e.plainBits...), coded...)
	bs.Compressor = time.Since(encoded)
	bs.CodedBytes, bs.TextBytes = len(e.plainBits)+len(coded), len(text)
	return dst, nil
}

// check codes what decoding must arrive at, so that sides that have come apart
// notice.
func (s *state) check(raw int) {
	want := uint64(uint32(raw)*0x9e3779b1) >> (32 - checkBits)
	if s.plain(want, checkBits) != want {
		s.bad = true
	}
}

// learn files every line under a pattern before any of them is coded, so that a
// template is told once and as wide as the batch needs it.
func (e *Encoder) learn(recs []record.Record) {
	e.toks, e.spans, e.lines = e.toks[:0], e.spans[:0], e.lines[:0]
	for i := range recs {
		msg := recs[i].Message
		if e.plain || len(msg) > maxLineBytes {
			e.lines = append(e.lines, line{msg: msg})
			continue
		}
		// When e.spans or e.toks grow and move later, the parts of a line stay.
		from := len(e.spans)
		var p *pattern.Pattern
		if e.spans, p = e.table.Match(e.spans, msg); p != nil {
			e.lines = append(e.lines, line{msg: msg, pattern: p, spans: e.spans[from:len(e.spans):len(e.spans)], version: p.Version()})
			continue
		}
		toks := e.tokenize(msg)
		if p = e.table.Learn(msg, toks); p == nil {
			e.toks = e.toks[:len(e.toks)-len(toks)] // there may be one for every two bytes
			toks = nil
		}
		e.lines = append(e.lines, line{msg: msg, pattern: p, toks: toks})
	}
}

// tokenize returns tokens that are valid until the batch is sealed.
func (e *Encoder) tokenize(msg []byte) []pattern.Token {
	from := len(e.toks)
	e.toks = pattern.Tokenize(e.toks, msg)
	return e.toks[from:len(e.toks):len(e.toks)]
}

// tokens gives a line its tokens, if it has none because its pattern was known. It is
// not ok for a line that is plain.
func (e *Encoder) tokens(l *line) bool {
	if l.toks == nil && l.pattern != nil {
		l.toks = e.tokenize(l.msg)
		if !l.pattern.Fits(l.msg, l.toks) {
			l.pattern = nil
		}
	}
	return l.pattern != nil
}

// fill makes the rows of the batch.
func (e *Encoder) fill(recs []record.Record, bs *BatchStats) {
	b := &e.batch
	b.rows = slices.Grow(b.rows[:0], len(recs))[:len(recs)]
	b.values, b.used = b.values[:0], b.used[:0]
	total := 0
	for i := range e.lines {
		l, rec := &e.lines[i], &recs[i]
		r := &b.rows[i]
		r.number, r.time, r.status, r.tags, r.text = 0, rec.Time, rec.Status, rec.Tags, nil
		k := e.knownOf(l.pattern)
		if k != nil && l.toks == nil && l.version != l.pattern.Version() && !e.tokens(l) {
			k = nil
		}
		if k == nil || total+len(k.wild) > maxValues {
			l.pattern = nil
			r.text = l.msg
			bs.PlainLines++
		} else {
			r.number = k.number
			t := e.state.templates[k.number]
			if !t.used {
				t.used, t.stride = true, 0
				b.used = append(b.used, k.number)
			}
			r.from = t.stride // for now the number of lines before
			t.stride++
			total += len(k.wild)
		}
	}
	b.values = slices.Grow(b.values, total)[:total]
	from := 0
	for _, number := range b.used {
		t := e.state.templates[number]
		t.used, t.from = false, from
		from += t.stride * len(t.slots)
	}
	for i := range e.lines {
		l, r := &e.lines[i], &b.rows[i]
		if r.number == 0 {
			continue
		}
		t := e.state.templates[r.number]
		r.from += t.from
		at := r.from
		if l.toks == nil {
			for spans := l.spans; len(spans) >= 2; spans = spans[2:] {
				b.values[at] = l.msg[spans[0]:spans[1]]
				at += t.stride
			}
			continue
		}
		for _, w := range e.known[l.pattern.ID()].wild {
			from := uint32(0)
			if w > 0 {
				from = l.toks[w-1].End
			}
			b.values[at] = l.msg[from:l.toks[w].End]
			at += t.stride
		}
	}
}

// knownOf is what the receiver knows of a pattern; nil if nothing.
func (e *Encoder) knownOf(p *pattern.Pattern) *known {
	if p == nil || !p.Defined() || p.ID() >= uint64(len(e.known)) {
		return nil
	}
	if k := &e.known[p.ID()]; k.number > 0 {
		return k
	}
	return nil
}

// release lets go of the caller's memory, and of scratch after an unusually large
// batch.
func (e *Encoder) release() {
	e.recs = nil
	clear(e.lines)
	clear(e.batch.values)
	clear(e.batch.rows)
	const tokenBytes, spanBytes, lineBytes, valueBytes, runBytes = 8, 4, 104, 24, 16
	if cap(e.state.runs)*runBytes+cap(e.toks)*tokenBytes+cap(e.spans)*spanBytes+cap(e.lines)*lineBytes+cap(e.batch.values)*valueBytes+cap(e.batch.arena)+cap(e.state.text.buf) > keepBytes {
		e.toks, e.spans, e.lines, e.batch, e.state.text.buf, e.state.runs = nil, nil, nil, batch{}, nil, nil
	}
}

// keepChunks is room for a chunk of each kind that is hardly used.
const keepChunks = 32 * chunkBytes

// keepBytes is the scratch memory kept between batches.
const keepBytes = 8 << 20
