package stream

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/record"
)

var errCut = status.Error(codes.Unavailable, "cut")

func TestCoreSendsAndReleasesInOrder(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	require.Empty(t, s.append(words(1, "a", "b")...))
	require.Equal(t, "open 1\n", s.start())
	require.Equal(t, "begin 1 rows s1/1 base=0 first=1\n"+
		"send 1/1 def 1 a; log 1 1; def 2 b; log 2 2\n", s.opened())
	require.Equal(t, "send 1/2 log 3 2\n", s.append(words(3, "b")...))
	require.Equal(t, "release 1 [{s 2}]\n", s.ack(1))
	require.Equal(t, "release 2 [{s 3}]\n", s.ack(2))
	require.Equal(t, StateActive, s.core.state)
	require.Zero(t, s.core.queue.bytes)
	require.True(t, s.core.deadlines[timerAck].IsZero(), "nothing is outstanding, so nothing can stall")
}

// TestC7SnapshotIsTheFoldOfAcked: a batch that deletes what the snapshot still
// holds is replayed as it is.
func TestC7SnapshotIsTheFoldOfAcked(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{maxWords: 2})
	s.start()
	s.opened()
	s.append(words(1, "p1", "p2")...)
	s.ack(1)
	require.Equal(t, "send 1/2 log 3 2; def 3 p3; log 4 3; del 1\n", s.append(words(3, "p2", "p3")...))
	require.Equal(t, "close 1 graceful=false\n", s.ended(errCut))
	require.Equal(t, "open 2\n", s.sleep(time.Second))
	require.Equal(t, "begin 2 rows s1/2 base=0 first=2\n"+
		"send 2/0 def 1 p1; def 2 p2\n"+
		"send 2/1 log 3 2; def 3 p3; log 4 3; del 1\n", s.opened())
	require.Equal(t, "release 2 [{s 4}]\n", s.ack(1))
	require.Equal(t, "open 3\n", s.sleep(DefaultLifetime))
	require.Equal(t, "begin 3 rows s1/3 base=0 first=3\n"+
		"close 2 graceful=true\n"+
		"send 3/0 def 2 p2; def 3 p3\n", s.nextOpened())
	require.EqualValues(t, 1, s.core.stats.BatchesReplayed)
	require.EqualValues(t, 2, s.core.stats.LinesReplayed)
	require.EqualValues(t, 31, s.core.stats.BytesReplayed)
}

// TestStreamStateIsEncodedAgain: where the state lives as long as a stream, the
// queue is encoded again on the next one and nothing of it is kept.
func TestStreamStateIsEncodedAgain(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, flowCodec{})
	s.start()
	s.core.endpoints[0].know([]string{ProfileColumns}, s.now)
	s.opened()
	s.append(words(1, "a", "b")...)
	s.ack(1)
	require.Equal(t, "send 1/2 log 3 2; def 3 c; log 4 3\n", s.append(words(3, "b", "c")...))
	logical := 2*recordBytes + len("bc")
	require.Equal(t, logical, s.core.queue.bytes, "no payload is kept")
	s.ended(errCut)
	s.append(words(5, "c")...)
	s.sleep(time.Second)
	require.Equal(t, "begin 2 columns s1/2 base=0 first=2\n"+
		"send 2/1 def 1 b; log 3 1; def 2 c; log 4 2\n"+
		"send 2/2 log 5 2\n", s.opened())
	require.Equal(t, "release 2 [{s 4}]\n", s.ack(1))
	require.Equal(t, "release 3 [{s 5}]\n", s.ack(2))
	require.Zero(t, s.core.stats.StateResets)
	require.Zero(t, s.core.stats.SnapshotsSent)
}

func TestStaleSignalsAreIgnored(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	old := s.core.cur.gen
	s.ended(errCut)
	s.sleep(time.Second)
	s.opened()
	state := s.core.state
	for name, stale := range map[string]func(c *core, now time.Time){
		"opened": func(c *core, now time.Time) { c.opened(now, old, false, nil) },
		"ack":    func(c *core, now time.Time) { c.ack(now, old, 1, true) },
		"ended":  func(c *core, now time.Time) { c.ended(now, old, errors.New("late")) },
		"goaway": func(c *core, now time.Time) { c.goAway(now, old) },
		"tick":   func(c *core, now time.Time) { c.tick(now) },
		"parked": func(c *core, now time.Time) { c.parked(now, false, nil) },
		"twice":  func(c *core, now time.Time) { c.opened(now, c.cur.gen, false, nil) },
		"none": func(c *core, now time.Time) {
			c.opened(now, 0, false, nil)
			c.ended(now, 0, errors.New("late"))
			c.goAway(now, 0)
		},
	} {
		require.Empty(t, s.do(stale), name)
		require.Equal(t, state, s.core.state, name)
	}
	require.Equal(t, 1, s.core.queue.sent)
}

func TestOpenTimeout(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	require.Empty(t, s.sleep(DefaultOpenTimeout-1))
	require.Equal(t, "close 1 graceful=false\n", s.sleep(1))
	require.Equal(t, errOpenTimeout.Error(), s.core.stats.LastError)
	require.Empty(t, s.opened(), "a stream that opens too late is not used")
}

func TestStopCutsTheWaitShort(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.append(words(1, "a")...)
	s.start()
	s.ended(status.Error(codes.Unauthenticated, "no"))
	s.do((*core).stop)
	require.False(t, s.core.hasRoom(s.now))
	require.Equal(t, "open 2\n", s.sleep(0))
	require.Equal(t, "begin 2 rows s1/1 base=0 first=1\nsend 2/1 def 1 a; log 1 1\n", s.opened())
	require.Equal(t, "release 1 [{s 1}]\nclose 2 graceful=true\n", s.ack(1))
	require.Equal(t, StateStopped, s.core.state)
}

// TestInflightIsBoundedByBytesAndAge: either bound closes the door, and an empty
// queue opens it.
func TestInflightIsBoundedByBytesAndAge(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{MaxInflightBytes: 3 * (recordBytes + 5), MaxInflightAge: time.Minute, AckTimeout: time.Hour}, wordCodec{})
	room := func() bool { return s.core.hasRoom(s.now) }
	s.start()
	s.append(words(1, "aaaaa")...)
	s.append(words(2, "bbbbb")...)
	require.True(t, room())
	s.append(words(3, "ccccc")...)
	require.False(t, room(), "three of three")
	s.opened()
	s.ack(1)
	s.ack(2)
	require.True(t, room())
	s.sleep(time.Minute)
	require.False(t, room(), "the oldest waits for a minute")
	s.ack(3)
	require.True(t, room())
}

// TestEncodedAheadIsBounded: payloads that wait for their acknowledgement do not
// grow past half the bound again.
func TestEncodedAheadIsBounded(t *testing.T) {
	t.Parallel()
	one := recordBytes + 100
	s := newScript(t, Config{MaxInflightBytes: 8 * one}, wordCodec{})
	for i := range 8 {
		s.append(words(i+1, strings.Repeat(string(rune('a'+i)), 100))...)
	}
	s.start()
	s.opened()
	payload := len(s.core.queue.items[0].payload.Data)
	require.LessOrEqual(t, s.core.queue.bytes, 12*one+payload)
	require.Less(t, s.core.queue.outstanding, 8)
	for id := range uint32(8) {
		s.ack(id + 1)
	}
	require.Zero(t, s.core.queue.len())
}

func TestAppendKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	recs := words(1, "before")
	s.append(recs...)
	copy(recs[0].Message, "XXXXXX")
	recs[0].Origin.End = 99
	s.start()
	require.Equal(t, "begin 1 rows s1/1 base=0 first=1\nsend 1/1 def 1 before; log 1 1\n", s.opened())
	require.Equal(t, "release 1 [{s 1}]\n", s.ack(1))
}

// What is kept for reuse fits into what is in flight leaves of the bound.
func TestIdleBatchesStayWithinTheBound(t *testing.T) {
	t.Parallel()
	lines := func(bytes int) []record.Record {
		return []record.Record{{Message: make([]byte, bytes)}, {Message: make([]byte, bytes)}}
	}
	q := queue{bound: 1 << 20}
	add := func(bytes int) {
		b := q.blank()
		b.keep(lines(bytes))
		q.push(b)
	}
	for range 10 {
		add(40_000)
	}
	for q.len() > 0 {
		q.recycle(q.pop())
	}
	require.Len(t, q.idle, 10)
	idle := q.idleBytes
	require.Greater(t, idle, 800_000)
	add(40_000)
	require.Len(t, q.idle, 9, "one of them is used")
	add(120_000)
	for q.len() < 6 {
		add(40_000)
	}
	require.LessOrEqual(t, q.bytes+q.idleBytes, q.bound)
	for q.len() > 0 {
		q.recycle(q.pop())
		require.LessOrEqual(t, q.bytes+q.idleBytes, q.bound)
	}
	rooms := 0
	for _, b := range q.idle {
		rooms += b.room()
	}
	require.Equal(t, rooms, q.idleBytes)
	add(1 << 20)
	require.Empty(t, q.idle)
	require.Zero(t, q.idleBytes)
	// A short batch does not keep the memory of a long one.
	b := &batch{text: make([]byte, 0, 1<<20)}
	b.keep(lines(10))
	require.LessOrEqual(t, cap(b.text), spareTextBytes)
}
