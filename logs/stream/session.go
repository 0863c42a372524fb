package stream

import (
	"crypto/rand"
	"encoding/hex"
)

// Header names of exactly-once delivery and of the negotiation (logs
// specification, sections 14.1 and 14.3).
const (
	headerProfile  = "vigil-profile"
	headerProfiles = "vigil-profiles"
	headerSession  = "vigil-session"
	headerEpoch    = "vigil-epoch"
	headerFirstSeq = "vigil-first-seq"
)

// session is a Session in use.
type session struct {
	Session
	// next is the payload number of the oldest payload that is not acknowledged.
	next uint64
}

func newSessionID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// resume takes up a session of an earlier process: its payloads are numbered
// like the batches of the queue, first being the next of them.
func (c *core) resume(s Session, queue string, first uint64) {
	for i := range c.endpoints {
		if s.ID != "" && !s.Shifted && s.Queue == queue && s.Address == c.endpoints[i].address && first > s.Base {
			c.endpoints[i].session = session{Session: s, next: first - s.Base}
		}
	}
}

// beginSession numbers the stream that l begins, whose first payload follows the
// outstanding ones of the stream before it.
func (c *core) beginSession(l leg) (Session, uint64) {
	e := &c.endpoints[l.endpoint]
	if e.session.ID == "" || (e.session.Shifted && c.queue.pristine()) {
		e.session = session{Session: Session{Address: e.address, Queue: c.cfg.queue, ID: c.newID()}, next: 1}
		e.session.Base, e.session.Shifted = c.queue.base(c.seq)
	}
	e.session.Epoch++
	return e.session.Session, e.session.next + uint64(c.queue.outstanding)
}

// count takes note of a payload that became durable over l. A receiving side that
// did not get it cannot go on with its own session, which has no gaps.
func (c *core) count(l leg) {
	for i := range c.endpoints {
		if i == l.endpoint && c.codec.Profile() != ProfileHTTP {
			c.endpoints[i].session.next++
		} else {
			c.endpoints[i].session = session{}
		}
	}
}

// shift takes note that payloads are no longer numbered like batches. A stream
// whose session may be resumed must not go on before that is saved: another one
// saves it when it begins.
func (c *core) shift() {
	for i := range c.endpoints {
		e := &c.endpoints[i]
		if e.session.ID == "" || e.session.Shifted {
			continue
		}
		e.session.Shifted = true
		if !c.cfg.durable || i != c.cur.endpoint {
			continue
		}
		if c.next.begun {
			c.dropNext()
		}
		if c.state == StateActive || c.state == StateDraining {
			c.frozen = true
		}
	}
}
