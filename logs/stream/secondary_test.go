package stream

import (
	"context"
	"errors"
	"net"
	"strings"
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
