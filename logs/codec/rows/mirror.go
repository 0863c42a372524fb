package rows

import (
	"slices"

	"github.com/vigil-agent/vigil/logs/record"
)

// mirror is the receiver of an encoder's payloads, for the self-check. What an
// unread payload changes it takes from Payload.Changes, which is what the snapshots
// of new streams are made of.
type mirror struct {
	dec   *Decoder
	saved []savedEntry
	state int
}

// savedEntry is what an id stood for before a payload.
type savedEntry struct {
	dict    bool
	id      uint64
	pattern *template // nil: nothing
	text    string
	known   bool
}

func newMirror(o Options) *mirror {
	// Of the encoder's own compressions none is unknown. The bounds are the receiver's business; here they only must not be in the way.
	d, _ := NewDecoder(o.Compression.Encoding(), Limits{
		MaxDecompressed: o.MaxEncodedBytes + 1, MaxStateBytes: o.MaxPatternBytes + o.MaxDictBytes,
		MaxPatterns: o.MaxPatterns, MaxDict: o.MaxDictEntries, MaxLines: 1 << 30, MaxRendered: 1 << 40,
	})
	return &mirror{dec: d}
}

// Follow implements check.Mirror.
func (m *mirror) Follow(p Payload) error {
	m.save(p.Changes)
	d := m.dec
	d.batch.reset(1)
	for _, op := range p.Changes.ops {
		plain := op.datum
		switch op.kind {
		case patternDelete:
			plain = appendDelete(nil, keyPatternDelete, op.id)
		case dictDelete:
			plain = appendDelete(nil, keyDictDelete, op.id)
		}
		if err := d.readSequence(plain); err != nil {
			return err
		}
	}
	return nil
}

// Read implements check.Mirror.
func (m *mirror) Read(p Payload, yield func(record.Record) error) error {
	m.save(p.Changes)
	return m.dec.Decode(1, p.Data, func(l Line) error { return yield(l.Record) })
}

// Undo implements check.Mirror.
func (m *mirror) Undo() {
	d := m.dec
	for _, s := range slices.Backward(m.saved) {
		switch {
		case s.dict && s.known:
			d.dict[s.id] = s.text
		case s.dict:
			delete(d.dict, s.id)
		case s.pattern != nil:
			d.patterns[s.id] = s.pattern
		default:
			delete(d.patterns, s.id)
		}
	}
	d.state = m.state
}

// save notes what a payload is about to change.
func (m *mirror) save(c Changes) {
	clear(m.saved)
	m.saved, m.state = m.saved[:0], m.dec.state
	for _, op := range c.ops {
		s := savedEntry{id: op.id, dict: op.kind == dictDefine || op.kind == dictDelete}
		if s.dict {
			s.text, s.known = m.dec.dict[op.id]
		} else {
			s.pattern = m.dec.patterns[op.id]
		}
		m.saved = append(m.saved, s)
	}
}
