package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

func TestC1HappyPath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		w, d := work(t, p, Config{APIKey: "key", UserAgent: "vigil/1"})
		put(t, w, 1, fields("a b c d e f g h i j")...)
		flush(t, w)
		require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, d.all())
		require.Equal(t, []string{"1 a", "2 b", "3 c", "4 d", "5 e", "6 f", "7 g", "8 h", "9 i", "10 j"}, p.received())
		require.Equal(t, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, p.ids(1))
		head := p.heads[0]
		require.Equal(t, []string{"key"}, head.Get("dd-api-key"))
		require.Equal(t, []string{"identity"}, head.Get("dd-content-encoding"))
		require.Equal(t, []string{"vigil/1 grpc-go/" + grpc.Version}, head.Get("user-agent"))

		s := w.Stats()
		require.Equal(t, StateActive, s.State)
		require.EqualValues(t, 1, s.StreamsOpened)
		require.EqualValues(t, 10, s.BatchesAcked)
		require.EqualValues(t, 10, s.LinesSent)
		require.Zero(t, s.LinesReplayed)
		require.Zero(t, s.InflightBytes)
		require.Greater(t, s.WireSent, s.CompressedBytes)
		require.Positive(t, s.WireReceived)
		require.Positive(t, s.StateBytes)

		require.NoError(t, w.Stop(within(t, time.Second)))
		require.Equal(t, StateStopped, w.Stats().State)
		require.ErrorIs(t, w.Append(t.Context(), words(11, "late")), ErrStopped)
		require.NoError(t, w.Flush(t.Context()), "all of it is durable")
	})
}

// TestC2NoState: the first stream starts with batch 1.
func TestC2NoState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		w, _ := work(t, p, Config{})
		put(t, w, 1, "a")
		flush(t, w)
		require.Equal(t, []uint32{1}, p.ids(1))
		require.Zero(t, w.Stats().SnapshotsSent)
	})
}

func TestC3FullBlocksTheInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ack := make(chan struct{})
		p := (&peer{script: func(_ int, s *peerStream) error {
			for range ack {
				if err := s.takeAck(); err != nil {
					return err
				}
			}
			return nil
		}}).listen(t)
		w, d := work(t, p, Config{MaxInflightBytes: 1})
		put(t, w, 1, "first")
		admitted := make(chan int, 10)
		go func() {
			for i := 2; i <= 4; i++ {
				if w.Append(t.Context(), words(i, "next")) != nil {
					break
				}
				admitted <- i
			}
			close(admitted)
		}()
		synctest.Wait()
		require.Empty(t, admitted)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Append(ctx, words(99, "never")), context.DeadlineExceeded)
		for n := 1; n <= 3; n++ {
			ack <- struct{}{}
			synctest.Wait()
			require.Len(t, admitted, n, "one acknowledgement frees one slot")
		}
		ack <- struct{}{}
		flush(t, w)
		require.Equal(t, []int64{1, 2, 3, 4}, d.all(), "what Append refused was not taken")
		close(ack)
	})
}

func TestC4LifetimeWithNothingUnacked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		w, _ := work(t, p, Config{})
		put(t, w, 1, "a", "b")
		flush(t, w)
		time.Sleep(DefaultLifetime + DefaultLifetime/5)
		synctest.Wait()
		put(t, w, 3, "b")
		flush(t, w)
		require.Equal(t, []uint32{0, 1}, p.ids(2))
		require.Equal(t, []string{"1 a", "2 b", "3 b"}, p.received())
		s := w.Stats()
		require.Equal(t, Rotations{CauseLifetime: 1}, s.Rotations)
		require.EqualValues(t, 1, s.SnapshotsSent)
		require.Zero(t, s.StreamErrors)
	})
}

func TestC5DrainWithoutDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lifetime = time.Minute
		p := (&peer{script: func(n int, s *peerStream) error {
			if n > 1 {
				return s.ackAll()
			}
			id, err := s.take()
			if err != nil {
				return err
			}
			time.Sleep(3 * time.Second)
			if err := s.ack(id); err != nil {
				return err
			}
			return s.ackAll()
		}}).listen(t)
		w, _ := work(t, p, Config{Lifetime: lifetime})
		// The lifetime ends somewhere in ±20 %: keep a batch unacknowledged then.
		time.Sleep(lifetime*8/10 - time.Second)
		for w.Stats().Rotations[CauseLifetime] == 0 {
			require.NoError(t, w.Append(t.Context(), words(1, "a")))
			time.Sleep(2 * time.Second)
			if w.Stats().Rotations[CauseLifetime] > 0 {
				break
			}
			flush(t, w)
		}
		put(t, w, 2, "b")
		flush(t, w)
		require.Zero(t, w.Stats().LinesReplayed)
		require.Zero(t, w.Stats().StreamErrors)
		require.EqualValues(t, 2, w.Stats().StreamsOpened)
	})
}

func TestC6DrainTimeoutResendsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(n int, s *peerStream) error {
			if n == 1 {
				return s.takeAll()
			}
			return s.ackAll()
		}}).listen(t)
		w, d := work(t, p, Config{Lifetime: 10 * time.Second})
		put(t, w, 1, "a", "b")
		time.Sleep(12*time.Second + DefaultDrainTimeout - 1)
		require.Equal(t, []uint32{1, 2}, p.ids(1))
		time.Sleep(time.Second)
		flush(t, w)
		require.Empty(t, p.ids(2), "it began while the first one drained")
		require.Equal(t, []uint32{1, 2}, p.ids(3), "ids restart at 1, no state was acknowledged")
		require.Equal(t, []int64{1, 2}, d.all())
		require.EqualValues(t, 2, w.Stats().LinesReplayed)
		require.Zero(t, w.Stats().StreamErrors)
	})
}

// TestC8Stop stops in each state, twice and concurrently.
func TestC8Stop(t *testing.T) {
	t.Parallel()
	blackHole := func(ctx context.Context, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	refuse := func(context.Context, string) (net.Conn, error) { return nil, errors.New("refused") }
	tests := map[string]struct {
		dial   func(context.Context, string) (net.Conn, error)
		script func(n int, s *peerStream) error
		cfg    Config
		fill   func(t *testing.T, w *Worker)
		state  State
		left   int
	}{
		"connecting, empty":  {dial: blackHole, state: StateConnecting},
		"connecting, queued": {dial: blackHole, state: StateConnecting, fill: func(t *testing.T, w *Worker) { t.Helper(); put(t, w, 1, "a", "b") }, left: 2},
		"backoff, empty":     {dial: refuse, state: StateBackoff},
		"backoff, queued":    {dial: refuse, state: StateBackoff, fill: func(t *testing.T, w *Worker) { t.Helper(); put(t, w, 1, "a") }, left: 1},
		"active, idle":       {state: StateActive},
		"active, unacked": {
			script: func(_ int, s *peerStream) error { return s.takeAll() },
			state:  StateActive, fill: func(t *testing.T, w *Worker) { t.Helper(); put(t, w, 1, "a", "b", "c") }, left: 3,
		},
		"draining": {
			script: func(_ int, s *peerStream) error { return s.takeAll() },
			cfg:    Config{Lifetime: time.Nanosecond, DrainTimeout: time.Hour, AckTimeout: 2 * time.Hour},
			state:  StateDraining, fill: func(t *testing.T, w *Worker) { t.Helper(); put(t, w, 1, "a") }, left: 1,
		},
		"mid-send": {
			script: func(_ int, s *peerStream) error { <-s.Context().Done(); return nil },
			state:  StateActive, fill: func(t *testing.T, w *Worker) { t.Helper(); put(t, w, 1, strings.Repeat("x", 1<<20), "b") }, left: 2,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := (&peer{script: test.script}).listen(t)
				if test.dial == nil {
					test.dial = p.dial
				}
				test.cfg.MaxInflightBytes = 1 << 30
				if test.state == StateDraining {
					// Nothing may rotate before there is something to drain.
					test.cfg.Lifetime = 100 * time.Millisecond
				}
				w, _ := workWith(t, test.cfg, Deps{Dial: test.dial})
				if test.fill != nil {
					test.fill(t, w)
				}
				time.Sleep(200 * time.Millisecond)
				synctest.Wait()
				require.Equal(t, test.state, w.Stats().State)
				begin := time.Now()
				ctx := within(t, 3*time.Second)
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						err := w.Stop(ctx)
						var unacked *UnackedError
						if test.left == 0 && err != nil || test.left > 0 && (!errors.As(err, &unacked) || unacked.Lines != test.left) {
							t.Errorf("want %d left, got %v", test.left, err)
						}
					})
				}
				wg.Wait()
				require.LessOrEqual(t, time.Since(begin), 3*time.Second)
				if test.left == 0 {
					require.Less(t, time.Since(begin), time.Second, "there is nothing to wait for")
				}
				require.Equal(t, StateStopped, w.Stats().State)
				require.ErrorIs(t, w.Append(t.Context(), words(1, "x")), ErrStopped)
			})
		})
	}
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	w, err := New(Config{Endpoints: []Endpoint{{Address: "nowhere:1"}}}, Deps{Codecs: []Codec{wordCodec{}}})
	require.NoError(t, err)
	require.NoError(t, w.Stop(t.Context()))
	require.NoError(t, w.Stop(t.Context()))
	require.NoError(t, w.Start(t.Context()))
	require.Equal(t, StateStopped, w.Stats().State)
	require.ErrorIs(t, w.Append(t.Context(), words(1, "x")), ErrStopped)
}

// TestC9StopWaitsForAcks: acknowledgements that come before the deadline count,
// what is left is reported.
func TestC9StopWaitsForAcks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(_ int, s *peerStream) error {
			for range 2 {
				id, err := s.take()
				if err != nil {
					return err
				}
				time.Sleep(2 * time.Second)
				if err := s.ack(id); err != nil {
					return err
				}
			}
			return s.takeAll()
		}}).listen(t)
		w, d := work(t, p, Config{})
		put(t, w, 1, "a", "b", "c")
		require.NoError(t, w.Append(t.Context(), words(4, "d", "e")))
		waiting := make(chan error, 1)
		go func() { waiting <- w.Flush(context.Background()) }()
		begin := time.Now()
		err := w.Stop(within(t, 10*time.Second))
		var unacked *UnackedError
		require.ErrorAs(t, err, &unacked)
		require.Equal(t, UnackedError{Lines: 3, Batches: 2}, *unacked)
		require.EqualError(t, err, "stream: stopped with 3 lines in 2 batches unacknowledged; they are read again at the next start")
		require.Equal(t, 10*time.Second, time.Since(begin))
		require.Equal(t, []int64{1, 2}, d.all())
		require.ErrorIs(t, <-waiting, ErrStopped)
		require.Equal(t, err, w.Stop(t.Context()), "the same answer again")
	})
}

// TestStopDrains: everything is acknowledged, then the stream is half-closed.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		p := (&peer{script: func(_ int, s *peerStream) error {
			err := s.ackAll()
			ended <- err
			return err
		}}).listen(t)
		w, d := work(t, p, Config{})
		for i := range 100 {
			put(t, w, i, fmt.Sprintf("m%d", i))
		}
		require.NoError(t, w.Stop(within(t, time.Second)))
		require.Len(t, d.all(), 100)
		require.NoError(t, <-ended, "a half-close, not a cancelled stream")
	})
}

// TestC11TrickleLeavesAtOnce: batches are sealed before the stream, which adds
// no wait of its own.
func TestC11TrickleLeavesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		w, d := work(t, p, Config{})
		time.Sleep(time.Second)
		for i := range 5 {
			begin := time.Now()
			put(t, w, i+1, "partial")
			synctest.Wait()
			require.Len(t, p.received(), i+1)
			require.Len(t, d.all(), i+1)
			require.Zero(t, time.Since(begin))
			time.Sleep(time.Second)
		}
	})
}

// TestC12BlockedSend: while a send waits for flow control, acknowledgements
// and Stop are served.
func TestC12BlockedSend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := make(chan struct{})
		p := (&peer{script: func(_ int, s *peerStream) error {
			id, err := s.take()
			if err != nil {
				return err
			}
			<-late
			if err := s.ack(id); err != nil {
				return err
			}
			<-s.Context().Done()
			return nil
		}}).listen(t)
		w, d := work(t, p, Config{MaxInflightBytes: 1 << 30})
		put(t, w, 1, "small")
		for i := range 8 {
			put(t, w, 2+i, strings.Repeat(fmt.Sprint(i), 1<<20))
		}
		synctest.Wait()
		require.Empty(t, d.all())
		close(late)
		synctest.Wait()
		require.Equal(t, []int64{1}, d.all())
		begin := time.Now()
		var unacked *UnackedError
		require.ErrorAs(t, w.Stop(within(t, time.Second)), &unacked)
		require.Equal(t, 8, unacked.Lines)
		require.Equal(t, time.Second, time.Since(begin))
	})
}

// badAcks runs a peer whose first stream answers in a wrong way.
func badAcks(t *testing.T, answer func(s *peerStream) error, messages ...string) (*Worker, *durables, *peer) {
	t.Helper()
	p := (&peer{script: func(n int, s *peerStream) error {
		if n > 1 {
			return s.ackAll()
		}
		if err := answer(s); err != nil {
			return err
		}
		return s.takeAll()
	}}).listen(t)
	w, d := work(t, p, Config{})
	put(t, w, 1, messages...)
	synctest.Wait()
	return w, d, p
}

func TestF3DuplicateAck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d, p := badAcks(t, func(s *peerStream) error {
			if err := errors.Join(s.takeAck(), s.ack(1)); err != nil {
				return err
			}
			return nil
		}, "a", "b")
		require.Equal(t, []int64{1}, d.all(), "released once")
		require.EqualValues(t, 1, w.Stats().StreamErrors)
		require.Equal(t, fault.Protocol, w.Stats().LastErrorClass)
		flush(t, w)
		require.Equal(t, []int64{1, 2}, d.all())
		require.Equal(t, []uint32{0, 1}, p.ids(2))
	})
}

func TestF4OutOfOrderAck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d, p := badAcks(t, func(s *peerStream) error {
			for range 2 {
				if _, err := s.take(); err != nil {
					return err
				}
			}
			return s.ack(2)
		}, "a", "b")
		require.Empty(t, d.all())
		require.Equal(t, "acknowledgement of batch 2 where 1 is the oldest outstanding: out of order", w.Stats().LastError)
		flush(t, w)
		require.Equal(t, []uint32{1, 2}, p.ids(2))
		require.Equal(t, []int64{1, 2}, d.all())
	})
}

func TestF5AckOfWhatWasNeverSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d, _ := badAcks(t, func(s *peerStream) error {
			if _, err := s.take(); err != nil {
				return err
			}
			return s.ack(7)
		}, "a")
		require.Empty(t, d.all())
		require.Equal(t, "acknowledgement of batch 7: that batch was not sent", w.Stats().LastError)
		require.EqualValues(t, 1, w.Stats().StreamErrors)
		flush(t, w)
		require.Equal(t, []int64{1}, d.all())
	})
}

func TestF6UnknownStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d, _ := badAcks(t, func(s *peerStream) error {
			id, err := s.take()
			if err != nil {
				return err
			}
			return s.Send(&statefulpb.BatchStatus{BatchId: id})
		}, "a")
		require.Empty(t, d.all())
		require.Contains(t, w.Stats().LastError, "its status is not OK")
		flush(t, w)
		require.Equal(t, []int64{1}, d.all())
	})
}

func TestF7AckZero(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d, p := badAcks(t, func(s *peerStream) error {
			for range 1000 {
				if err := s.ack(0); err != nil {
					return err
				}
			}
			return s.ackAll()
		}, "a", "b")
		flush(t, w)
		require.Equal(t, []int64{1, 2}, d.all())
		require.Zero(t, w.Stats().StreamErrors)
		require.Equal(t, []uint32{1, 2}, p.ids(1))
	})
}

// TestF8SlowServer: progress, however slow, is no stall, and memory is bounded.
func TestF8SlowServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(_ int, s *peerStream) error {
			for {
				if err := s.takeAck(); err != nil {
					return err
				}
				time.Sleep(2 * time.Second)
			}
		}}).listen(t)
		const bound = 3000
		w, _ := work(t, p, Config{MaxInflightBytes: bound, Lifetime: time.Hour})
		most := 0
		for i := range 60 {
			put(t, w, i, strings.Repeat(fmt.Sprint(i%10), 500))
			most = max(most, w.Stats().InflightBytes)
		}
		flush(t, w)
		require.LessOrEqual(t, most, bound+2*600+recordBytes)
		require.Zero(t, w.Stats().StreamErrors)
		require.EqualValues(t, 1, w.Stats().StreamsOpened)
	})
}

func TestF9NoAcks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(n int, s *peerStream) error {
			if n <= 3 {
				return s.takeAll()
			}
			return s.ackAll()
		}}).listen(t)
		w, d := work(t, p, Config{})
		put(t, w, 1, "a")
		begin := time.Now()
		time.Sleep(DefaultAckTimeout - 1)
		require.EqualValues(t, 1, w.Stats().StreamsOpened)
		flush(t, w)
		require.Equal(t, []int64{1}, d.all())
		// Three timeouts, and waits of 1, 2 and 4 s ±20 %.
		require.InDelta(t, 3*DefaultAckTimeout+7*time.Second, time.Since(begin), float64(7*time.Second)/5)
		s := w.Stats()
		require.Equal(t, fault.Stall, s.LastErrorClass)
		require.EqualValues(t, 3, s.StreamErrors)
		require.EqualValues(t, 3, s.BatchesReplayed)
	})
}

// deafConn swallows what is written to it from some point on, like a path that
// lost its packets.
type deafConn struct {
	net.Conn

	deaf *atomic.Bool
}

func (c deafConn) Write(p []byte) (int, error) {
	if c.deaf.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func TestF10HalfOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		var deaf atomic.Bool
		w, _ := workWith(t, Config{}, Deps{Dial: func(ctx context.Context, address string) (net.Conn, error) {
			c, err := p.dial(ctx, address)
			return deafConn{c, &deaf}, err
		}})
		put(t, w, 1, "a")
		flush(t, w)
		deaf.Store(true)
		time.Sleep(DefaultKeepaliveTime + DefaultKeepaliveTimeout + time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, w.Stats().StreamErrors)
		deaf.Store(false)
		put(t, w, 2, "b")
		flush(t, w)
		require.Equal(t, []string{"1 a", "2 b"}, p.received())
	})
}

// TestF12MaxAge: a GOAWAY with grace is a rotation, without error or duplicate.
func TestF12MaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{options: []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: 3 * time.Second, MaxConnectionAgeGrace: 4 * time.Second,
		})}}).listen(t)
		w, d := work(t, p, Config{})
		for i := range 100 {
			put(t, w, i, fmt.Sprintf("m%d", i))
			time.Sleep(100 * time.Millisecond)
		}
		flush(t, w)
		require.Len(t, d.all(), 100)
		require.Len(t, p.received(), 100, "no duplicates")
		s := w.Stats()
		require.Zero(t, s.StreamErrors, s.LastError)
		require.GreaterOrEqual(t, s.Rotations[CauseGoAway], uint64(2))
	})
}

// TestF13TooManyPings: a receiving side that allows no ping within 5 min ends
// the connection; the interval doubles until it is content.
func TestF13TooManyPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		strict := keepalive.EnforcementPolicy{MinTime: 5 * time.Minute}
		p := (&peer{options: []grpc.ServerOption{grpc.KeepaliveEnforcementPolicy(strict)}}).listen(t)
		w, _ := work(t, p, Config{Lifetime: 24 * time.Hour})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		opened := w.Stats().StreamsOpened
		require.LessOrEqual(t, opened, uint64(8), "30 s, then 1, 2, 4 and 8 min")
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		require.Equal(t, opened, w.Stats().StreamsOpened)
		require.Equal(t, StateActive, w.Stats().State)
	})
}

func TestRefusedKeyIsProbedSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(n int, s *peerStream) error {
			if n <= 10 {
				return status.Error(codes.Unauthenticated, "unknown key")
			}
			return s.ackAll()
		}}).listen(t)
		w, d := work(t, p, Config{})
		put(t, w, 1, "a")
		begin := time.Now()
		synctest.Wait()
		s := w.Stats()
		require.Equal(t, StateBackoff, s.State)
		require.Equal(t, fault.Credentials, s.LastErrorClass)
		require.Contains(t, s.Sentence, "correct api_key")
		require.True(t, s.Suspended)
		require.InDelta(t, DefaultRefusedRetry, s.RetryAt.Sub(begin), float64(DefaultRefusedRetry/5))
		flush(t, w)
		require.Equal(t, []int64{1}, d.all())
		require.InDelta(t, 10*DefaultRefusedRetry, time.Since(begin), float64(2*DefaultRefusedRetry))
	})
}

// TestF21PlannedClose: OK trailers while idle lead to a new stream at once.
func TestF21PlannedClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(n int, s *peerStream) error {
			if n > 1 {
				return s.ackAll()
			}
			if err := s.takeAck(); err != nil {
				return err
			}
			time.Sleep(5 * time.Second)
			return nil
		}}).listen(t)
		w, _ := work(t, p, Config{})
		put(t, w, 1, "a")
		time.Sleep(5*time.Second + 2*plannedDelay)
		synctest.Wait()
		s := w.Stats()
		require.Equal(t, StateActive, s.State)
		require.EqualValues(t, 2, s.StreamsOpened)
		require.Zero(t, s.StreamErrors)
		require.Equal(t, Ends{fault.Planned: 1}, s.Ends)
		require.Empty(t, s.LastError)
		require.Equal(t, []uint32{0}, p.ids(2))
	})
}

// TestF24NoHTTP2: a connection that is accepted and stays silent is given up.
func TestF24NoHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(context.Context, string) (net.Conn, error) {
			c, other := net.Pipe()
			go func() {
				buf := make([]byte, 1024)
				for {
					if _, err := other.Read(buf); err != nil {
						return
					}
				}
			}()
			return c, nil
		}
		w, _ := workWith(t, Config{}, Deps{Dial: silent})
		time.Sleep(DefaultOpenTimeout)
		synctest.Wait()
		require.Equal(t, StateBackoff, w.Stats().State)
		require.NotEmpty(t, w.Stats().LastError)
	})
}

// TestSlowRegistry: a slow OnDurable holds nothing up and loses nothing.
func TestSlowRegistry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		var (
			calls int
			last  int64
		)
		gate := make(chan struct{})
		w, err := New(Config{Endpoints: []Endpoint{{Address: "peer"}}}, Deps{Dial: p.dial, Codecs: []Codec{wordCodec{}}, OnDurable: func(_ uint64, origins []record.Origin) {
			<-gate
			calls++
			for _, o := range origins {
				if o.End < last {
					t.Errorf("offset %d after %d", o.End, last)
				}
				last = o.End
			}
		}})
		require.NoError(t, err)
		require.NoError(t, w.Start(t.Context()))
		const n = 3 * maxQueuedReleases
		for i := range n {
			put(t, w, i+1, "same")
		}
		synctest.Wait()
		require.EqualValues(t, n, w.Stats().BatchesAcked)
		close(gate)
		require.NoError(t, w.Stop(within(t, time.Second)))
		require.EqualValues(t, n, last)
		require.LessOrEqual(t, calls, 2*maxQueuedReleases, "what was queued beyond the bound was merged")
	})
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	at := []Endpoint{{Address: "a:1"}}
	for want, cfg := range map[string]Config{
		"no endpoint":          {},
		"no address":           {Endpoints: []Endpoint{{}}},
		"API key":              {Endpoints: []Endpoint{{Address: "127.0.0.1:1"}}, APIKey: "k\n"},
		"user agent":           {Endpoints: at, UserAgent: "é"},
		"header x-team":        {Endpoints: at, Headers: map[string]string{"x-team": "\n"}},
		"negative bound":       {Endpoints: at, MaxInflightBytes: -1},
		"negative duration":    {Endpoints: at, Lifetime: -1},
		"the shortest backoff": {Endpoints: at, BackoffMin: time.Hour},
		"the proxy is not a URL like http://host:port":        {Endpoints: at, Proxy: "socks5://u:secret@p:1"},
		"would send the API key unencrypted to far.example:1": {Endpoints: []Endpoint{{Address: "localhost:1"}, {Address: "far.example:1"}}, APIKey: "k"},
	} {
		_, err := New(cfg, Deps{})
		require.ErrorContains(t, err, want)
	}
}
