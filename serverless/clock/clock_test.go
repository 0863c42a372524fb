package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestWatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		wall, mono time.Duration // since the first reading
		want       Change
	}{
		"in step":                     {5 * time.Minute, 5 * time.Minute, Change{}},
		"small drift":                 {5*time.Minute + Tolerance, 5 * time.Minute, Change{Gap: Tolerance}},
		"six hours frozen":            {6*time.Hour + time.Second, time.Second, Change{Gap: 6 * time.Hour, Frozen: true}},
		"set back a little":           {-time.Second, time.Second, Change{Gap: -2 * time.Second, Unsafe: true}},
		"set back an hour":            {-time.Hour, time.Minute, Change{Gap: -time.Hour - time.Minute, Frozen: true, Unsafe: true}},
		"set back, after a long wait": {time.Minute, time.Hour, Change{Gap: -59 * time.Minute, Frozen: true}},
		"a day ahead":                 {24 * time.Hour, 0, Change{Gap: 24 * time.Hour, Frozen: true}},
		"before the build":            {-48 * time.Hour, 0, Change{Gap: -48 * time.Hour, Frozen: true, Unsafe: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := Watch{NotBefore: t0.Add(-24 * time.Hour)}
			require.Equal(t, Change{}, w.Observe(Reading{Wall: t0, Mono: time.Hour}), "nothing to compare with")
			r := Reading{Wall: t0.Add(tt.wall), Mono: time.Hour + tt.mono}
			require.Equal(t, tt.want, w.Peek(r))
			require.Equal(t, tt.want, w.Observe(r), "a peek leaves no trace")
			require.Zero(t, w.Observe(r).Gap)
		})
	}
}

func TestFirstReadingBeforeTheBuildIsUnsafe(t *testing.T) {
	t.Parallel()
	w := Watch{NotBefore: t0}
	require.Equal(t, Change{Unsafe: true}, w.Observe(Reading{Wall: t0.Add(-1)}))
}

func TestGapsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var w Watch
		r := Reading{Wall: t0}
		w.Observe(r)
		first, sum := r, time.Duration(0)
		for range rapid.IntRange(1, 20).Draw(t, "readings") {
			r.Wall = r.Wall.Add(time.Duration(rapid.Int64Range(-1e13, 1e13).Draw(t, "wall")))
			r.Mono += time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "mono"))
			sum += w.Observe(r).Gap
		}
		require.Equal(t, r.Wall.Sub(first.Wall)-(r.Mono-first.Mono), sum)
	})
}

func TestNowIsOfThisMoment(t *testing.T) {
	t.Parallel()
	var w Watch
	w.Observe(Now())
	time.Sleep(time.Millisecond)
	r := Now()
	require.Greater(t, r.Mono, time.Millisecond)
	require.False(t, w.Observe(r).Frozen)
	require.WithinDuration(t, time.Now(), r.Wall, time.Minute)
	require.Equal(t, r.Wall, r.Wall.Round(0), "no monotonic part")
}
