package stream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/stream/fault"
)

func (s *script) nextOpened() string {
	return s.do(func(c *core, now time.Time) { c.opened(now, c.next.gen, false, nil) })
}

func (s *script) nextEnded(err error) string {
	return s.do(func(c *core, now time.Time) { c.ended(now, c.next.gen, err) })
}

// TestRotationMakesBeforeItBreaks: the old stream sends until the new one is
// connected, and payloads move when nothing is unacknowledged.
func TestRotationMakesBeforeItBreaks(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	require.Equal(t, "open 2\n", s.sleep(DefaultLifetime))
	require.Equal(t, "send 1/1 def 1 a; log 1 1\n", s.append(words(1, "a")...), "still connecting")
	s.append(words(2, "b")...)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=3\n", s.nextOpened())
	require.Equal(t, StateDraining, s.core.state)
	require.Empty(t, s.append(words(3, "c")...), "one stream carries payloads at a time")
	require.Equal(t, "release 1 [{s 1}]\n", s.ack(1))
	require.Equal(t, "release 2 [{s 2}]\nclose 1 graceful=true\n"+
		"send 2/0 def 1 a; def 2 b\nsend 2/1 def 3 c; log 3 3\n", s.ack(2))
	require.Equal(t, Rotations{CauseLifetime: 1}, s.core.stats.Rotations)
	require.Zero(t, s.core.stats.BatchesReplayed)
}

// TestDrainTimeout: what is unacknowledged goes again on another stream, whose
// first number says so.
func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.sleep(DefaultLifetime)
	s.append(words(1, "a")...)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=2\n", s.nextOpened())
	require.Equal(t, "close 2 graceful=false\nclose 1 graceful=false\nopen 3\n", s.sleep(DefaultDrainTimeout))
	require.Equal(t, "begin 3 rows s1/3 base=0 first=1\nsend 3/1 def 1 a; log 1 1\n", s.opened())
	require.Zero(t, s.core.stats.StreamErrors)
}

// TestRotationThatFails leaves the stream that works alone.
func TestRotationThatFails(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.sleep(DefaultLifetime)
	require.Equal(t, "close 2 graceful=false\n", s.nextEnded(errCut))
	require.Equal(t, "send 1/1 def 1 a; log 1 1\n", s.append(words(1, "a")...))
	require.Equal(t, "open 3\n", s.sleep(time.Second), "after the backoff")
	require.Equal(t, "begin 3 rows s1/2 base=0 first=2\n", s.nextOpened())
	require.Equal(t, "close 3 graceful=false\n", s.nextEnded(errCut), "while the old one drains")
	require.Equal(t, "send 1/2 log 2 1\n", s.append(words(2, "a")...))
	require.Equal(t, "open 4\n", s.sleep(2*time.Second))
	require.Equal(t, "close 4 graceful=false\n", s.sleep(DefaultOpenTimeout), "an open that takes too long")
	require.Equal(t, StateActive, s.core.state)
	require.EqualValues(t, 3, s.core.stats.StreamErrors)
}

// TestNextStreamEndsInOrder: a planned close of the stream that is to follow is no
// failure, and one that comes at once is not asked for again and again.
func TestNextStreamEndsInOrder(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.sleep(DefaultLifetime)
	s.append(words(1, "a")...)
	s.nextOpened()
	require.Empty(t, s.sleep(2*time.Second))
	require.Equal(t, "close 2 graceful=false\n", s.nextEnded(nil))
	require.Zero(t, s.core.endpoints[0].failures)
	require.Equal(t, "open 3\n", s.sleep(plannedDelay))
	for i := range 3 {
		s.nextOpened()
		s.nextEnded(nil)
		require.Equal(t, i+1, s.core.endpoints[0].failures)
		wait := time.Second << i
		require.Empty(t, s.sleep(wait-time.Millisecond))
		require.Contains(t, s.sleep(time.Millisecond), "open ")
	}
	require.Zero(t, s.core.stats.StreamErrors)
}

// TestOldStreamEndsBeforeTheNew: an end in order moves on at once, another one
// starts over.
func TestOldStreamEndsBeforeTheNew(t *testing.T) {
	t.Parallel()
	t.Run("in order, next connecting", func(t *testing.T) {
		t.Parallel()
		s := newScript(t, Config{}, wordCodec{})
		s.start()
		s.opened()
		s.sleep(DefaultLifetime)
		require.Equal(t, "close 1 graceful=true\n", s.ended(nil))
		require.Equal(t, StateConnecting, s.core.state)
		require.Equal(t, "begin 2 rows s1/2 base=0 first=1\n", s.opened())
		require.Equal(t, StateActive, s.core.state)
	})
	t.Run("broken", func(t *testing.T) {
		t.Parallel()
		s := newScript(t, Config{AckTimeout: time.Hour}, wordCodec{})
		s.start()
		s.opened()
		s.append(words(1, "a")...)
		s.ack(1)
		s.sleep(DefaultLifetime)
		s.append(words(2, "a")...)
		s.nextOpened()
		require.Equal(t, "close 2 graceful=false\nclose 1 graceful=false\n", s.ended(errCut))
		s.sleep(time.Second)
		require.Equal(t, "begin 3 rows s1/3 base=0 first=2\nsend 3/0 def 1 a\nsend 3/1 log 2 1\n", s.opened())
	})
}

func TestIdsAreUsedUpBeforeTheyWrap(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.core.lastID = 2
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	require.Equal(t, "send 1/2 def 2 b; log 2 2\nopen 2\n", s.append(words(2, "b")...))
	require.Equal(t, StateDraining, s.core.state)
	require.Empty(t, s.append(words(3, "c")...), "waits for the next stream")
	s.ack(1)
	require.Equal(t, "release 2 [{s 2}]\nclose 1 graceful=true\n", s.ack(2))
	require.Equal(t, "begin 2 rows s1/2 base=0 first=3\nsend 2/0 def 1 a; def 2 b\nsend 2/1 def 3 c; log 3 3\n", s.opened())
	require.Equal(t, Rotations{CauseIDs: 1}, s.core.stats.Rotations)
}

// TestUsedUpAndNoNext: a stream that may not send any more is left even if no
// other is there yet.
func TestUsedUpAndNoNext(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.core.lastID = 1
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.append(words(2, "b")...)
	require.Equal(t, "close 2 graceful=false\n", s.nextEnded(errCut))
	require.Equal(t, "release 1 [{s 1}]\nclose 1 graceful=true\n", s.ack(1))
	require.Equal(t, "open 3\n", s.sleep(time.Second))
	require.Equal(t, "begin 3 rows s1/2 base=0 first=2\nsend 3/0 def 1 a\nsend 3/1 def 2 b; log 2 2\nopen 4\n", s.opened())
}

func TestGoAwayRotatesSoon(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	require.Empty(t, s.do(func(c *core, now time.Time) { c.goAway(now, c.cur.gen) }))
	require.Equal(t, StateActive, s.core.state)
	require.Equal(t, "open 2\n", s.sleep(plannedDelay))
	require.Empty(t, s.do(func(c *core, now time.Time) { c.goAway(now, c.next.gen) }))
	require.Equal(t, "begin 2 rows s1/2 base=0 first=2\n", s.nextOpened())
	s.ack(1)
	require.Equal(t, "open 3\n", s.sleep(plannedDelay), "that one was told to go as well")
	require.Equal(t, Rotations{CauseGoAway: 2}, s.core.stats.Rotations)
	require.Zero(t, s.core.stats.StreamErrors)
}

// TestKeyChangeInEachState: a stream with the old key is replaced, a refused endpoint
// tried at once.
func TestKeyChangeInEachState(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	key := func() string { return s.do((*core).keyChanged) }
	require.Empty(t, key(), "not started")
	s.start()
	require.Equal(t, "close 1 graceful=false\nopen 2\n", key(), "connecting with the old one")
	s.opened()
	require.Equal(t, "open 3\n", key())
	require.Equal(t, "close 3 graceful=false\nopen 4\n", key(), "again")
	s.nextOpened()
	require.Equal(t, uint64(4), s.core.cur.gen)
	s.ended(status.Error(codes.PermissionDenied, "no"))
	require.Equal(t, DefaultRefusedRetry, s.wait())
	require.Empty(t, key())
	require.Equal(t, "open 5\n", s.sleep(0))
	s.ended(errCut)
	before := s.wait()
	require.Empty(t, key())
	require.Equal(t, before, s.wait(), "no key mends a line that is cut")
	require.Equal(t, Rotations{CauseKey: 2}, s.core.stats.Rotations)
}

// TestTwoEndpoints: the second takes over from a refused first at once, from a
// broken one after the second failure, and gives back at the next rotation.
func TestTwoEndpoints(t *testing.T) {
	t.Parallel()
	two := Config{Endpoints: []Endpoint{{Address: "a"}, {Address: "b"}}}
	s := newScript(t, two, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.ack(1)
	s.append(words(2, "b")...)
	require.Equal(t, "close 1 graceful=false\nopen 2 endpoint=1\n", s.ended(status.Error(codes.PermissionDenied, "no")))
	require.Equal(t, "begin 2 rows s2/1 base=1 first=1\nsend 2/0 def 1 a\nsend 2/1 def 2 b; log 2 2\n", s.opened(), "it knows nothing of the session")
	s.ack(1)
	require.Equal(t, "open 3\n", s.sleep(DefaultLifetime))
	s.append(words(3, "a")...)
	require.Empty(t, s.nextOpened(), "another session begins when nothing is unacknowledged in this one")
	require.Equal(t, "release 3 [{s 3}]\nclose 2 graceful=true\n"+
		"begin 3 rows s3/1 base=3 first=1\nsend 3/0 def 1 a; def 2 b\n", s.ack(2), "the first went without batches, so it starts over")
	require.EqualValues(t, 2, s.core.stats.Failovers)

	s.append(words(4, "a")...)
	s.now = s.now.Add(DefaultRefusedRetry)
	s.ack(1)
	s.ended(errCut)
	require.Equal(t, time.Second, s.wait())
	require.Equal(t, "open 4\n", s.sleep(time.Second), "once more")
	require.Equal(t, "close 4 graceful=false\nopen 5 endpoint=1\n", s.ended(errCut))
	require.Equal(t, "close 5 graceful=false\n", s.ended(status.Error(codes.Unauthenticated, "no")))
	require.Equal(t, 2*time.Second, s.wait(), "the first of the two that may be tried")
	require.Equal(t, Ends{fault.Transient: 2, fault.Credentials: 2}, s.core.stats.Ends)
	require.False(t, s.core.snapshotStats(s.now).Suspended)
}
