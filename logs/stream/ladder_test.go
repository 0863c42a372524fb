package stream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// TestLadder: columns where they are announced, rows elsewhere, and the fallback
// where both are refused.
func TestLadder(t *testing.T) {
	t.Parallel()
	s := ladderScript(t, Config{}, flowCodec{}, wordCodec{}, plain{})
	answer := func(profiles ...string) string {
		return s.do(func(c *core, now time.Time) { c.opened(now, c.cur.gen, true, profiles) })
	}
	s.append(words(1, "a")...)
	require.Equal(t, "open 1 ask\n", s.start())
	require.Equal(t, "begin 1 columns s1/1 base=0 first=1\nsend 1/1 def 1 a; log 1 1\n", answer("rows", "columns"))
	refused := status.Error(codes.FailedPrecondition, "no columns today")
	require.Equal(t, "close 1 graceful=false\n", s.ended(refused))
	require.Equal(t, "open 2\n", s.sleep(plannedDelay), "soon, and nobody is asked about rows")
	require.Equal(t, "begin 2 rows s1/2 base=0 first=1\nsend 2/1 def 1 a; log 1 1\n", s.opened())
	require.Equal(t, fault.RuleOf(fault.Capability).Sentence+": rows is in use", s.core.snapshotStats(s.now).Sentence)
	s.ended(status.Error(codes.Unimplemented, "no rows either"))
	require.Equal(t, "open 3 fallback\n", s.sleep(plannedDelay))
	require.Equal(t, "begin 3 http\nsend 3/1 a\n", s.opened())
	require.Equal(t, "release 1 [{s 1}]\n", s.ack(1))
	require.Equal(t, "open 4 ask\n", s.sleep(probeAgain), "an hour after the last step, from the top")
	require.Equal(t, "send 3/2 b\n", s.append(words(2, "b")...), "meanwhile the fallback goes on")
	require.Empty(t, s.do(func(c *core, now time.Time) { c.opened(now, c.next.gen, true, []string{"columns"}) }))
	require.Equal(t, "release 2 [{s 2}]\nclose 3 graceful=true\nbegin 4 columns s2/1 base=2 first=1\n", s.ack(2), "a session of its own: the fallback is not in it")
	require.EqualValues(t, 2, s.core.stats.Fallbacks)
	require.Equal(t, Rotations{CauseProbe: 1}, s.core.stats.Rotations)
}

// TestPlainServerTakesRows: no announcement, no columns; the answer is believed
// for a day.
func TestPlainServerTakesRows(t *testing.T) {
	t.Parallel()
	s := ladderScript(t, Config{AckTimeout: time.Hour}, flowCodec{}, wordCodec{})
	s.start()
	require.Equal(t, "begin 1 rows s1/1 base=0 first=1\n", s.do(func(c *core, now time.Time) { c.opened(now, 1, true, nil) }))
	require.Equal(t, "open 2\n", s.sleep(DefaultLifetime), "known")
	s.nextOpened()
	s.now = s.now.Add(askAgain)
	require.Equal(t, "open 3 ask\n", s.sleep(0))
}

// TestPinnedProfileIsNotSentBlindly: columns alone never go to a server that does
// not announce them.
func TestPinnedProfileIsNotSentBlindly(t *testing.T) {
	t.Parallel()
	s := ladderScript(t, Config{}, flowCodec{})
	require.Equal(t, "open 1 ask\n", s.start())
	require.Equal(t, "close 1 graceful=false\n", s.do(func(c *core, now time.Time) { c.opened(now, 1, true, []string{"rows"}) }))
	require.Equal(t, DefaultRefusedRetry, s.wait())
	require.Equal(t, "open 2 ask\n", s.sleep(DefaultRefusedRetry))
}

// post is a fallback that follows a script.
type post struct {
	mu    sync.Mutex
	got   []string
	reply func(n int, recs []record.Record) error
	calls int
}

func (p *post) Send(_ context.Context, recs []record.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.reply != nil {
		if err := p.reply(p.calls, recs); err != nil {
			return err
		}
	}
	p.got = append(p.got, texts(recs)...)
	return nil
}

func (p *post) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.got...)
}

// TestF16FallbackAndProbe: a server that speaks no stream gets HTTP, and is asked
// for better every hour.
func TestF16FallbackAndProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(n int, s *peerStream) error {
			if n <= 2 {
				return status.Error(codes.Unimplemented, "unknown method")
			}
			return s.ackAll()
		}}).listen(t)
		h := &post{}
		w, d := workWith(t, Config{}, Deps{Dial: p.dial, Codecs: []Codec{wordCodec{}}, Fallback: h})
		put(t, w, 1, "a", "b")
		flush(t, w)
		require.Equal(t, []string{"a", "b"}, h.all())
		require.Equal(t, []int64{1, 2}, d.all())
		s := w.Stats()
		require.Equal(t, ProfileHTTP, s.Profile)
		require.EqualValues(t, 1, s.Fallbacks)
		time.Sleep(probeAgain + time.Minute)
		put(t, w, 3, "c")
		flush(t, w)
		require.Equal(t, []string{"a", "b", "c"}, h.all(), "refused again")
		time.Sleep(probeAgain + time.Minute)
		put(t, w, 4, "d")
		flush(t, w)
		require.Equal(t, []string{"4 d"}, p.received())
		require.Equal(t, ProfileRows, w.Stats().Profile)
		require.Equal(t, []int64{1, 2, 3, 4}, d.all())
	})
}

// TestFallbackAlone: profile http. Its errors are sorted like those of a stream.
func TestFallbackAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &post{reply: func(n int, recs []record.Record) error {
			if slices.Contains(texts(recs), "bad") {
				return fault.New(fault.Poison, errors.New("400"))
			}
			if len(recs) > 2 {
				return fault.New(fault.Size, errors.New("413"))
			}
			if n == 1 {
				return &fault.Error{Class: fault.Throttle, RetryAfter: time.Minute, Err: errors.New("429")}
			}
			return nil
		}}
		var rejected []string
		w, d := workWith(t, Config{}, Deps{Fallback: h, Quarantine: func(r Rejected) error {
			rejected = append(rejected, string(r.Record.Message))
			return nil
		}})
		begin := time.Now()
		put(t, w, 1, "first")
		require.NoError(t, w.Append(t.Context(), words(2, "a", "b", "c", "bad", "d")))
		flush(t, w)
		require.Equal(t, []string{"first", "a", "b", "c", "d"}, h.all())
		require.Equal(t, []string{"bad"}, rejected)
		ends := d.all()
		require.EqualValues(t, 6, ends[len(ends)-1])
		require.GreaterOrEqual(t, time.Since(begin), time.Minute)
	})
}

// memory is a Store.
type memory struct {
	mu       sync.Mutex
	session  Session
	profiles map[string][]string
	asked    map[string]time.Time
	fail     error
	saved    []Session
}

func (m *memory) Session() Session { return m.session }

func (m *memory) SaveSession(s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.session = s
	m.saved = append(m.saved, s)
	return nil
}

func (m *memory) Profiles(address string) ([]string, time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.profiles[address], m.asked[address]
}

func (m *memory) SaveProfiles(address string, profiles []string, asked time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.profiles == nil {
		m.profiles, m.asked = map[string][]string{}, map[string]time.Time{}
	}
	m.profiles[address], m.asked[address] = profiles, asked
	return m.fail
}

// TestNegotiation: the announcement is asked for once and remembered, and a plain
// server costs a second, once.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		announce string
		profile  string
		within   time.Duration
	}{
		"ours":     {"columns, rows", ProfileColumns, 0},
		"no news":  {"rows", ProfileRows, 0},
		"plain":    {"", ProfileRows, announceWait},
		"stranger": {"cubes,rows", ProfileRows, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := (&peer{script: func(_ int, s *peerStream) error {
					if test.announce != "" {
						if err := s.SendHeader(metadata.Pairs(headerProfiles, test.announce)); err != nil {
							return err
						}
					}
					return s.ackAll()
				}}).listen(t)
				m := &memory{}
				deps := Deps{Dial: p.dial, Codecs: []Codec{flowCodec{}, wordCodec{}}, Store: m}
				begin := time.Now()
				w, _ := workWith(t, Config{}, deps)
				put(t, w, 1, "a")
				flush(t, w)
				require.Equal(t, test.within, time.Since(begin))
				require.Equal(t, []string{test.profile}, p.heads[1].Get(headerProfile))
				require.Empty(t, p.heads[0].Get(headerSession), "the one that asks is of no session")
				require.NoError(t, w.Stop(within(t, time.Minute)))

				again, _ := workWith(t, Config{}, deps)
				put(t, again, 2, "b")
				flush(t, again)
				require.Len(t, p.heads, 3, "remembered")
				require.Equal(t, []string{test.profile}, p.heads[2].Get(headerProfile))
			})
		})
	}
}

// TestAskingIsRefused: the reason is known before anything is sent.
func TestAskingIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(int, *peerStream) error { return status.Error(codes.Unauthenticated, "unknown key") }}).listen(t)
		w, _ := workWith(t, Config{}, Deps{Dial: p.dial, Codecs: []Codec{flowCodec{}, wordCodec{}}})
		synctest.Wait()
		require.Equal(t, fault.Credentials, w.Stats().LastErrorClass)
		require.Equal(t, "Unauthenticated: unknown key", w.Stats().LastError)
	})
}
