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

	"github.com/vigil-agent/vigil/logs/stream/fault"
)

func (s *script) wait() time.Duration { return s.core.deadlines[timerRetry].Sub(s.now) }

// TestEndsOfAStream pins what each way to end a stream leads to.
func TestEndsOfAStream(t *testing.T) {
	t.Parallel()
	throttle, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	require.NoError(t, err)
	forever, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1000 * time.Hour)})
	require.NoError(t, err)
	poison := status.Error(codes.InvalidArgument, "x")
	tests := map[string]struct {
		err    error
		class  fault.Class
		wait   time.Duration
		errors uint64
		resets uint64
		window int
	}{
		"eof":              {nil, fault.Planned, plannedDelay, 0, 0, maxWindow},
		"ok":               {status.Error(codes.OK, ""), fault.Planned, plannedDelay, 0, 0, maxWindow},
		"unavailable":      {errCut, fault.Transient, time.Second, 1, 0, maxWindow},
		"aborted":          {status.Error(codes.Aborted, "x"), fault.Transient, time.Second, 1, 0, maxWindow},
		"plain":            {errors.New("x"), fault.Transient, time.Second, 1, 0, maxWindow},
		"unauthenticated":  {status.Error(codes.Unauthenticated, "x"), fault.Credentials, DefaultRefusedRetry, 1, 0, maxWindow},
		"permission":       {status.Error(codes.PermissionDenied, "x"), fault.Credentials, DefaultRefusedRetry, 1, 0, maxWindow},
		"unimplemented":    {status.Error(codes.Unimplemented, "x"), fault.Capability, DefaultRefusedRetry, 1, 0, maxWindow},
		"precondition":     {status.Error(codes.FailedPrecondition, "x"), fault.Capability, DefaultRefusedRetry, 1, 0, maxWindow},
		"invalid argument": {poison, fault.Poison, plannedDelay, 1, 1, 1},
		"out of range":     {status.Error(codes.OutOfRange, "x"), fault.Poison, plannedDelay, 1, 1, 1},
		"data loss":        {status.Error(codes.DataLoss, "x"), fault.Poison, plannedDelay, 1, 1, 1},
		"throttle":         {throttle.Err(), fault.Throttle, 7 * time.Second, 1, 0, 1},
		"asks for ever":    {forever.Err(), fault.Throttle, maxRetryAfter, 1, 0, 1},
		"size":             {status.Error(codes.ResourceExhausted, "received message larger than max"), fault.Size, time.Second, 1, 0, maxWindow},
		"stall":            {errAckTimeout, fault.Stall, time.Second, 1, 0, maxWindow},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, Config{}, wordCodec{})
			s.start()
			s.opened()
			s.append(words(1, "a", "b")...)
			s.now = s.now.Add(time.Minute)
			s.ended(test.err)
			require.Equal(t, StateBackoff, s.core.state)
			require.Equal(t, test.wait, s.wait())
			require.Equal(t, test.errors, s.core.stats.StreamErrors)
			require.Equal(t, test.resets, s.core.stats.StateResets)
			require.Equal(t, Ends{test.class: 1}, s.core.stats.Ends)
			require.Equal(t, test.window, s.core.window)
			require.Equal(t, 2, s.core.queue.lines, "the data is kept")
			require.Equal(t, test.errors > 0, s.core.stats.LastError != "")
		})
	}
}

// TestSentences are what a person reads.
func TestSentences(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	sentence := func() string { return s.core.snapshotStats(s.now).Sentence }
	s.start()
	s.opened()
	require.Empty(t, sentence())
	s.ended(status.Error(codes.Unauthenticated, "unknown key"))
	require.Equal(t, "suspended: the receiving side refuses the API key; correct api_key, a new key is used at once (Unauthenticated: unknown key)", sentence())
	require.True(t, s.core.snapshotStats(s.now).Suspended)
	s.sleep(DefaultRefusedRetry)
	s.opened()
	require.Empty(t, sentence())
}

func TestBackoffGrowsUntilProgressIsSustained(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.append(words(1, "a", "b", "c")...)
	s.start()
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 120, 120} {
		s.ended(errCut)
		require.Equal(t, want*time.Second, s.wait())
		s.sleep(s.wait())
	}
	require.EqualValues(t, 9, s.core.stats.StreamErrors)

	// One acknowledgement on a stream that dies at once resets nothing.
	s.append(words(4, "d")...)
	s.opened()
	s.ack(1)
	s.ended(errCut)
	require.Equal(t, 120*time.Second, s.wait())
	s.sleep(s.wait())

	// One on a stream that outlived the last wait does.
	s.opened()
	s.now = s.now.Add(120 * time.Second)
	s.ack(1)
	s.ended(errCut)
	require.Equal(t, time.Second, s.wait())
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
		total += s.wait()
		s.sleep(s.wait())
	}
	require.GreaterOrEqual(t, total, 200*time.Second)
	require.Zero(t, s.core.stats.StreamErrors)
	require.Equal(t, Ends{fault.Planned: 8}, s.core.stats.Ends)
}

// TestProtocolFaultsInARowSuspend: the third wrong acknowledgement in a row is
// answered with the slow interval; sustained progress starts over.
func TestProtocolFaultsInARowSuspend(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.append(words(1, "a", "b")...)
	s.append(words(3, "c")...)
	for _, want := range []time.Duration{time.Second, 2 * time.Second, DefaultRefusedRetry, DefaultRefusedRetry} {
		s.opened()
		s.ack(2)
		require.Equal(t, want, s.wait())
		s.sleep(want)
	}
	require.Equal(t, Ends{fault.Protocol: 4}, s.core.stats.Ends)
	s.opened()
	s.now = s.now.Add(DefaultRefusedRetry)
	s.ack(1)
	s.ack(7)
	require.Equal(t, time.Second, s.wait())
	require.False(t, s.core.endpoints[0].suspended(s.now))
}

func TestTooLargeIsSplitAndTheImpossiblePutAside(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{maxData: 40})
	s.start()
	s.opened()
	huge := strings.Repeat("x", 64)
	require.Equal(t, "send 1/1 def 1 a; log 1 1; def 2 b; log 2 2\n"+
		"quarantine 1 size "+huge+": batch too large\n", s.append(words(1, "a", "b", huge, "d")...))
	require.Equal(t, "send 1/2 def 3 d; log 4 3\n", s.parked(), "those behind wait only until it has its place")
	require.Equal(t, "release 0 [{s 2}]\nrelease 0 [{s 3}]\n", s.ack(1), "it is released in its turn")
	require.Equal(t, "release 1 [{s 4}]\n", s.ack(2))
	require.Equal(t, "quarantine 2 size "+huge+": batch too large\n", s.append(words(5, huge)...))
	require.Equal(t, 1, s.core.queue.lines, "not released before it has its place")
	require.Equal(t, "release 2 [{s 5}]\n", s.parked(), "nothing is before it")
	require.Equal(t, Reasons{ReasonSize: 2}, s.core.stats.LinesQuarantined)
	require.Zero(t, s.core.queue.len())
}

// TestQuarantineThatFailsHoldsEverything: the line is neither lost nor released.
func TestQuarantineThatFailsHoldsEverything(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{maxData: 40})
	s.start()
	s.opened()
	huge := strings.Repeat("x", 64)
	want := s.append(words(1, huge)...)
	s.append(words(2, "a")...)
	require.Empty(t, s.do(func(c *core, now time.Time) { c.parked(now, false, errors.New("disk full")) }))
	require.Equal(t, "a line that cannot be delivered cannot be put into quarantine either, everything waits for it: disk full", s.core.snapshotStats(s.now).Sentence)
	require.Equal(t, want, s.sleep(parkAgain), "again")
	require.Equal(t, "release 1 [{s 1}]\nsend 1/1 def 1 a; log 2 1\n", s.parked())
	require.Empty(t, s.core.snapshotStats(s.now).Sentence)
}

// TestOnePlaceIsLookedForAtATime: a line is refused while the quarantine still writes
// another one. Neither takes the place of the other.
func TestOnePlaceIsLookedForAtATime(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{maxData: 40})
	s.start()
	s.opened()
	s.append(words(1, "poison")...)
	huge := strings.Repeat("x", 64)
	require.Contains(t, s.append(words(2, huge)...), "quarantine 2 size "+huge)
	refuse := func() string { return s.ended(status.Error(codes.InvalidArgument, "no")) }
	require.Equal(t, "close 1 graceful=false\nreset: rpc error: code = InvalidArgument desc = no\n", refuse())
	require.Equal(t, "open 2\n", s.sleep(plannedDelay))
	require.Equal(t, "begin 2 rows s1/2 base=0 first=1 shifted\n", s.opened(), "everything waits for the first")
	require.Equal(t, "send 2/1 def 1 poison; log 1 1\n", s.parked())
	require.Contains(t, refuse(), "quarantine 1 poison poison")
	s.sleep(plannedDelay)
	s.opened()
	require.Equal(t, "release 1 [{s 1}]\nrelease 2 [{s 2}]\n", s.parked())
	require.Equal(t, Reasons{ReasonPoison: 1, ReasonSize: 1}, s.core.stats.LinesQuarantined)
}

func TestF18SnapshotAboveTheLimit(t *testing.T) {
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
	s.ended(errCut)
	s.sleep(time.Second)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=6\n"+
		"reset: the snapshot takes 60 bytes and a message 30 at most\n"+
		"send 2/1 def 1 word1; log 10 1\n"+
		"send 2/2 def 2 word2; log 11 2; log 12 1\n", s.opened())
	require.Equal(t, "release 6 [{s 10}]\n", s.ack(1))
	require.Equal(t, "release 7 [{s 12}]\n", s.ack(2))
	require.EqualValues(t, 1, s.core.stats.StateResets, "once")
}

// TestSizeErrorLowersTheLimit: what was refused never goes out unchanged, and the
// limit that the receiving side names is kept.
func TestSizeErrorLowersTheLimit(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	long := func(c string) string { return strings.Repeat(c, 800) }
	s.append(words(1, long("a"), long("b"), long("c"))...)
	s.ended(status.Error(codes.ResourceExhausted, "grpc: received message larger than max (2500 vs. 2032)"))
	require.Equal(t, 2000, s.core.endpoints[0].limits.DataBytes)
	s.sleep(time.Second)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=1\n"+
		"send 2/1 def 1 "+long("a")+"; log 1 1\n"+
		"send 2/2 def 2 "+long("b")+"; log 2 2; def 3 "+long("c")+"; log 3 3\n", s.opened())
	require.Equal(t, "release 0 [{s 1}]\n", s.ack(1))
	s.ended(status.Error(codes.ResourceExhausted, "larger than max"))
	require.Equal(t, minDataBytes, s.core.endpoints[0].limits.DataBytes, "half, but no less than this")
	s.sleep(2 * time.Second)
	require.Equal(t, "begin 3 rows s1/3 base=0 first=2 shifted\n"+
		"reset: the profile or what the receiving side takes has changed\n"+
		"send 3/1 def 1 "+long("b")+"; log 2 1\n"+
		"send 3/2 def 2 "+long("c")+"; log 3 2\n", s.opened())
	require.Equal(t, "release 0 [{s 2}]\n", s.ack(1))
	require.Equal(t, "release 1 [{s 3}]\n", s.ack(2))
}

// TestThrottleSlowsDown: half the state, one batch at a time, and more again as
// acknowledgements come.
func TestThrottleSlowsDown(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	for i := range 5 {
		s.append(words(i+1, "a")...)
	}
	s.ended(status.Error(codes.ResourceExhausted, "busy"))
	s.sleep(time.Second)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=1\nsend 2/1 def 1 a; log 1 1\n", s.opened())
	require.Equal(t, Limits{DataBytes: DefaultMaxDataBytes, Halvings: 1}, s.core.limits)
	require.Equal(t, "release 1 [{s 1}]\nsend 2/2 log 2 1\nsend 2/3 log 3 1\n", s.ack(1))
	require.Equal(t, "release 2 [{s 2}]\nsend 2/4 log 4 1\nsend 2/5 log 5 1\n", s.ack(2))
}

// TestThrottleIsForgotten: each stream that begins after a calm time doubles the
// budget of state, one that begins earlier does not, and the wait that the receiving
// side asked for is no calm.
func TestThrottleIsForgotten(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{RefusedRetry: time.Minute}, wordCodec{})
	s.start()
	s.opened()
	throttle := func() {
		s.append(words(1, "a")...)
		busy, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(calmTime)})
		require.NoError(t, err)
		s.ended(busy.Err())
		s.sleep(calmTime)
		s.opened()
		s.ack(1)
	}
	again := func(after time.Duration) int {
		s.now = s.now.Add(after)
		s.ended(nil)
		s.sleep(time.Second)
		s.opened()
		return s.core.limits.Halvings
	}
	for i := range maxHalvings + 2 {
		throttle()
		require.Equal(t, min(i+1, maxHalvings), s.core.limits.Halvings)
	}
	require.Equal(t, maxHalvings, again(calmTime-time.Minute), "not calm for long enough")
	for n := maxHalvings - 1; n >= 0; n-- {
		require.Equal(t, n, again(calmTime))
		require.Equal(t, n, again(time.Minute))
	}
	require.Equal(t, 0, again(calmTime))
	require.Equal(t, Limits{DataBytes: DefaultMaxDataBytes}, s.core.limits)
}

// TestF19BisectFindsTheRecord: a receiving side that refuses one line gets all
// others, after at most log2(n) further tries.
func TestF19BisectFindsTheRecord(t *testing.T) {
	t.Parallel()
	const lines = 1000
	for _, bad := range []int{0, 1, 499, 500, 777, 999} {
		s := newScript(t, Config{}, wordCodec{})
		messages := make([]string, lines)
		for i := range messages {
			messages[i] = fmt.Sprintf("w%d", i)
		}
		messages[bad] = "poison"
		s.start()
		s.append(words(0, messages...)...)
		s.append(words(lines, "behind")...)
		tries, parked, delivered := 0, "", 0
		begin := s.now
		var sent []string // not answered
		for out := s.opened(); s.core.queue.len() > 0; {
			require.Less(t, s.now.Sub(begin), 5*time.Second, "the lines behind do not wait for longer")
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "send ") {
					sent = append(sent, line)
				}
			}
			require.NotEmpty(t, sent)
			if !strings.Contains(sent[0], " poison;") {
				delivered += strings.Count(sent[0], "log ")
				sent = sent[1:]
				out = s.ack(s.core.queue.items[0].id)
				continue
			}
			tries++
			sent = nil
			if out = s.ended(status.Error(codes.InvalidArgument, "no")); strings.Contains(out, "quarantine") {
				parked += out
				s.parked()
			}
			s.sleep(s.wait())
			out = s.opened()
		}
		require.Equal(t, lines, delivered)
		require.Contains(t, parked, "quarantine 1 poison poison: rpc error: code = InvalidArgument desc = no\n")
		require.LessOrEqual(t, tries, 2+10, "with others, alone, and then log2 of 1000")
		require.Equal(t, Reasons{ReasonPoison: 1}, s.core.stats.LinesQuarantined)
	}
}

// TestInnocentBatchesStayWhole: what was on its way with the record at fault goes
// out again under its own number, because it may be durable.
func TestInnocentBatchesStayWhole(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	for i, message := range []string{"a", "b", "poison", "d"} {
		s.append(words(i, message)...)
	}
	out, parked, order := s.opened(), "", ""
	for s.core.queue.len() > 0 {
		head := s.core.queue.items[0]
		if s.core.queue.outstanding == 1 && string(head.recs[0].Message) != "poison" {
			order += fmt.Sprintf("%d %s;", head.seq, head.recs[0].Message)
			out = s.ack(head.id)
			continue
		}
		require.NotEmpty(t, out)
		if ended := s.ended(status.Error(codes.InvalidArgument, "no")); strings.Contains(ended, "quarantine") {
			parked += ended
			s.parked()
		}
		s.sleep(s.wait())
		out = s.opened()
	}
	require.Equal(t, "1 a;2 b;4 d;", order)
	require.Equal(t, 1, strings.Count(parked, "quarantine"))
	require.Contains(t, parked, "quarantine 3 poison poison")
	require.Zero(t, s.core.stats.BatchesSplit)
}

// TestF20PoisonSnapshot: the state is given up, the data is not touched.
func TestF20PoisonSnapshot(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.ack(1)
	s.append(words(2, "a", "b")...)
	s.ended(errCut)
	s.sleep(time.Second)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=2\nsend 2/0 def 1 a\nsend 2/1 log 2 1; def 2 b; log 3 2\n", s.opened())
	require.Equal(t, "close 2 graceful=false\nreset: rpc error: code = InvalidArgument desc = bad state\n",
		s.ended(status.Error(codes.InvalidArgument, "bad state")))
	s.sleep(s.wait())
	require.Equal(t, "begin 3 rows s1/3 base=0 first=2\nsend 3/1 def 1 a; log 2 1; def 2 b; log 3 2\n", s.opened())
	require.Equal(t, "release 2 [{s 3}]\n", s.ack(1))
	require.Zero(t, s.core.stats.BatchesSplit)
}

// TestReadsNothingAtAll: a receiving side that refuses every line does not empty
// the queue into the quarantine.
func TestReadsNothingAtAll(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	for i := range 100 {
		s.append(words(i, "x")...)
	}
	begin := s.now
	for s.now.Sub(begin) < 10*time.Minute {
		s.opened()
		if strings.Contains(s.ended(status.Error(codes.InvalidArgument, "no")), "quarantine") {
			s.parked()
		}
		s.sleep(s.wait())
	}
	require.LessOrEqual(t, s.core.stats.LinesQuarantined[ReasonPoison], uint64(maxRejected+11))
}

// TestStopEndsWithTheLastRecordPutAside: nothing is left to wait for.
func TestStopEndsWithTheLastRecordPutAside(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.do((*core).stop)
	require.Equal(t, "close 1 graceful=false\nreset: rpc error: code = InvalidArgument desc = no\n"+
		"quarantine 1 poison a: rpc error: code = InvalidArgument desc = no\n", s.ended(status.Error(codes.InvalidArgument, "no")))
	require.Equal(t, "release 1 [{s 1}]\n", s.parked())
	require.Equal(t, StateStopped, s.core.state)
}
