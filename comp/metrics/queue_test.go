package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/metrics/series"
)

// payload is one of about a megabyte whose samples tell it apart.
func payload(t *testing.T, samples int, at int64) series.Payload {
	t.Helper()
	payloads, oversize := series.Payloads([]series.Point{{
		Metric: "m", Kind: series.Gauge, Time: at, Tags: []string{strings.Repeat("x", 1<<20)}, Samples: samples,
	}})
	require.Zero(t, oversize)
	return payloads[0]
}

func TestQueueDropsTheOldest(t *testing.T) {
	t.Parallel()
	var l ledger
	q := newQueue(&l)
	now := time.Now()
	for i := range 10 { // seven of a little over a megabyte fit
		q.push(payload(t, 1<<i, now.Unix()))
	}
	require.EqualValues(t, 1+2+4, l.dropped[dropQueue].Load())
	require.LessOrEqual(t, q.size, maxQueue)

	p, ok := q.take(now)
	require.True(t, ok)
	require.Equal(t, 8, p.Samples)
	q.push(payload(t, 1<<10, now.Unix()))
	q.done(p, p.Payload) // back to the front, where there is no room any more
	require.EqualValues(t, 1+2+4+8, l.dropped[dropQueue].Load())
	p, _ = q.take(now)
	require.Equal(t, 16, p.Samples)
	q.done(p)

	q.dropAll(dropStopped)
	require.EqualValues(t, 32+64+128+256+512+1024, l.dropped[dropStopped].Load())
	require.Zero(t, q.size)
	require.True(t, q.empty())
	_, busy := q.busy()
	require.False(t, busy)
}

func TestQueueDropsWhatIsTooOld(t *testing.T) {
	t.Parallel()
	var l ledger
	q := newQueue(&l)
	now := time.Unix(1_000_000, 0)
	q.push(payload(t, 1, now.Unix()-3601), payload(t, 2, now.Unix()-3600))
	p, ok := q.take(now)
	require.True(t, ok)
	require.Equal(t, 2, p.Samples)
	require.EqualValues(t, 1, l.dropped[dropExpired].Load())
	changed, busy := q.busy()
	require.True(t, busy)
	q.dropAll(dropSnapshot)
	q.done(p, p.Payload) // it was on its way when everything was dropped
	require.EqualValues(t, 2, l.dropped[dropSnapshot].Load())
	require.True(t, q.empty())
	<-changed
}
