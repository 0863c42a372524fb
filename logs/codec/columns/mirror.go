package columns

import (
	"bytes"
	"errors"
	"slices"

	"github.com/vigil-agent/vigil/logs/record"
)

// mirror is the receiver of an encoder's batches, for the self-check. To adapt its
// models it would have to decode every batch; instead it follows the text of each,
// which is short, and decodes a sampled batch on a copy of the encoder's models from
// before it. That they still agree after it is part of the check.
type mirror struct {
	dec  *Decoder
	base *state // before the batch to be read; nil for one that starts from empty state
	idle *state // holds the text of batches that are not read
}

// sealed is a batch with what the encoder knows of it.
type sealed struct {
	data  []byte
	text  []byte
	state *state // after it
}

func newMirror() *mirror {
	// The bounds are the receiver's business; here they only must not be in the way.
	const any = 1 << 40
	l := Limits{MaxDataBytes: any, MaxTextBytes: any, MaxStateBytes: any, MaxLines: any, MaxRendered: any}
	m := &mirror{dec: NewDecoder(l), idle: &state{}}
	m.dec.chunks = true // batches of the encoder's own are not hostile
	return m
}

var errModels = errors.New("encoder and decoder have learnt different things")

// Follow implements check.Mirror.
func (m *mirror) Follow(b sealed) error {
	d := m.dec
	defer m.rest()
	d.state = m.idle
	h := header{rest: b.data}
	if err := d.readHeader(&h); err != nil {
		return err
	}
	return m.readText(&h, b)
}

func (m *mirror) readText(h *header, b sealed) error {
	if err := m.dec.readText(h); err != nil {
		return err
	}
	if !bytes.Equal(m.dec.state.text.buf, b.text) {
		return errText
	}
	return nil
}

// Read implements check.Mirror.
func (m *mirror) Read(b sealed, yield func(record.Record) error) error {
	d := m.dec
	defer m.rest()
	d.state, d.broken = m.base, nil
	if err := d.Decode(b.data, func(l Line) error { return yield(l.Record) }); err != nil {
		return err
	}
	if !d.state.agrees(b.state, d.batch.used) {
		return errModels
	}
	return nil
}

// Undo implements check.Mirror: the batch that replaces a bad one starts from empty
// state.
func (m *mirror) Undo() {}

// rest lets go of what one batch needed.
func (m *mirror) rest() {
	m.base, m.dec.state = nil, nil
	if cap(m.idle.text.buf) > keepBytes {
		m.idle.text.buf = nil
	}
}

// agrees reports whether two states weigh the same and hold the same models for
// the values of some templates.
func (s *state) agrees(o *state, used []int) bool {
	if s.bytes != o.bytes || s.dict != o.dict || len(s.templates) != len(o.templates) {
		return false
	}
	for _, n := range used {
		a, b := s.templates[n], o.templates[n]
		for i := range a.slots {
			if !a.slots[i].agrees(&b.slots[i]) {
				return false
			}
		}
	}
	return true
}

func (sl *slot) agrees(o *slot) bool {
	return sl.clock == o.clock && sl.layout == o.layout && sl.keeps == o.keeps && sl.hits == o.hits &&
		slices.Equal(sl.method.words, o.method.words) &&
		slices.EqualFunc(sl.items, o.items, func(a, b item) bool {
			return bytes.Equal(a.value, b.value) && (a.shape == nil) == (b.shape == nil)
		})
}
