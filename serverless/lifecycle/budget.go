package lifecycle

import "time"

// answerReserve is kept from the budget to write the answer (specification
// section 4.3).
const answerReserve = 200 * time.Millisecond

// snapshotReserve is kept from a forwarded ready for what must be done before the
// snapshot.
const snapshotReserve = time.Second

// shares divides the time of one hook. Each share is an upper bound; what a
// phase leaves over goes to the flush, which ends at work.
type shares struct {
	total time.Duration // until the answer is written
	work  time.Duration // until the last phase must give way to the answer
	stop  time.Duration // waiting for a heartbeat under way, for tags, for the event
	// forward is what the application gets. Before a flush it cannot take more
	// than half of what stop and drain leave.
	forward time.Duration
	drain   time.Duration
}

// apportion divides total. forward is the configured bound of a forwarded hook.
func apportion(total, forward time.Duration, flushes bool) shares {
	s := shares{
		total: total,
		work:  total - min(answerReserve, total/2),
		stop:  total / 10,
		drain: total / 5,
	}
	s.forward = min(forward, s.work)
	if flushes {
		s.forward = min(forward, (s.work-s.stop-s.drain)/2)
	}
	return s
}
