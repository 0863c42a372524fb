package metrics

import (
	"context"
	"time"
)

// BeforeSnapshot implements hooks.Hygiene: what is held is sent within ctx or
// dropped, since every clone of the snapshot would send it again, and the idle
// connection is closed. What is emitted afterwards is dropped until AfterRestore,
// or until the machine has executed for a minute without a restore.
func (d *Datadog) BeforeSnapshot(ctx context.Context) {
	d.silence.begin()
	if err := d.Flush(ctx); err != nil {
		d.note(err)
	}
	d.drop(dropSnapshot)
	d.client.closeIdle()
}

// AfterRestore implements hooks.Hygiene: pooled connections are dead, and a wait
// that the past life imposed is over. At the first one after BeforeSnapshot it
// drops what is held, which can only be of the time before the snapshot.
func (d *Datadog) AfterRestore() {
	if d.silence.end() {
		d.drop(dropSnapshot)
	}
	d.client.closeIdle()
	d.pace.succeeded()
}

// drop gives up what is held, the still-open bucket included.
func (d *Datadog) drop(why reason) {
	for _, p := range d.aggregate.TakeAll(time.Now()) {
		d.ledger.drop(why, p.Samples)
	}
	d.queue.dropAll(why)
}

// BeforeSnapshot implements hooks.Hygiene as that of Datadog does.
func (s *Statsd) BeforeSnapshot(ctx context.Context) {
	s.silence.begin()
	if err := s.Flush(ctx); err != nil {
		s.failed(err)
	}
}

// AfterRestore implements hooks.Hygiene; a datagram socket outlives a freeze.
func (s *Statsd) AfterRestore() { s.silence.end() }
