package metrics

import (
	"sync"
	"time"
)

// quietTime bounds a silence, for an image whose run hook is off. The platform
// takes the snapshot as soon as ready is answered, and a snapshot uses no
// execution time up.
const quietTime = time.Minute

// silence keeps values out of every buffer between the preparation for a snapshot
// and the restore: each clone would send what is in them. The zero silence is
// over.
type silence struct {
	mu    sync.RWMutex // held for reading while a value is put into a buffer
	until time.Time    // guarded by mu; zero: over
}

// enter says whether a value may be put into a buffer; then leave must follow.
func (s *silence) enter() bool {
	s.mu.RLock()
	if s.until.IsZero() || time.Now().After(s.until) {
		return true
	}
	s.mu.RUnlock()
	return false
}

func (s *silence) leave() { s.mu.RUnlock() }

// begin returns when no value is on its way into a buffer any more.
func (s *silence) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(quietTime)
}

// end says whether there was a silence, over by itself or not.
func (s *silence) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := !s.until.IsZero()
	s.until = time.Time{}
	return was
}
