package stream

import (
	"slices"
	"sync"

	"github.com/vigil-agent/vigil/logs/record"
)

// maxQueuedReleases bounds the queue of a slow OnDurable; beyond it, releases
// are merged: a later offset of a source covers the earlier ones.
const maxQueuedReleases = 1024

// notifier calls OnDurable from its own goroutine, so that a slow registry
// delays neither acknowledgements nor Stop's decisions.
type notifier struct {
	call func(uint64, []record.Origin)
	wake chan struct{}
	done chan struct{} // closed when run returned

	// mu guards everything declared below.
	mu      sync.Mutex
	queue   []release
	closed  bool
	seq     uint64        // reported so far
	changed chan struct{} // closed and replaced when seq grows
}

// release is one batch that became durable.
type release struct {
	seq     uint64
	origins []record.Origin
}

func newNotifier(call func(uint64, []record.Origin)) *notifier {
	return &notifier{call: call, wake: make(chan struct{}, 1), done: make(chan struct{}), changed: make(chan struct{})}
}

// push queues a release. It owns origins from here on.
func (n *notifier) push(seq uint64, origins []record.Origin) {
	n.mu.Lock()
	if len(n.queue) < maxQueuedReleases {
		n.queue = append(n.queue, release{seq: seq, origins: origins})
	} else {
		last := &n.queue[len(n.queue)-1]
		last.seq = max(last.seq, seq)
		last.origins = mergeOrigins(last.origins, origins)
	}
	n.mu.Unlock()
	n.signal()
}

// close lets run return once everything queued is reported.
func (n *notifier) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.signal()
}

func (n *notifier) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run reports until close.
func (n *notifier) run() {
	defer close(n.done)
	for {
		n.mu.Lock()
		todo, closed := n.queue, n.closed
		n.queue = nil
		n.mu.Unlock()
		for _, r := range todo {
			whole := max(r.seq, n.reported())
			if whole > n.reported() || len(r.origins) > 0 {
				n.call(whole, r.origins)
			}
			n.advance(whole)
		}
		if len(todo) == 0 {
			if closed {
				return
			}
			<-n.wake
		}
	}
}

func (n *notifier) advance(seq uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if seq > n.seq {
		n.seq = seq
		close(n.changed)
		n.changed = make(chan struct{})
	}
}

func (n *notifier) reported() uint64 {
	seq, _ := n.durable()
	return seq
}

// durable is the last Append that is reported in full, and a channel that is
// closed when there is a later one.
func (n *notifier) durable() (uint64, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seq, n.changed
}

// mergeOrigins appends to older what newer adds or moves on.
func mergeOrigins(older, newer []record.Origin) []record.Origin {
	for _, o := range newer {
		if at := slices.IndexFunc(older, func(known record.Origin) bool { return known.Source == o.Source }); at >= 0 {
			older[at] = o
		} else {
			older = append(older, o)
		}
	}
	return older
}
