package event

import (
	"encoding/binary"
	"slices"
)

// Bounds of an Assembler.
const (
	// MaxFragments is the most records of one event (FRAGMENTS in
	// bpf/c/layout.h).
	MaxFragments = 16
	// maxPending bounds the events that wait for fragments: each belongs to one
	// thread that is sending at the moment, and sends them without a pause.
	maxPending = 32
)

// Assembler joins the fragments of events. Those of one event come in order, with
// fragments of other events in between. The zero value is ready. It is not for
// concurrent use.
type Assembler struct {
	// Abandoned counts events of which a fragment was lost; the kernel program
	// counted them as lost too.
	Abandoned uint64
	pending   []pendingEvent // oldest first
	spare     [][]byte
}

type pendingEvent struct {
	tid       uint32
	ktime     uint64
	fragments uint32
	buf       []byte
}

// Add takes the next record and reports whether it completes an event, which is
// then in e. The event's slices point into the record or into the assembler,
// until the next call. On an error, which wraps ErrMalformed, e is empty.
func (a *Assembler) Add(record []byte, e *Event) (complete bool, err error) {
	e.Reset()
	record, err = frame(record)
	if err != nil {
		return false, err
	}
	le := binary.LittleEndian
	flags := le.Uint32(record[28:])
	sequence, more := flags>>sequenceShift&sequenceMask, flags&flagMore != 0
	if sequence == 0 && !more {
		err = Parse(record, e)
		return err == nil, err
	}
	p := pendingEvent{tid: le.Uint32(record[20:]), ktime: le.Uint64(record[40:])}
	i := slices.IndexFunc(a.pending, func(o pendingEvent) bool { return o.tid == p.tid })
	if i >= 0 && (a.pending[i].ktime != p.ktime || a.pending[i].fragments != sequence || sequence >= MaxFragments) {
		a.drop(i)
		a.Abandoned++
		i = -1
	}
	if sequence == 0 {
		a.begin(p, record)
		return false, nil
	}
	if i < 0 {
		return false, nil // its start was lost
	}
	q := &a.pending[i]
	q.buf = append(q.buf, record[headerSize:]...)
	q.fragments++
	if more {
		return false, nil
	}
	le.PutUint32(q.buf, uint32(len(q.buf)))
	le.PutUint32(q.buf[28:], flags&flagIncomplete)
	err = Parse(q.buf, e)
	a.drop(i)
	return err == nil, err
}

func (a *Assembler) begin(p pendingEvent, record []byte) {
	if len(a.pending) == maxPending {
		a.drop(0)
		a.Abandoned++
	}
	if n := len(a.spare); n > 0 {
		p.buf, a.spare = a.spare[n-1][:0], a.spare[:n-1]
	}
	p.buf, p.fragments = append(p.buf, record...), 1
	a.pending = append(a.pending, p)
}

// drop forgets a pending event and keeps its buffer for one to come: for the
// call after this one, because the event may have been handed out.
func (a *Assembler) drop(i int) {
	a.spare = append(a.spare, a.pending[i].buf)
	a.pending = slices.Delete(a.pending, i, i+1)
}
