package stream

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/vigil-agent/vigil/logs/record"
)

// script drives a core by hand and prints what it does, one line per effect.
type script struct {
	t    *testing.T
	core *core
	now  time.Time
}

func newScript(t *testing.T, cfg Config, codec Codec) *script {
	t.Helper()
	c, err := newCore(cfg.withDefaults(), codec, func(d time.Duration) time.Duration { return d })
	require.NoError(t, err)
	return &script{t: t, core: c, now: time.Unix(0, 0)}
}

// do feeds one event and returns the effects as text.
func (s *script) do(feed func(c *core, now time.Time)) string {
	feed(s.core, s.now)
	var b strings.Builder
	for _, e := range s.core.take() {
		b.WriteString(show(e) + "\n")
	}
	return b.String()
}

func (s *script) append(recs ...record.Record) string {
	return s.do(func(c *core, now time.Time) { c.append(now, recs) })
}

func (s *script) start() string { return s.do((*core).start) }
func (s *script) opened() string {
	return s.do(func(c *core, now time.Time) { c.opened(now, c.gen) })
}

func (s *script) ack(id uint32) string {
	return s.do(func(c *core, now time.Time) { c.ack(now, c.gen, id, true) })
}

func (s *script) ended(err error) string {
	return s.do(func(c *core, now time.Time) { c.ended(now, c.gen, err) })
}

func (s *script) sleep(d time.Duration) string {
	s.now = s.now.Add(d)
	return s.do((*core).tick)
}

func show(e effect) string {
	switch e.kind {
	case effOpen:
		return fmt.Sprintf("open %d", e.gen)
	case effSend:
		return fmt.Sprintf("send %d/%d %s", e.gen, e.id, strings.ReplaceAll(strings.TrimSpace(string(e.data)), "\n", "; "))
	case effClose:
		return fmt.Sprintf("close %d graceful=%t", e.gen, e.graceful)
	case effRelease:
		return fmt.Sprintf("release %d %v", e.seq, e.origins)
	case effDrop:
		return fmt.Sprintf("drop %d bytes %v: %v", e.size, e.origins, e.err)
	case effReset:
		return fmt.Sprintf("reset: %v", e.err)
	}
	return "?"
}

func TestCoreSendsAndReleasesInOrder(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	require.Empty(t, s.append(words(1, "a", "b")...))
	require.Equal(t, "open 1\n", s.start())
	require.Equal(t, "send 1/1 def 1 a; log 1 1; def 2 b; log 2 2\n", s.opened())
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
	batch := s.append(words(3, "p2", "p3")...)
	require.Equal(t, "send 1/2 log 3 2; def 3 p3; log 4 3; del 1\n", batch)
	require.Equal(t, "close 1 graceful=false\n", s.ended(status.Error(codes.Unavailable, "cut")))
	require.Equal(t, "open 3\n", s.sleep(time.Second))
	require.Equal(t, "send 3/0 def 1 p1; def 2 p2\n"+
		"send 3/1 log 3 2; def 3 p3; log 4 3; del 1\n", s.opened())
	require.Equal(t, "release 2 [{s 4}]\n", s.ack(1))
	require.Equal(t, "close 3 graceful=true\nopen 5\n", s.sleep(DefaultLifetime))
	require.Equal(t, "send 5/0 def 2 p2; def 3 p3\n", s.opened())
	require.EqualValues(t, 1, s.core.stats.BatchesReplayed)
	require.EqualValues(t, 2, s.core.stats.LinesReplayed)
}

func TestStaleSignalsAreIgnored(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	old := s.core.gen
	s.ended(status.Error(codes.Unavailable, "cut"))
	s.sleep(time.Second)
	s.opened()
	state := s.core.state
	for name, stale := range map[string]func(c *core, now time.Time){
		"opened": func(c *core, now time.Time) { c.opened(now, old) },
		"ack":    func(c *core, now time.Time) { c.ack(now, old, 1, true) },
		"ended":  func(c *core, now time.Time) { c.ended(now, old, errors.New("late")) },
		"goaway": func(c *core, now time.Time) { c.goAway(now, old) },
		"tick":   func(c *core, now time.Time) { c.tick(now) },
	} {
		require.Empty(t, s.do(stale), name)
		require.Equal(t, state, s.core.state, name)
	}
	require.Equal(t, 1, s.core.queue.sent)
}

func TestBackoffGrowsUntilProgressIsSustained(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.append(words(1, "a", "b", "c")...)
	s.start()
	cut := status.Error(codes.Unavailable, "cut")
	wait := func() time.Duration { return s.core.deadlines[timerRetry].Sub(s.now) }
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 120, 120} {
		s.ended(cut)
		require.Equal(t, want*time.Second, wait())
		s.sleep(wait())
	}
	require.EqualValues(t, 9, s.core.stats.StreamErrors)

	// One acknowledgement on a stream that dies at once resets nothing.
	s.append(words(4, "d")...)
	s.opened()
	s.ack(1)
	s.ended(cut)
	require.Equal(t, 120*time.Second, wait())
	s.sleep(wait())

	// One on a stream that outlived the last wait does.
	s.opened()
	s.now = s.now.Add(120 * time.Second)
	s.ack(1)
	s.ended(cut)
	require.Equal(t, time.Second, wait())
}

func TestBackoffDelayOverflow(t *testing.T) {
	t.Parallel()
	require.Equal(t, 2*time.Minute, backoffDelay(1<<20, time.Second, 2*time.Minute))
	require.Equal(t, time.Second, backoffDelay(1, time.Second, time.Minute))
	require.Equal(t, time.Second, backoffDelay(0, time.Second, time.Minute))
}

func TestJitterIsWithinTwentyPercent(t *testing.T) {
	t.Parallel()
	lo, hi := time.Hour, time.Duration(0)
	for range 10_000 {
		d := jitter(time.Second)
		lo, hi = min(lo, d), max(hi, d)
	}
	require.GreaterOrEqual(t, lo, 800*time.Millisecond)
	require.LessOrEqual(t, hi, 1200*time.Millisecond)
	require.Greater(t, hi-lo, 300*time.Millisecond)
}

// TestEndsOfAStream pins what each way to end a stream leads to.
func TestEndsOfAStream(t *testing.T) {
	t.Parallel()
	throttle, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	require.NoError(t, err)
	tests := map[string]struct {
		err    error
		class  Class
		wait   time.Duration
		errors uint64
		resets uint64
	}{
		"eof":              {nil, ClassPlanned, plannedDelay, 0, 0},
		"ok":               {status.Error(codes.OK, ""), ClassPlanned, plannedDelay, 0, 0},
		"unavailable":      {status.Error(codes.Unavailable, "x"), ClassTransient, time.Second, 1, 0},
		"plain":            {errors.New("x"), ClassTransient, time.Second, 1, 0},
		"unauthenticated":  {status.Error(codes.Unauthenticated, "x"), ClassCredentials, DefaultRefusedRetry, 1, 0},
		"permission":       {status.Error(codes.PermissionDenied, "x"), ClassCredentials, DefaultRefusedRetry, 1, 0},
		"unimplemented":    {status.Error(codes.Unimplemented, "x"), ClassCapability, DefaultRefusedRetry, 1, 0},
		"invalid argument": {status.Error(codes.InvalidArgument, "x"), ClassPoison, time.Second, 1, 1},
		"throttle":         {throttle.Err(), ClassThrottle, 7 * time.Second, 1, 1},
		"size":             {status.Error(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 5)"), ClassSize, time.Second, 1, 1},
		"stall":            {errAckTimeout, ClassStall, time.Second, 1, 0},
		"protocol":         {&ackError{id: 3, want: 1}, ClassProtocol, time.Second, 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.class, classify(test.err))
			s := newScript(t, Config{}, wordCodec{})
			s.append(words(1, "a", "b")...)
			s.start()
			s.opened()
			s.now = s.now.Add(time.Minute)
			s.ended(test.err)
			require.Equal(t, StateBackoff, s.core.state)
			require.Equal(t, test.wait, s.core.deadlines[timerRetry].Sub(s.now))
			require.Equal(t, test.errors, s.core.stats.StreamErrors)
			require.Equal(t, test.resets, s.core.stats.StateResets)
			require.Equal(t, 2, s.core.queue.lines, "the data is kept")
			require.Equal(t, test.errors > 0, s.core.stats.LastError != "")
		})
	}
}

func TestCredentialErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.ended(status.Error(codes.Unauthenticated, "unknown key"))
	require.Equal(t, "suspended, the receiving side refuses the API key (Unauthenticated: unknown key): check api_key", s.core.stats.LastError)
}

// TestClosingAtOnceIsBackedOffFrom: a receiving side that always closes with OK
// must not make a hot loop.
func TestClosingAtOnceIsBackedOffFrom(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	var total time.Duration
	for range 8 {
		s.opened()
		s.ended(nil)
		wait := s.core.deadlines[timerRetry].Sub(s.now)
		total += wait
		s.sleep(wait)
	}
	require.GreaterOrEqual(t, total, 200*time.Second)
	require.Zero(t, s.core.stats.StreamErrors)
	require.EqualValues(t, 8, s.core.stats.PlannedCloses)
}

func TestTooLargeIsSplitAndTheImpossibleDropped(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{maxData: 40})
	s.start()
	s.opened()
	huge := strings.Repeat("x", 64)
	require.Equal(t, "drop 64 bytes [{s 3}]: batch too large\n"+
		"send 1/1 def 1 a; log 1 1; def 2 b; log 2 2\n"+
		"send 1/2 def 3 d; log 4 3\n", s.append(words(1, "a", "b", huge, "d")...))
	require.Equal(t, "release 0 [{s 2}]\nrelease 0 [{s 3}]\n", s.ack(1), "the dropped line is released in its turn")
	require.Equal(t, "release 1 [{s 4}]\n", s.ack(2))
	require.Equal(t, "drop 64 bytes [{s 5}]: batch too large\nrelease 2 [{s 5}]\n", s.append(words(5, huge)...), "nothing is before it")
	require.EqualValues(t, 2, s.core.stats.LinesDropped)
	require.Zero(t, s.core.queue.len())
}

func TestSnapshotAboveTheLimitGivesTheStateUp(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{MaxDataBytes: 30}, wordCodec{maxData: 40})
	s.start()
	s.opened()
	for i := range 5 {
		s.append(words(i, fmt.Sprintf("word%d", i))...)
		s.ack(uint32(i + 1))
	}
	s.append(words(10, "word1")...)
	s.append(words(11, "word2", "word1")...)
	s.ended(status.Error(codes.Unavailable, "cut"))
	s.sleep(time.Second)
	require.Equal(t, "reset: the snapshot takes 60 bytes and a message 30 at most\n"+
		"send 3/1 def 6 word1; log 10 6\n"+
		"send 3/2 def 7 word2; log 11 7; log 12 6\n", s.opened())
	require.Equal(t, "release 6 [{s 10}]\n", s.ack(1))
	require.Equal(t, "release 7 [{s 12}]\n", s.ack(2))
}

func TestSizeErrorHalvesWhatWasSent(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a", "b", "c", "d")...)
	s.ended(status.Error(codes.ResourceExhausted, "received message larger than max"))
	s.append(words(5, "e", "f")...)
	s.sleep(time.Second)
	require.Equal(t, "send 3/1 def 5 a; log 1 5; def 6 b; log 2 6\n"+
		"send 3/2 def 7 c; log 3 7; def 8 d; log 4 8\n"+
		"send 3/3 def 9 e; log 5 9; def 10 f; log 6 10\n", s.opened())
	require.Equal(t, "release 0 [{s 2}]\n", s.ack(1))
	require.Equal(t, "release 1 [{s 4}]\n", s.ack(2))
}

func TestStateResetWhileStoppingEndsWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	codec := &shrinkingCodec{wordCodec{}}
	s := newScript(t, Config{}, codec)
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.do((*core).stop)
	codec.maxData = 1
	require.Equal(t, "close 1 graceful=false\nreset: rpc error: code = InvalidArgument desc = no\n"+
		"drop 1 bytes [{s 1}]: batch too large\nrelease 1 [{s 1}]\nclose 2 graceful=false\n",
		s.ended(status.Error(codes.InvalidArgument, "no")))
	require.Equal(t, StateStopped, s.core.state)
}

// shrinkingCodec has a bound that a test may lower.
type shrinkingCodec struct{ wordCodec }

func (c *shrinkingCodec) NewEncoder() (Encoder, error) {
	return &shrinkingEncoder{c, &wordEncoder{ids: map[string]int{}}}, nil
}

type shrinkingEncoder struct {
	codec *shrinkingCodec
	*wordEncoder
}

func (e *shrinkingEncoder) Encode(recs []record.Record) (Payload, error) {
	e.wordEncoder.codec = e.codec.wordCodec
	return e.wordEncoder.Encode(recs)
}

func TestIdsAreUsedUpBeforeTheyWrap(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.core.lastID = 2
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.append(words(2, "b")...)
	require.Equal(t, StateDraining, s.core.state)
	require.Empty(t, s.append(words(3, "c")...), "waits for the next stream")
	s.ack(1)
	require.Equal(t, "release 2 [{s 2}]\nclose 1 graceful=true\nopen 3\n", s.ack(2))
	require.Equal(t, "send 3/0 def 1 a; def 2 b\nsend 3/1 def 3 c; log 3 3\n", s.opened())
}

func TestGoAwayDrainsAndPauses(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	require.Empty(t, s.do(func(c *core, now time.Time) { c.goAway(now, c.gen) }))
	require.Equal(t, StateDraining, s.core.state)
	require.Equal(t, "release 1 [{s 1}]\nclose 1 graceful=true\n", s.ack(1))
	require.Equal(t, StateBackoff, s.core.state)
	require.Equal(t, "open 3\n", s.sleep(plannedDelay))
	require.Zero(t, s.core.stats.StreamErrors)
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
	require.False(t, s.core.hasRoom())
	require.Equal(t, "open 3\n", s.sleep(0))
	require.Equal(t, "send 3/1 def 1 a; log 1 1\n", s.opened())
	require.Equal(t, "release 1 [{s 1}]\nclose 3 graceful=true\n", s.ack(1))
	require.Equal(t, StateStopped, s.core.state)
}

func TestLastOrigins(t *testing.T) {
	t.Parallel()
	o := func(source string, end int64) record.Record {
		return record.Record{Origin: record.Origin{Source: source, End: end}}
	}
	require.Nil(t, lastOrigins([]record.Record{o("", 0), o("", 7)}))
	require.Equal(t, []record.Origin{{Source: "a", End: 5}, {Source: "b", End: 4}, {Source: "c", End: 1}},
		lastOrigins([]record.Record{o("a", 1), o("a", 2), o("b", 3), o("", 9), o("c", 1), o("b", 4), o("a", 5)}))
}

func TestAppendKeepsNothingOfTheCaller(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	recs := words(1, "before")
	s.append(recs...)
	copy(recs[0].Message, "XXXXXX")
	recs[0].Origin.End = 99
	s.core.restate(nil, false)
	s.core.take()
	s.start()
	require.Equal(t, "send 1/1 def 2 before; log 1 2\n", s.opened())
	require.Equal(t, "release 1 [{s 1}]\n", s.ack(1))
}
