package spool

import (
	"encoding/binary"

	"github.com/vigil-agent/vigil/logs/record"
)

// Bits of a record's flags: what differs from the record before it.
const (
	newTime = 1 << iota
	newStatus
	newTags
	newSource
	newEnd

	knownFlags = newTime | newStatus | newTags | newSource | newEnd
)

// encoder appends the bodies of frames. It keeps its memory, and no record.
type encoder struct {
	index map[string]uint64
}

// append appends the records and says how many message bytes they have.
func (e *encoder) append(dst []byte, recs []record.Record) (_ []byte, bytes int) {
	if e.index == nil {
		e.index = make(map[string]uint64)
	}
	clear(e.index)
	e.index[""] = 0
	var zero record.Record
	last := &zero
	for i := range recs {
		r := &recs[i]
		at := len(dst)
		dst = append(dst, 0)
		flags := byte(0)
		if r.Time != last.Time {
			flags |= newTime
			dst = binary.AppendVarint(dst, r.Time-last.Time)
		}
		if r.Status != last.Status {
			flags |= newStatus
			dst = e.string(dst, r.Status)
		}
		if r.Tags != last.Tags {
			flags |= newTags
			dst = e.string(dst, r.Tags)
		}
		if r.Origin.Source != last.Origin.Source {
			flags |= newSource
			dst = e.string(dst, r.Origin.Source)
		}
		if r.Origin.End != last.Origin.End+int64(len(r.Message))+1 {
			flags |= newEnd
			dst = binary.AppendVarint(dst, r.Origin.End-last.Origin.End)
		}
		dst[at] = flags
		dst = binary.AppendUvarint(dst, uint64(len(r.Message)))
		dst = append(dst, r.Message...)
		bytes += len(r.Message)
		last = r
	}
	return dst, bytes
}

func (e *encoder) string(dst []byte, s string) []byte {
	if i, known := e.index[s]; known {
		return binary.AppendUvarint(dst, i)
	}
	i := uint64(len(e.index))
	e.index[s] = i
	dst = binary.AppendUvarint(dst, i)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
