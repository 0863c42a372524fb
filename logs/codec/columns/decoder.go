package columns

import (
	"encoding/binary"

	"github.com/vigil-agent/vigil/logs/record"
)

// Line is one decoded log line.
type Line struct {
	// Record has Time, Status, Tags and Message. Message is valid until the next
	// line; Origin is zero.
	record.Record
	// WireBytes is this line's share of the batch's bytes, in proportion to its
	// length. The shares of a batch sum to its size.
	WireBytes float64
}

// Decoder holds the state of one stream. It is not safe for concurrent use.
type Decoder struct {
	limits  Limits
	text    *decompressor
	state   *state
	batches int // that have been read
	fresh   bool
	broken  error
	batch   batch
	msg     []byte
	chunks  bool // see pool
}

// NewDecoder is the decoder of a stream that starts.
func NewDecoder(l Limits) *Decoder {
	return &Decoder{limits: l.withDefaults(), text: newDecompressor()}
}

// StateBytes is the size of the stream's state besides the text window, as counted
// by FORMAT.md: the same as the encoder's at the same batch.
func (d *Decoder) StateBytes() int {
	if d.state == nil {
		return 0
	}
	return d.state.bytes
}

// Decode reads one batch against the state that the batches before it have left,
// and then calls yield for each line in order: a batch that is refused yields
// nothing. Errors match ErrProtocol or ErrLimit, or are yield's own. After the
// first two the stream is over: its state is undefined, and each later call
// returns the same error.
func (d *Decoder) Decode(data []byte, yield func(Line) error) error {
	if d.broken != nil {
		return d.broken
	}
	d.batches++
	if err := d.read(data); err != nil {
		d.broken = err
		d.state = nil
		return err
	}
	return d.yieldAll(len(data), yield)
}

// read is Decode up to yielding.
func (d *Decoder) read(data []byte) error {
	if len(data) > d.limits.MaxDataBytes {
		return d.limit("MaxDataBytes", d.limits.MaxDataBytes)
	}
	h := header{rest: data}
	if err := d.readHeader(&h); err != nil {
		return err
	}
	s := d.state
	if err := d.readText(&h); err != nil {
		return err
	}
	bits := h.uvarint(len(h.rest))
	if h.bad || bits > len(h.rest) {
		return d.wrong(place{line: -1, slot: -1}, "the plain bits are cut short")
	}
	s.startDecoding(h.rest[bits:], h.rest[:bits])
	s.at = place{line: -1, slot: -1}
	s.maxArena = d.limits.MaxRendered
	b := &d.batch
	b.reset(h.lines)
	s.readChanges()
	s.lines(b)
	rendered := 0
	for i := range b.rows {
		if s.bad {
			break
		}
		r := &b.rows[i]
		rendered += s.templates[r.number].size(r.text, b.of(s, r))
		if rendered > d.limits.MaxRendered {
			return d.limit("MaxRendered", d.limits.MaxRendered)
		}
	}
	switch {
	case s.tooMuch:
		return d.limit("MaxRendered", d.limits.MaxRendered)
	case s.bad:
		return d.wrong(s.at, s.whyBad())
	}
	s.at = place{line: -1, slot: -1}
	if s.check(rendered); s.bad {
		return d.wrong(s.at, "the check does not match: encoder and decoder have come apart")
	}
	if !s.done() {
		return d.wrong(s.at, "bytes left behind the end")
	}
	if s.text.left() > 0 {
		return d.wrong(s.at, "text left behind the end")
	}
	return nil
}

// header is the plain head of a batch.
type header struct {
	flags byte
	lines int
	rest  []byte
	bad   bool
}

func (h *header) uvarint(limit int) int {
	v, n := binary.Uvarint(h.rest)
	if n <= 0 || v > uint64(limit) {
		h.bad = true
		return 0
	}
	h.rest = h.rest[n:]
	return int(v)
}

// readHeader reads version, flags and number of lines.
func (d *Decoder) readHeader(h *header) error {
	nowhere := place{line: -1, slot: -1}
	if len(h.rest) == 0 {
		return d.wrong(nowhere, "empty")
	}
	first := h.rest[0]
	h.rest = h.rest[1:]
	h.flags = first & 15
	if first>>4 != version || h.flags&^flagsUsed != 0 {
		return d.wrong(nowhere, "unknown version or flags")
	}
	const large = 1 << 40
	if h.flags&flagFresh != 0 {
		budget := h.uvarint(large)
		if budget > d.limits.MaxStateBytes/budgetUnit {
			return d.limit("MaxStateBytes", d.limits.MaxStateBytes)
		}
		d.state = newState(max(budget*budgetUnit, minStateBytes), d.chunks)
		d.fresh = true
	}
	if d.state == nil {
		return d.wrong(nowhere, "the first batch of a stream must start from empty state")
	}
	h.lines = h.uvarint(large)
	if h.lines > d.limits.MaxLines {
		return d.limit("MaxLines", d.limits.MaxLines)
	}
	if h.bad {
		return d.wrong(nowhere, "the header is cut short")
	}
	return nil
}

// readText decompresses the batch's text.
func (d *Decoder) readText(h *header) error {
	t := &d.state.text
	if cap(t.buf) > keepBytes {
		t.buf = nil
	}
	t.buf, t.pos = t.buf[:0], 0
	if h.flags&flagText == 0 {
		return nil
	}
	const large = 1 << 40
	size, packed := h.uvarint(large), h.uvarint(large)
	if size > d.limits.MaxTextBytes {
		return d.limit("MaxTextBytes", d.limits.MaxTextBytes)
	}
	if h.bad || packed > len(h.rest) {
		return d.wrong(place{line: -1, slot: -1}, "the text is cut short")
	}
	var err error
	t.buf, err = d.text.decompress(t.buf, h.rest[:packed], size, d.fresh)
	h.rest = h.rest[packed:]
	d.fresh = false
	if err != nil {
		return d.wrong(place{line: -1, slot: -1}, err.Error())
	}
	return nil
}

// readChanges applies the changes of templates.
func (s *state) readChanges() {
	for n := 0; !s.bad; n++ {
		if n > maxChanges {
			s.fail("too many changes of templates")
			return
		}
		switch s.change(0) {
		case changeEnd:
			return
		case changeNew:
			s.defineTemplate(s.pool.template())
		case changeWiden:
			n := s.templateNumber(0)
			if s.at.template = n; n > 0 {
				s.widenTemplate(s.templates[n], nil)
			}
		case changeForget:
			n := s.templateNumber(0)
			if s.at.template = n; n > 0 {
				s.forgetTemplate(n)
			}
		case changeLayout:
			s.defineLayout(nil)
		}
	}
}

// reset makes room for n rows.
func (b *batch) reset(n int) {
	const rowBytes, valueBytes = 112, 24
	if cap(b.rows)*rowBytes+cap(b.values)*valueBytes+cap(b.arena) > keepBytes {
		*b = batch{}
	}
	clear(b.rows)
	clear(b.values)
	b.values, b.arena, b.rows = b.values[:0], b.arena[:0], b.rows[:0]
	for range n {
		b.rows = append(b.rows, row{})
	}
}

// of is the values of a row.
func (b *batch) of(s *state, r *row) [][]byte {
	return b.values[r.from : r.from+len(s.templates[r.number].slots)]
}

// yieldAll renders the lines of the batch.
func (d *Decoder) yieldAll(size int, yield func(Line) error) error {
	b, s := &d.batch, d.state
	total := 0
	for i := range b.rows {
		r := &b.rows[i]
		total += 1 + s.templates[r.number].size(r.text, b.of(s, r))
	}
	share := float64(size) / float64(max(total, 1))
	if cap(d.msg) > keepBytes {
		d.msg = nil
	}
	for i := range b.rows {
		r := &b.rows[i]
		msg := r.text
		if r.number > 0 {
			d.msg = s.templates[r.number].appendLine(d.msg[:0], b.of(s, r))
			msg = d.msg
		}
		line := Line{
			Record:    record.Record{Time: r.time, Status: r.status, Tags: r.tags, Message: msg},
			WireBytes: float64(len(msg)+1) * share,
		}
		if err := yield(line); err != nil {
			return err
		}
	}
	return nil
}
