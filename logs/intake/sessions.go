package intake

import (
	"container/list"
	"sync"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// sessions are the senders by their id, up to a bound: beyond it those that were
// without a stream for longest are forgotten.
type sessions struct {
	sink Sink
	most int

	// mu guards everything declared below.
	mu   sync.Mutex
	byID map[string]*entry
	idle *list.List // of *entry without a stream, the least recently used first
}

// entry is a session and how many streams hold it.
type entry struct {
	*session

	held int
	at   *list.Element // in idle; nil while it is held
}

func newSessions(sink Sink, most int) *sessions {
	s := &sessions{sink: sink, most: most, byID: map[string]*entry{}, idle: list.New()}
	for _, m := range sink.Sessions() {
		e := &entry{session: newSession(sink, m)}
		e.at = s.idle.PushBack(e)
		s.byID[m.Session] = e
	}
	return s
}

// join returns the session with an id, which stays until leave.
func (s *sessions) join(id string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[id]
	switch {
	case e == nil:
		if len(s.byID) >= s.most {
			s.forget()
		}
		e = &entry{session: newSession(s.sink, journal.Mark{Session: id})}
		s.byID[id] = e
	case e.at != nil:
		s.idle.Remove(e.at)
		e.at = nil
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
	if e.held--; e.held > 0 {
		return
	}
	if !e.kept() {
		delete(s.byID, e.id)
		return
	}
	e.at = s.idle.PushBack(e)
}

// forget makes room. The caller holds mu.
func (s *sessions) forget() {
	for at := s.idle.Front(); at != nil; at = at.Next() {
		if e, ok := at.Value.(*entry); ok && e.idle() {
			s.idle.Remove(at)
			delete(s.byID, e.id)
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
