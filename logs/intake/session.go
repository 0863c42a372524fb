package intake

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// Request headers of a session (logs specification, section 14.3).
const (
	sessionHeader  = "vigil-session"
	epochHeader    = "vigil-epoch"
	firstSeqHeader = "vigil-first-seq"
)

// claim is what a stream says about its session; the zero claim is a stream
// without one.
type claim struct {
	session string // 32 hexadecimal digits
	epoch   uint64
	first   uint64 // number of batch 1
}

// number is the number in the session of a batch of the stream.
func (c claim) number(batch uint32) uint64 { return c.first + uint64(batch) - 1 }

// readClaim reads the headers: all of them or none.
func readClaim(ctx context.Context) (claim, error) {
	var values [3]string
	found := 0
	for i, name := range [...]string{sessionHeader, epochHeader, firstSeqHeader} {
		switch v := metadata.ValueFromIncomingContext(ctx, name); len(v) {
		case 0:
		case 1:
			values[i] = v[0]
			found++
		default:
			return claim{}, fmt.Errorf("%s: given %d times", name, len(v))
		}
	}
	if found == 0 {
		return claim{}, nil
	}
	if found < len(values) {
		return claim{}, fmt.Errorf("%s, %s and %s belong together: one is missing", sessionHeader, epochHeader, firstSeqHeader)
	}
	c := claim{session: values[0]}
	if id, err := hex.DecodeString(c.session); err != nil || len(id) != 16 || hex.EncodeToString(id) != c.session {
		return claim{}, fmt.Errorf("%s: want 128 bits as lower-case hexadecimal digits", sessionHeader)
	}
	for i, n := range [...]*uint64{&c.epoch, &c.first} {
		v, err := strconv.ParseUint(values[i+1], 10, 62)
		if err != nil || v == 0 {
			return claim{}, fmt.Errorf("%s: want a decimal number from 1", [...]string{epochHeader, firstSeqHeader}[i])
		}
		*n = v
	}
	return c, nil
}

// errFenced ends the older streams of a session.
var errFenced = errors.New("a newer stream of the session has taken over")

// session is what is known about one sender. Its streams come one after the other,
// also when an old connection does not know yet that it is over.
type session struct {
	id   string
	sink Sink

	// mu guards the fields below it. It is held while a batch is handed to the sink,
	// so that the check of its number and its place in the order are one.
	mu    sync.Mutex
	epoch uint64
	owner *handler // the stream of epoch; nil when it has ended
	// known says that appended is: of some session nothing is known until a batch
	// comes.
	known    bool
	appended uint64 // highest number handed to the sink
	stream   SinkStream

	// acks guards the fields below it. It is taken last, and held for no call.
	acks    sync.Mutex
	durable uint64   // highest number that is
	waiting []waiter // for numbers above it, in order
	pending int      // appended and not settled
	failed  error    // why one of them failed: those after it do, too
}

// waiter is told when a number is durable.
type waiter struct {
	number uint64
	done   func(error)
}

// newSession is a session that has come as far as m, or one that is not known yet.
func newSession(sink Sink, m journal.Mark) *session {
	return &session{id: m.Session, sink: sink, epoch: m.Epoch, known: m.Seq > 0, appended: m.Seq, durable: m.Seq}
}

// fence lets a stream write from its first batch on, and ends the one before it. The
// caller holds mu.
func (s *session) fence(h *handler) error {
	if s.owner == h {
		return nil
	}
	if h.claim.epoch <= s.epoch {
		return status.Errorf(codes.Aborted, "%v: this one has epoch %d, but %d was seen", errFenced, h.claim.epoch, s.epoch)
	}
	if s.owner != nil {
		close(s.owner.fenced)
		h.server.counters.fenced.Add(1)
	}
	s.epoch, s.owner = h.claim.epoch, h
	return nil
}

// snapshot is fence for a batch without a number.
func (s *session) snapshot(h *handler) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fence(h)
}

// take hands a batch to the sink, unless its number was handed over before, and
// calls done once, when it is durable or failed. repeated says that the lines were
// left out.
func (s *session) take(h *handler, batch uint32, lines []journal.Line, done func(error)) (repeated bool, err error) {
	n := h.claim.number(batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fence(h); err != nil {
		return false, err
	}
	if err := s.heal(); err != nil {
		return false, status.Errorf(codes.Unavailable, "batch %d was not stored: one before it failed: %v", batch, err)
	}
	if !s.known && h.claim.epoch > 1 {
		// What came before may be durable elsewhere. That of a first stream is not.
		s.start(n - 1)
	}
	if n <= s.appended {
		s.await(n, done)
		return true, nil
	}
	if n > s.appended+1 {
		return false, status.Errorf(codes.Aborted, "batch %d has number %d, but %d is the next one of its session: send what is missing", batch, n, s.appended+1)
	}
	if s.stream == nil {
		s.stream = s.sink.Stream()
	}
	s.known, s.appended = true, n
	s.acks.Lock()
	s.pending++
	s.waiting = append(s.waiting, waiter{n, done})
	s.acks.Unlock()
	s.stream.Append(lines, journal.Mark{Session: s.id, Epoch: h.claim.epoch, Seq: n}, func(err error) { s.settle(n, err) })
	return false, nil
}

// start begins the numbers after n. The caller holds mu.
func (s *session) start(n uint64) {
	s.acks.Lock()
	defer s.acks.Unlock()
	s.appended, s.durable = n, n
}

// heal goes back to what is durable after a failure, once nothing else is on its
// way. The caller holds mu.
func (s *session) heal() error {
	s.acks.Lock()
	defer s.acks.Unlock()
	if s.failed == nil {
		return nil
	}
	if s.pending > 0 {
		return s.failed
	}
	s.failed, s.stream, s.appended = nil, nil, s.durable
	return nil
}

// await calls done when number n, which was appended, is durable.
func (s *session) await(n uint64, done func(error)) {
	s.acks.Lock()
	if n > s.durable && s.failed == nil {
		i, _ := slices.BinarySearchFunc(s.waiting, n+1, func(w waiter, n uint64) int { return cmp.Compare(w.number, n) })
		s.waiting = slices.Insert(s.waiting, i, waiter{n, done})
		s.acks.Unlock()
		return
	}
	err := s.failed
	if n <= s.durable {
		err = nil
	}
	s.acks.Unlock()
	done(err)
}

// settle is called by the sink when number n is durable or failed, in order.
func (s *session) settle(n uint64, err error) {
	s.acks.Lock()
	s.pending--
	if err == nil {
		s.durable = n
	} else if s.failed == nil {
		s.failed = err
	}
	i := 0
	for i < len(s.waiting) && s.waiting[i].number <= n {
		i++
	}
	for _, w := range s.waiting[:i] {
		w.done(err) // does not block
	}
	s.waiting = slices.Delete(s.waiting, 0, i)
	s.acks.Unlock()
}

// leave ends a stream.
func (s *session) leave(h *handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == h {
		s.owner = nil
	}
}

// kept says whether anything was handed to the sink.
func (s *session) kept() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

// idle says whether no stream writes and nothing is on its way.
func (s *session) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acks.Lock()
	defer s.acks.Unlock()
	return s.owner == nil && s.pending == 0
}
