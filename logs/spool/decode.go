package spool

import (
	"encoding/binary"
	"errors"

	"github.com/vigil-agent/vigil/logs/record"
)

// maxInterned bounds the strings that a decoder keeps between frames.
const maxInterned = 4096

var errBody = errors.New("frame body makes no sense")

// decoder reads the bodies of frames. Tags, states and sources come in few
// values, which it keeps, so that equal ones share memory.
type decoder struct {
	interned map[string]string
	table    []string // of the frame
	rest     []byte
	broken   bool
}

// decode appends the records of a body to recs; their messages are parts of body.
func (d *decoder) decode(recs []record.Record, body []byte) ([]record.Record, error) {
	if d.interned == nil || len(d.interned) > maxInterned {
		d.interned = make(map[string]string)
	}
	clear(d.table)
	d.table = append(d.table[:0], "")
	d.rest, d.broken = body, false
	var last record.Record
	for len(d.rest) > 0 && !d.broken {
		flags := d.rest[0]
		d.rest = d.rest[1:]
		if flags&^knownFlags != 0 {
			d.broken = true
			break
		}
		if flags&newTime != 0 {
			last.Time += d.delta()
		}
		if flags&newStatus != 0 {
			last.Status = d.string()
		}
		if flags&newTags != 0 {
			last.Tags = d.string()
		}
		if flags&newSource != 0 {
			last.Origin.Source = d.string()
		}
		move := int64(0)
		if flags&newEnd != 0 {
			move = d.delta()
		}
		last.Message = d.bytes()
		if flags&newEnd == 0 {
			move = int64(len(last.Message)) + 1
		}
		last.Origin.End += move
		recs = append(recs, last)
	}
	d.rest = nil
	if d.broken {
		return recs, errBody
	}
	return recs, nil
}

func (d *decoder) delta() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.broken = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.broken = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uint()
	if d.broken || n > uint64(len(d.rest)) {
		d.broken = true
		return nil
	}
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out
}

func (d *decoder) string() string {
	i := d.uint()
	if i < uint64(len(d.table)) {
		return d.table[i]
	}
	if d.broken || i > uint64(len(d.table)) {
		d.broken = true
		return ""
	}
	text := d.bytes()
	s, known := d.interned[string(text)]
	if !known {
		s = string(text)
		d.interned[s] = s
	}
	d.table = append(d.table, s)
	return s
}
