package stream

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestF30SecondaryDown: the second receiver is away for an hour; the first one does
// not notice, and what did not fit is counted.
func TestF30SecondaryDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := (&peer{}).listen(t), (&peer{}).listen(t)
		var away atomic.Bool
		away.Store(true)
		w, d := work(t, first, Config{})
		one := Config{Endpoints: []Endpoint{{Address: "second", KeyInClear: true}}, MaxInflightBytes: 1}
		bound := 10 * (recordBytes + 100)
		s, err := NewSecondary(one, Deps{Codecs: []Codec{wordCodec{}}, Dial: func(ctx context.Context, a string) (net.Conn, error) {
			if away.Load() {
				return nil, errors.New("away")
			}
			return second.dial(ctx, a)
		}}, bound)
		require.NoError(t, err)
		require.NoError(t, s.Start(t.Context()))
		const n = 3600
		for i := range n {
			recs := words(i+1, strings.Repeat("x", 100))
			begin := time.Now()
			s.Offer(recs)
			require.NoError(t, w.Append(t.Context(), recs))
			synctest.Wait()
			require.Zero(t, time.Since(begin), "nobody waits")
			require.Len(t, d.all(), i+1)
			time.Sleep(time.Second)
		}
		st := s.Stats()
		require.LessOrEqual(t, st.QueuedBytes, bound)
		require.Equal(t, 10, st.QueuedBatches)
		held := uint64(st.QueuedBatches + st.Stream.InflightBatches + 1) // one is on its way between the two
		require.Equal(t, n-held, st.DroppedBatches)
		require.Equal(t, (n-held)*100, st.DroppedBytes)
		away.Store(false)
		require.NoError(t, s.Stop(within(t, time.Hour)))
		require.Len(t, second.received(), int(held), "the oldest were dropped, the rest is sent")
		require.Contains(t, second.received()[held-1], "3600 xxx")
		require.Equal(t, []string{"true"}, second.heads[0].Get("dd-shadow-only"))
		require.Empty(t, first.heads[0].Get("dd-shadow-only"))
		s.Offer(words(1, "late"))
		require.Equal(t, n-held+1, s.Stats().DroppedBatches)
		require.NoError(t, s.Stop(t.Context()), "twice")
	})
}

// TestF31ThinUplink: for a while there is five times as much to send as fits
// through. The first receiver holds its source back, the second one drops the
// oldest; both stay within their bounds, and every line is accounted for.
func TestF31ThinUplink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const (
			line   = 200_000
			uplink = 1_000_000
			lasts  = 15 * time.Second
			most   = DefaultMaxInflightBytes + line + recordBytes
		)
		message := strings.Repeat("x", line)
		thin := func(_ int, s *peerStream) error {
			for {
				time.Sleep(time.Second * line / uplink)
				if err := s.takeAck(); err != nil {
					return err
				}
			}
		}
		first, second := (&peer{script: thin}).listen(t), (&peer{script: thin}).listen(t)
		w, _ := work(t, first, Config{})
		s, err := NewSecondary(Config{Endpoints: []Endpoint{{Address: "second", KeyInClear: true}}}, Deps{Codecs: []Codec{wordCodec{}}, Dial: second.dial}, 0)
		require.NoError(t, err)
		require.NoError(t, s.Start(t.Context()))
		var taken atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		var source sync.WaitGroup
		source.Go(func() {
			for w.Append(ctx, words(int(taken.Load())+1, message)) == nil {
				taken.Add(1)
				time.Sleep(time.Second * line / (5 * uplink))
			}
		})
		offered := 0
		for begin := time.Now(); time.Since(begin) < lasts; time.Sleep(time.Second * line / (5 * uplink)) {
			offered++
			s.Offer(words(offered, message))
			require.LessOrEqual(t, w.Stats().InflightBytes, most)
			st := s.Stats()
			require.LessOrEqual(t, st.QueuedBytes, DefaultSecondaryBytes)
			require.LessOrEqual(t, st.Stream.InflightBytes, most)
		}
		cancel()
		source.Wait()
		require.InDelta(t, lasts.Seconds()*uplink, taken.Load()*line, float64(most), "as fast as it can be sent")
		flush(t, w)
		require.Len(t, first.received(), int(taken.Load()))
		require.NoError(t, s.Stop(within(t, time.Hour)))
		st := s.Stats()
		require.Greater(t, st.DroppedLines, uint64(offered/4))
		require.Equal(t, offered, int(st.DroppedLines)+len(second.received()))
		require.Zero(t, w.Stats().StreamErrors+st.Stream.StreamErrors)
	})
}

func TestSecondaryThatIsNotStarted(t *testing.T) {
	t.Parallel()
	s, err := NewSecondary(Config{Endpoints: []Endpoint{{Address: "localhost:1"}}}, Deps{}, 0)
	require.NoError(t, err)
	s.Offer(words(1, "a"))
	s.Offer(words(1, strings.Repeat("x", DefaultSecondaryBytes)))
	require.EqualValues(t, 1, s.Stats().DroppedLines, "too large for any queue")
	require.NoError(t, s.Stop(t.Context()))
	require.EqualValues(t, 2, s.Stats().DroppedLines)
	_, err = NewSecondary(Config{}, Deps{}, -1)
	require.ErrorContains(t, err, "negative")
}
