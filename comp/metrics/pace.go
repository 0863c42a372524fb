package metrics

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// Bounds of the waits between tries: full jitter under an exponential ceiling.
const (
	firstCeiling = 500 * time.Millisecond
	lastCeiling  = time.Minute
)

// jitter is a wait before try n, the first retry being 0: anything from nothing
// to the ceiling. It asks the kernel for randomness, because the clones of a
// snapshot would share a generator's state and come back in step.
func jitter(n int) time.Duration {
	ceiling := lastCeiling
	if n < 7 {
		ceiling = min(firstCeiling<<n, lastCeiling)
	}
	var random [8]byte
	rand.Read(random[:]) // never fails
	return time.Duration(binary.BigEndian.Uint64(random[:]) % uint64(ceiling))
}

// pace knows since when requests fail, and when the next try is due.
type pace struct {
	mu       sync.Mutex
	failures int
	since    time.Time // of the first failure in a row; zero after a delivery
	due      time.Time // no patient try before it
	until    time.Time // the API asked for no try at all before it
}

// failed notes a failure; wait is what the API asked for.
func (p *pace) failed(now time.Time, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		p.since = now
	}
	p.due = now.Add(max(jitter(p.failures), wait))
	if wait > 0 {
		p.until = now.Add(wait)
	}
	p.failures++
}

// refused notes that the API answered and will never take what it was sent: the
// next payload need not wait, but nothing was delivered.
func (p *pace) refused(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		p.since = now
	}
	p.failures, p.due, p.until = 0, time.Time{}, time.Time{}
}

func (p *pace) succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.since, p.due, p.until = 0, time.Time{}, time.Time{}, time.Time{}
}

// waits are how long a patient try and an urgent one have to wait.
func (p *pace) waits(now time.Time) (patient, urgent time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.due.Sub(now), 0), max(p.until.Sub(now), 0)
}

// retry is how long the owner waits before it tries again what failed; ok is
// false when the last try did not fail.
func (p *pace) retry(now time.Time) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.due.Sub(now), 0), p.failures > 0
}

// failing is how long requests have been failing.
func (p *pace) failing(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.since.IsZero() {
		return 0
	}
	return now.Sub(p.since)
}
