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

// Bounds of what is kept for reuse, so that a burst does not stay in memory.
const (
	maxIdleBatches   = 64
	maxIdleTextBytes = 1 << 20
)

// batch is one entry of the queue: a sealed payload with the records it was
// made of, or (hollow) only origins to release in their turn.
type batch struct {
	payload Payload
	hollow  bool
	// seq is the Append call that ends with this batch, 0 in the middle of one.
	seq uint64
	// at is when Append was called.
	at time.Time
	// id is the batch's id on the current stream, 0 while it was not sent there.
	id uint32
	// sends counts the streams it was sent on.
	sends int
	// origins is the last origin of each source, in the order of their last line.
	origins []record.Origin
	// recs are kept to encode the batch again when the stream starts without
	// state; their messages lie in text.
	recs []record.Record
	text []byte
}

func (b *batch) bytes() int { return len(b.recs)*recordBytes + len(b.text) + len(b.payload.Data) }

// keep copies recs into the batch.
func (b *batch) keep(recs []record.Record) {
	size := 0
	for i := range recs {
		size += len(recs[i].Message)
	}
	if cap(b.text) < size {
		b.text = make([]byte, 0, size)
	}
	b.recs = append(b.recs[:0], recs...)
	b.text = b.text[:0]
	for i := range b.recs {
		from := len(b.text)
		b.text = append(b.text, b.recs[i].Message...)
		b.recs[i].Message = b.text[from:len(b.text):len(b.text)]
	}
	b.origins = lastOrigins(recs)
}

// lastOrigins is the last origin of each source in recs.
func lastOrigins(recs []record.Record) []record.Origin {
	var out []record.Origin
	at := -1
	for i := range recs {
		o := recs[i].Origin
		if o.Source == "" {
			continue
		}
		if at < 0 || out[at].Source != o.Source {
			at = indexOf(out, o.Source)
		}
		if at < 0 {
			at = len(out)
			out = append(out, o)
			continue
		}
		out[at] = o
	}
	return out
}

// indexOf searches from the end: lines of one source come in runs, and a batch
// holds lines of few sources.
func indexOf(origins []record.Origin, source string) int {
	for i, origin := range slices.Backward(origins) {
		if origin.Source == source {
			return i
		}
	}
	return -1
}

// queue holds what is not acknowledged, oldest first: [0,sent) was sent on the
// current stream, the rest was not. A hollow batch is never its head.
type queue struct {
	items []*batch
	sent  int
	bytes int
	// batches and lines count what is not hollow.
	batches int
	lines   int
	idle    []*batch
}

func (q *queue) len() int { return len(q.items) }

func (q *queue) push(b *batch) {
	q.items = append(q.items, b)
	q.bytes += b.bytes()
	if !b.hollow {
		q.batches++
		q.lines += len(b.recs)
	}
}

func (q *queue) pop() *batch {
	b := q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	q.bytes -= b.bytes()
	if !b.hollow {
		q.batches--
		q.lines -= len(b.recs)
	}
	if q.sent > 0 {
		q.sent--
	}
	return b
}

// unsend forgets what was sent where: a new stream starts from the head.
func (q *queue) unsend() {
	q.sent = 0
	for _, b := range q.items {
		b.id = 0
	}
}

// blank returns an empty batch, a recycled one if there is any.
func (q *queue) blank() *batch {
	if n := len(q.idle); n > 0 {
		b := q.idle[n-1]
		q.idle = q.idle[:n-1]
		return b
	}
	return &batch{}
}

// recycle takes b back. Its origins were handed out, so they are left alone.
func (q *queue) recycle(b *batch) {
	if len(q.idle) >= maxIdleBatches || cap(b.text) > maxIdleTextBytes {
		return
	}
	clear(b.recs)
	*b = batch{recs: b.recs[:0], text: b.text[:0]}
	q.idle = append(q.idle, b)
}
