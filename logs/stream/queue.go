package stream

import (
	"slices"
	"time"
	"unsafe"

	"github.com/vigil-agent/vigil/logs/record"
)

// recordBytes is the memory of one record besides its message; tags, status
// and source are shared between records.
const recordBytes = int(unsafe.Sizeof(record.Record{}))

// spareTextBytes is what a batch may have room for besides its messages and three
// times as much.
const spareTextBytes = 64 << 10

// batch is one entry of the queue: the records of one Append, or of a part of one
// that had to be divided.
type batch struct {
	// recs are kept until the batch is durable; their messages lie in text.
	recs []record.Record
	text []byte
	// payload is what was made of recs, kept only where it can be replayed.
	payload Payload
	sealed  bool
	// hollow says that nothing is left to send: the entry only releases its
	// origins in its turn.
	hollow bool
	// counted says that the figures have the batch; it is encoded again later.
	counted bool
	// whole says that the batch is all of one Append, of the number before it plus
	// one.
	whole bool
	// of is the number of the Append; seq is the same for its last part, 0 before.
	of, seq uint64
	// at is when Append was called, sentAt when it was last sent.
	at, sentAt time.Time
	// id is the batch's id on the current stream, 0 while it was not sent there.
	id uint32
	// sends counts the streams it was sent on.
	sends int
	// origins is the last origin of each source, in the order of their last line.
	origins []record.Origin
}

func (b *batch) bytes() int { return len(b.recs)*recordBytes + len(b.text) + len(b.payload.Data) }

// room is the memory that a batch without a payload keeps when it is empty.
func (b *batch) room() int { return cap(b.recs)*recordBytes + cap(b.text) }

// keep copies recs into the batch.
func (b *batch) keep(recs []record.Record) {
	size := 0
	for i := range recs {
		size += len(recs[i].Message)
	}
	if cap(b.text) < size || cap(b.text) > 4*size+spareTextBytes {
		b.text = make([]byte, 0, size)
	}
	b.recs = append(b.recs[:0], recs...)
	b.text = b.text[:0]
	for i := range b.recs {
		from := len(b.text)
		b.text = append(b.text, b.recs[i].Message...)
		b.recs[i].Message = b.text[from:len(b.text):len(b.text)]
	}
	b.origins = record.LastOrigins(recs)
}

// queue holds what is not released, oldest first: [0,sent) was sent on the
// current stream, the rest was not. A hollow batch is never its head.
type queue struct {
	items []*batch
	sent  int
	// outstanding counts what was sent and is not hollow.
	outstanding int
	bytes       int
	// batches and lines count what is not hollow.
	batches int
	lines   int
	// idle are batches to use again. They fill what bytes leaves of bound, so that a
	// queue that empties and fills again neither allocates nor takes more than it.
	idle      []*batch
	idleBytes int
	bound     int
}

func (q *queue) len() int { return len(q.items) }

// count adds b to the figures, or takes it out with a sign of -1.
func (q *queue) count(b *batch, sign int) {
	q.bytes += sign * b.bytes()
	if !b.hollow {
		q.batches += sign
		q.lines += sign * len(b.recs)
	}
}

func (q *queue) push(b *batch) {
	q.items = append(q.items, b)
	q.count(b, 1)
	for len(q.idle) > 0 && q.bytes+q.idleBytes > q.bound {
		q.reuse()
	}
}

func (q *queue) pop() *batch {
	b := q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	q.count(b, -1)
	if q.sent > 0 {
		q.sent--
		if !b.hollow {
			q.outstanding--
		}
	}
	return b
}

// unsend forgets what was sent where: a new stream starts from the head.
func (q *queue) unsend() {
	q.sent, q.outstanding = 0, 0
	for _, b := range q.items {
		b.id = 0
	}
}

// seal gives b its payload.
func (q *queue) seal(b *batch, p Payload) {
	q.bytes += len(p.Data) - len(b.payload.Data)
	b.payload, b.sealed = p, true
}

// unseal drops all payloads: they belong to a state that is given up.
func (q *queue) unseal() {
	for _, b := range q.items {
		q.bytes -= len(b.payload.Data)
		b.payload, b.sealed = Payload{}, false
	}
}

// split halves the unsealed batch at i, which has two records at least.
func (q *queue) split(i int) {
	first, second := q.items[i], q.blank()
	q.count(first, -1)
	half := len(first.recs) / 2
	second.keep(first.recs[half:])
	second.counted, second.of, second.seq, second.at, second.sends = first.counted, first.of, first.seq, first.at, first.sends
	clear(first.recs[half:])
	first.recs = first.recs[:half]
	first.origins = record.LastOrigins(first.recs)
	first.seq, first.whole = 0, false
	q.count(first, 1)
	q.count(second, 1)
	q.items = slices.Insert(q.items, i+1, second)
}

// hollow leaves only the origins of b.
func (q *queue) hollow(b *batch) {
	q.count(b, -1)
	clear(b.recs)
	b.recs, b.text, b.payload, b.sealed, b.hollow = b.recs[:0], b.text[:0], Payload{}, false, true
	q.count(b, 1)
}

// pristine says that no batch was sent before and that all are whole.
func (q *queue) pristine() bool {
	return !slices.ContainsFunc(q.items, func(b *batch) bool { return b.sends > 0 || !b.whole || b.hollow })
}

// base is the number before that of the queue's head, seq being the last one
// appended, and whether payloads are numbered otherwise than batches.
func (q *queue) base(seq uint64) (uint64, bool) {
	if len(q.items) == 0 {
		return seq, false
	}
	head := q.items[0]
	for i, b := range q.items {
		if !b.whole || b.hollow || b.of != head.of+uint64(i) {
			return head.of - 1, true
		}
	}
	return head.of - 1, false
}

// blank returns an empty batch, a recycled one if there is any.
func (q *queue) blank() *batch {
	if len(q.idle) > 0 {
		return q.reuse()
	}
	return &batch{}
}

// reuse takes one of the idle batches, of which there are some.
func (q *queue) reuse() *batch {
	last := len(q.idle) - 1
	b := q.idle[last]
	q.idle[last] = nil
	q.idle = q.idle[:last]
	q.idleBytes -= b.room()
	return b
}

// recycle takes b back. Its origins were handed out, so they are left alone.
func (q *queue) recycle(b *batch) {
	if q.bytes+q.idleBytes+b.room() > q.bound {
		return
	}
	clear(b.recs)
	*b = batch{recs: b.recs[:0], text: b.text[:0]}
	q.idle = append(q.idle, b)
	q.idleBytes += b.room()
}
