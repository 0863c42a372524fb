package event

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUnreadIsAnOverlapOfRuns(t *testing.T) {
	t.Parallel()
	var e Event
	e.MarkUnread(8, 8)
	for name, c := range map[string]struct {
		offset, size uint32
		want         bool
	}{
		"before":        {0, 8, false},
		"after":         {16, 8, false},
		"exact":         {8, 8, true},
		"inside":        {12, 1, true},
		"around":        {0, 32, true},
		"touches start": {4, 5, true},
		"touches end":   {15, 4, true},
		"empty run":     {8, 0, false},
		"no wrap":       {0xffff_fff8, 0xffff_ffff, false},
	} {
		require.Equal(t, c.want, e.Unread(c.offset, c.size), name)
	}
}

func TestTimeAddsTheMonotonicClock(t *testing.T) {
	t.Parallel()
	zero := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := Event{Ktime: 1_500_000_000}
	require.Equal(t, zero.Add(1500*time.Millisecond), e.Time(zero))
}

func TestReasonNames(t *testing.T) {
	t.Parallel()
	var names []string
	for r := ReasonNone; r <= MaxReason+1; r++ {
		names = append(names, r.String())
	}
	require.Equal(t, []string{"none", "unavailable", "length", "collection", "too large", "pointers", "unknown"}, names)
}
