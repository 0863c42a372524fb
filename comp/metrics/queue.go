package metrics

import (
	"sync"
	"time"

	"github.com/vigil-agent/vigil/comp/metrics/series"
)

// Bounds of what waits to be sent.
const (
	// maxQueue is in bytes before compression; it holds more than one payload of
	// the largest size.
	maxQueue = 8 << 20
	// maxAge is how old a point may be for the API to take it (Datadog API
	// reference, "Submit metrics": one hour).
	maxAge = time.Hour
)

// queue holds payloads until they are delivered or dropped, the oldest first.
type queue struct {
	ledger *ledger

	mu       sync.Mutex
	waiting  []series.Payload
	size     int
	inFlight int
	epoch    int // counts dropAll: what was in flight then is not taken back
	dropped  reason
	changed  chan struct{} // closed and renewed when one in flight comes back
}

func newQueue(l *ledger) *queue { return &queue{ledger: l, changed: make(chan struct{})} }

// push appends payloads; what is over the bound is dropped, the oldest first.
func (q *queue) push(payloads ...series.Payload) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range payloads {
		q.waiting = append(q.waiting, p)
		q.size += p.Size
	}
	q.trim()
}

func (q *queue) trim() {
	for q.size > maxQueue {
		q.ledger.drop(dropQueue, q.waiting[0].Samples)
		q.removeFirst()
	}
}

func (q *queue) removeFirst() {
	q.size -= q.waiting[0].Size
	q.waiting[0] = series.Payload{} // let go of the rows
	q.waiting = q.waiting[1:]
}

// taken is a payload on its way.
type taken struct {
	series.Payload
	epoch int
}

// take removes the oldest payload for sending; done must follow. It drops what
// is too old to be sent.
func (q *queue) take(now time.Time) (taken, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		p := q.waiting[0]
		q.removeFirst()
		if now.Unix()-p.Oldest > int64(maxAge/time.Second) {
			q.ledger.drop(dropExpired, p.Samples)
			continue
		}
		q.inFlight++
		return taken{Payload: p, epoch: q.epoch}, true
	}
	return taken{}, false
}

// done says that the payload taken is delivered or dropped; what is left of it
// goes back to the front, unless everything was dropped meanwhile.
func (q *queue) done(p taken, left ...series.Payload) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(left) > 0 && p.epoch != q.epoch {
		q.ledger.drop(q.dropped, p.Samples)
	} else if len(left) > 0 {
		q.waiting = append(left, q.waiting...)
		for _, p := range left {
			q.size += p.Size
		}
		q.trim()
	}
	q.inFlight--
	close(q.changed)
	q.changed = make(chan struct{})
}

// busy says whether something is in flight; the channel is closed when one of
// that comes back.
func (q *queue) busy() (<-chan struct{}, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.changed, q.inFlight > 0
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) == 0
}

// dropAll empties the queue, and has it drop what is in flight and fails.
func (q *queue) dropAll(why reason) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.epoch++
	q.dropped = why
	for len(q.waiting) > 0 {
		q.ledger.drop(why, q.waiting[0].Samples)
		q.removeFirst()
	}
}
