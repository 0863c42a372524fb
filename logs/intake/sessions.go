package intake

import (
	"sync"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// maxSessions bounds the sessions in memory; beyond it those without a stream are
// forgotten.
const maxSessions = 1 << 17

// sessions are the senders by their id.
type sessions struct {
	sink Sink
	mu   sync.Mutex
	byID map[string]*entry // guarded by mu
}

// entry is a session and how many streams hold it.
type entry struct {
	*session
	held int
}

func newSessions(sink Sink) *sessions {
	s := &sessions{sink: sink, byID: map[string]*entry{}}
	for _, m := range sink.Sessions() {
		s.byID[m.Session] = &entry{session: newSession(sink, m)}
	}
	return s
}

// join returns the session with an id, which stays until leave.
func (s *sessions) join(id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[id]
	if e == nil {
		if len(s.byID) >= maxSessions {
			s.forget()
		}
		e = &entry{session: newSession(s.sink, journal.Mark{Session: id})}
		s.byID[id] = e
	}
	e.held++
	return e.session
}

// leave ends a stream of a session, and forgets the session if nothing of it was
// kept.
func (s *sessions) leave(h *handler) {
	// This may wait for the disk, like anything that concerns this session. Others
	// must not wait with it.
	h.session.leave(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[h.claim.session]
	if e.held--; e.held == 0 && !e.kept() {
		delete(s.byID, h.claim.session)
	}
}

// forget makes room. The caller holds mu.
func (s *sessions) forget() {
	for id, e := range s.byID {
		if e.held == 0 && e.idle() {
			delete(s.byID, id)
			return
		}
	}
}

func (s *sessions) count() int {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID)
}
