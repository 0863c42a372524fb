package metrics

import (
	"context"
	"time"
)

// BeforeSnapshot implements hooks.Hygiene: what is held is sent within ctx or
// dropped, since every clone of the snapshot would send it again, and the idle
// connection is closed. What is emitted afterwards is accepted as usual.
func (d *Datadog) BeforeSnapshot(ctx context.Context) {
	if err := d.Flush(ctx); err != nil {
		d.note(err)
	}
	d.drop(dropSnapshot, true)
	d.client.closeIdle()
	d.built.Store(true)
}

// AfterRestore implements hooks.Hygiene: pooled connections are dead, and a wait
// that the past life imposed is over. Of a snapshot's first restore it drops
// what was emitted between BeforeSnapshot and the snapshot, too, except in the
// bucket that is still open: that is of the new life.
func (d *Datadog) AfterRestore() {
	if d.built.Swap(false) {
		d.drop(dropSnapshot, false)
	}
	d.client.closeIdle()
	d.pace.succeeded()
}

// drop gives up what is held, the still-open bucket included if all is set.
func (d *Datadog) drop(why reason, all bool) {
	take := d.aggregate.TakeClosed
	if all {
		take = d.aggregate.TakeAll
	}
	for _, p := range take(time.Now()) {
		d.ledger.drop(why, p.Samples)
	}
	d.queue.dropAll(why)
}

// BeforeSnapshot implements hooks.Hygiene.
func (s *Statsd) BeforeSnapshot(ctx context.Context) {
	if err := s.Flush(ctx); err != nil {
		s.failed(err)
	}
}

// AfterRestore implements hooks.Hygiene; a datagram socket outlives a freeze.
func (s *Statsd) AfterRestore() {}
