package stream

import (
	"context"
	"sync"

	"github.com/vigil-agent/vigil/logs/record"
)

// outItem is one message to send, or the half-close after all of them.
type outItem struct {
	id        uint32
	data      []byte
	recs      []record.Record // instead of data, for the fallback
	halfClose bool
}

// outbox is the queue between the owner, which must never wait for the network,
// and the sender of one link. It needs no bound of its own: the payloads in it
// are those of the bounded queue.
type outbox struct {
	wake chan struct{}

	// mu guards everything declared below.
	mu     sync.Mutex
	items  []outItem
	closed bool
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// close asks for a half-close after what is queued; nothing may follow.
func (o *outbox) close() { o.add(outItem{halfClose: true}) }

func (o *outbox) add(item outItem) {
	o.mu.Lock()
	if !o.closed {
		o.items = append(o.items, item)
		o.closed = item.halfClose
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next waits for an item; it reports false when ctx is done.
func (o *outbox) next(ctx context.Context) (outItem, bool) {
	for {
		o.mu.Lock()
		if len(o.items) > 0 {
			item := o.items[0]
			o.items[0] = outItem{}
			o.items = o.items[1:]
			o.mu.Unlock()
			return item, true
		}
		o.mu.Unlock()
		select {
		case <-o.wake:
		case <-ctx.Done():
			return outItem{}, false
		}
	}
}
