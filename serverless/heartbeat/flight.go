package heartbeat

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// StopTimeout bounds the wait for an emission under way (specification section
// 3.5): a blocked metrics client must not eat the budget of a hook.
const StopTimeout = time.Second

// ErrStuck says that the metrics client had not returned from the last sample in
// time. That one sample may still arrive; no other will.
var ErrStuck = errors.New("heartbeat: the metrics client is still busy with the last sample")

// flight is one emission.
type flight struct {
	done   chan struct{} // closed when the metrics client has returned
	warned atomic.Bool
	// owed are the seconds the metrics client did not take; read after done.
	owed time.Duration
	// orphan says that what is owed concerns an identity of the past; the owner
	// alone touches it.
	orphan bool
}

// cargo is what one emission sends.
type cargo struct {
	id string
	// sample asks for the sample, and not for the seconds alone.
	sample bool
	// active is a whole number of seconds.
	active time.Duration
}

// launch emits in its own goroutine, whose end the owner observes.
func (b *Beat) launch(c cargo) *flight {
	f := &flight{done: make(chan struct{}), owed: c.active}
	if c.sample {
		b.counts.last.Store(time.Now().UnixNano())
	}
	go func() {
		defer close(f.done)
		if c.sample {
			b.guarded(func() { b.emitSample(c.id) })
		}
		if c.active > 0 {
			b.guarded(func() { f.owed = b.emitSeconds(c) })
		}
	}()
	return f
}

// emitSeconds returns what the metrics client did not take.
func (b *Beat) emitSeconds(c cargo) (owed time.Duration) {
	if b.seconds == nil {
		return 0
	}
	seconds := int64(c.active / time.Second)
	if err := b.seconds.Count(SecondsName, seconds, b.sampleTags(c.id), 1); err != nil {
		b.refused(err)
		return c.active
	}
	b.counts.activeSeconds.Add(uint64(seconds))
	return 0
}

func (b *Beat) emitSample(id string) {
	if b.metrics == nil {
		return
	}
	if err := b.cfg.Kind.send(b.metrics, b.sampleTags(id)); err != nil {
		b.refused(err)
		return
	}
	b.counts.sent.Add(1)
}

func (b *Beat) refused(err error) {
	if b.counts.failed.Add(1) == 1 {
		b.log.Warn("the metrics client refused a heartbeat; later refusals are only counted", "err", err)
	}
}

// guarded survives a metrics client that panics.
func (b *Beat) guarded(emit func()) {
	defer func() {
		if p := recover(); p != nil && b.counts.panics.Add(1) == 1 {
			b.log.Error("the metrics client panicked on a heartbeat; later panics are only counted", "panic", p)
		}
	}()
	emit()
}

// Drain is what a Halt left under way. The zero Drain is nothing.
type Drain struct {
	beat   *Beat
	flight *flight
}

// Wait returns when the emission has ended, at the latest after StopTimeout or
// when ctx ends, then with ErrStuck. It warns once per stuck emission.
func (d Drain) Wait(ctx context.Context) error {
	if d.flight == nil || d.flight.over() {
		return nil
	}
	timeout := time.NewTimer(StopTimeout)
	defer timeout.Stop()
	select {
	case <-d.flight.done:
	case <-timeout.C:
	case <-ctx.Done():
	}
	if d.flight.over() {
		return nil
	}
	if d.flight.warned.CompareAndSwap(false, true) {
		d.beat.log.Warn("heartbeat stopped, but its last sample is stuck in the metrics client and may still arrive late")
	}
	return ErrStuck
}

func (f *flight) over() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}
