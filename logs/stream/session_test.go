package stream

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/record"
)

func (s *script) appendSeq(seq uint64, recs ...record.Record) string {
	return s.do(func(c *core, now time.Time) { c.append(now, seq, recs) })
}

func durableConfig() Config { return Config{Endpoints: []Endpoint{{Address: "a"}}, durable: true} }

// TestSessionGoesOn: after a restart the same batches travel under the same
// numbers, in a later epoch.
func TestSessionGoesOn(t *testing.T) {
	t.Parallel()
	s := newScript(t, durableConfig(), wordCodec{})
	s.core.seq = 41
	s.core.resume(Session{Address: "a", ID: "old", Epoch: 7, Base: 30}, "", 42)
	s.start()
	require.Equal(t, "begin 1 rows old/8 base=30 first=12\n", s.opened())
	require.Equal(t, "send 1/1 def 1 a; log 1 1\n", s.appendSeq(42, words(1, "a")...))
	require.Equal(t, "release 42 [{s 1}]\n", s.ack(1))
}

// TestSessionOfAnother is not taken up.
func TestSessionOfAnother(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]Session{
		"none":           {},
		"address":        {Address: "b", ID: "old", Base: 30},
		"queue":          {Address: "a", Queue: "other", ID: "old", Base: 30},
		"shifted":        {Address: "a", ID: "old", Base: 30, Shifted: true},
		"of later lines": {Address: "a", ID: "old", Base: 42},
	} {
		s := newScript(t, durableConfig(), wordCodec{})
		s.core.seq = 41
		s.core.resume(old, "", 42)
		s.start()
		require.Equal(t, "begin 1 rows s1/1 base=41 first=1\n", s.opened(), name)
	}
}

// TestNumbersThatShiftAreSavedFirst: pieces of a batch wait for a stream whose
// session says that batch numbers no longer tell payload numbers. The next one
// after all is delivered starts a new session.
func TestNumbersThatShiftAreSavedFirst(t *testing.T) {
	t.Parallel()
	s := newScript(t, durableConfig(), wordCodec{maxData: 40})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	require.Equal(t, "open 2\n", s.append(words(2, "b", "c", "d", "e")...))
	require.Equal(t, StateDraining, s.core.state)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=2 shifted\n", s.nextOpened())
	require.Equal(t, "release 1 [{s 1}]\nclose 1 graceful=true\nsend 2/0 def 1 a\n"+
		"send 2/1 def 2 b; log 2 2; def 3 c; log 3 3\nsend 2/2 def 4 d; log 4 4; def 5 e; log 5 5\n", s.ack(1))
	require.Equal(t, "send 2/3 def 6 f; log 6 6; def 7 g; log 7 7\n"+
		"send 2/4 def 8 h; log 8 8; def 9 i; log 9 9\n", s.append(words(6, "f", "g", "h", "i")...), "saved already")
	for id := range uint32(4) {
		s.ack(id + 1)
	}
	s.sleep(DefaultLifetime)
	require.Contains(t, s.nextOpened(), "begin 3 rows s2/1 base=3 first=1\n")
	require.Equal(t, Rotations{CauseNumbers: 1, CauseLifetime: 1}, s.core.stats.Rotations)
}

// TestShiftWhileTheNextHasBegun: its first number does not fit any more.
func TestShiftWhileTheNextHasBegun(t *testing.T) {
	t.Parallel()
	cfg := durableConfig()
	cfg.AckTimeout = time.Hour
	s := newScript(t, cfg, wordCodec{})
	s.start()
	s.opened()
	s.appendSeq(1, words(1, "a")...)
	s.sleep(DefaultLifetime)
	s.nextOpened()
	require.Equal(t, "close 2 graceful=false\n", s.appendSeq(5, words(2, "b")...), "2 to 4 are missing")
	require.Equal(t, "release 1 [{s 1}]\nclose 1 graceful=true\nopen 3\n", s.ack(1))
	require.Equal(t, "begin 3 rows s2/1 base=4 first=1\nsend 3/0 def 1 a\nsend 3/1 def 2 b; log 2 2\n", s.opened(), "nothing is in doubt, so a new session counts from there")
	require.Equal(t, "release 5 [{s 2}]\n", s.ack(1))
}

// TestLostBatchKeepsItsNumber: a batch without records is a payload without lines.
func TestLostBatchKeepsItsNumber(t *testing.T) {
	t.Parallel()
	s := newScript(t, durableConfig(), wordCodec{})
	s.start()
	s.opened()
	require.Equal(t, "send 1/1 \n", s.appendSeq(1))
	require.Equal(t, "send 1/2 def 1 a; log 1 1\n", s.appendSeq(2, words(1, "a")...))
	require.Equal(t, "release 1 []\n", s.ack(1))
	require.Equal(t, "release 2 [{s 1}]\n", s.ack(2))
}

// TestForgottenSession: a server that finds a gap gets a new session.
func TestForgottenSession(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.ack(1)
	s.append(words(2, "b")...)
	s.ended(errCut)
	s.sleep(time.Second)
	require.Contains(t, s.opened(), "begin 2 rows s1/2 base=0 first=2\n")
	s.ended(status.Error(codes.Aborted, "gap"))
	s.sleep(s.wait())
	require.Contains(t, s.opened(), "begin 3 rows s2/1 base=1 first=1\n")
}

// ledgerPeer is a receiving side that keeps sessions, as section 14.3 says.
type ledgerPeer struct {
	mu      sync.Mutex
	durable map[string]uint64
	journal []string
	cut     func(n int, seq uint64) error // after the write, before the acknowledgement
}

func (l *ledgerPeer) serve(n int, s *peerStream) error {
	md, _ := metadata.FromIncomingContext(s.Context())
	id := md.Get(headerSession)[0]
	first, err := strconv.ParseUint(md.Get(headerFirstSeq)[0], 10, 64)
	if err != nil {
		return err
	}
	for {
		batch, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		logs, err := s.state.decode(string(batch.GetData()))
		if err != nil {
			return status.Error(codes.InvalidArgument, err.Error())
		}
		if batch.GetBatchId() > 0 {
			seq := first + uint64(batch.GetBatchId()) - 1
			l.mu.Lock()
			last := l.durable[id]
			if seq == last+1 {
				l.durable[id] = seq
				l.journal = append(l.journal, logs...)
			}
			l.mu.Unlock()
			if seq > last+1 {
				return status.Error(codes.Aborted, "gap")
			}
			if l.cut != nil {
				if err := l.cut(n, seq); err != nil {
					return err
				}
			}
		}
		if err := s.ack(batch.GetBatchId()); err != nil {
			return err
		}
	}
}

// TestExactlyOnceWithSessions: each batch is durable before the stream breaks and
// its acknowledgement is lost; none is in the journal twice.
func TestExactlyOnceWithSessions(t *testing.T) {
	t.Parallel()
	for name, codec := range map[string]Codec{"rows": wordCodec{}, "columns": flowCodec{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &ledgerPeer{durable: map[string]uint64{}}
				l.cut = func(n int, seq uint64) error {
					if uint64(n) <= seq {
						return status.Error(codes.Unavailable, "cut before the acknowledgement")
					}
					return nil
				}
				p := (&peer{script: l.serve}).listen(t)
				m := &memory{profiles: map[string][]string{"peer": {ProfileColumns, ProfileRows}}, asked: map[string]time.Time{"peer": time.Now()}}
				w, d := workWith(t, Config{Lifetime: time.Hour}, Deps{Dial: p.dial, Codecs: []Codec{codec}, Store: m, FirstSeq: 1})
				want := make([]string, 12)
				for i := range want {
					want[i] = strconv.Itoa(i+1) + " m" + strconv.Itoa(i%3)
					put(t, w, i+1, strings.Fields(want[i])[1])
				}
				flush(t, w)
				require.Equal(t, want, l.journal)
				require.Len(t, d.all(), 12)
				require.Len(t, l.durable, 1, "one session")
				require.Greater(t, w.Stats().BatchesReplayed, uint64(12))
				require.NoError(t, w.Stop(within(t, time.Minute)))

				// The process starts again and its queue repeats the last two batches.
				again, _ := workWith(t, Config{}, Deps{Dial: p.dial, Codecs: []Codec{codec}, Store: m, FirstSeq: 11})
				for i := 11; i <= 14; i++ {
					require.NoError(t, again.AppendSeq(t.Context(), uint64(i), words(i, "m"+strconv.Itoa((i-1)%3))))
				}
				flush(t, again)
				require.Equal(t, append(want, "13 m0", "14 m1"), l.journal)
				require.Len(t, l.durable, 1)
				for i := 1; i < len(m.saved); i++ {
					require.Equal(t, m.saved[i-1].Epoch+1, m.saved[i].Epoch, "an epoch for each stream")
				}
			})
		})
	}
}

// TestUnsavedSessionCarriesNothing: a crash after it would repeat lines.
func TestUnsavedSessionCarriesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		m := &memory{fail: errors.New("disk full")}
		w, _ := workWith(t, Config{}, Deps{Dial: p.dial, Store: m, FirstSeq: 1})
		put(t, w, 1, "a")
		time.Sleep(time.Minute)
		require.Empty(t, p.received())
		require.Equal(t, "save the stream's session, without which a crash would deliver lines twice: disk full", w.Stats().LastError)
		m.mu.Lock()
		m.fail = nil
		m.mu.Unlock()
		flush(t, w)
		require.Equal(t, []string{"1 a"}, p.received())
	})
}
