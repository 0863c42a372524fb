package series

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func at(second int64) time.Time { return time.Unix(second, 999_999_999) }

func TestAggregation(t *testing.T) {
	t.Parallel()
	a := NewAggregate(DefaultLimits(), []string{"env:dev", "b:1"}, "web-1")
	add := func(second int64, scope Scope, kind Kind, name string, value float64, tags ...string) {
		t.Helper()
		require.NoError(t, a.Add(at(second), scope, kind, name, value, tags))
	}
	add(100, Tagged, Gauge, "g", 1, "z:1", "a:1")
	add(109, Tagged, Gauge, "g", 2, "a:1", "z:1", "a:1", "env:dev") // order and repetition do not matter
	add(109, Bare, Gauge, "g", 3, "a:1", "z:1")
	add(109, Tagged, Count, "g", 4, "a:1", "z:1") // another type is another series
	add(110, Tagged, Gauge, "g", 5, "z:1", "a:1") // another bucket
	add(101, Bare, Count, "c", 1)
	add(102, Bare, Count, "c", -3)
	add(103, Bare, Distribution, "d", 2)
	add(104, Bare, Distribution, "d", 1)
	add(105, Bare, Distribution, "d", 1, "")
	tags := []string{"a:1", "b:1", "env:dev", "z:1"}
	closed := []Point{
		{Metric: "g", Kind: Gauge, Time: 100, Value: 2, Tags: tags, Host: "web-1", Samples: 2},
		{Metric: "g", Kind: Gauge, Time: 100, Value: 3, Tags: []string{"a:1", "z:1"}, Samples: 1},
		{Metric: "g", Kind: Count, Time: 100, Value: 4, Tags: tags, Host: "web-1", Samples: 1},
		{Metric: "c", Kind: Count, Time: 100, Value: -2, Tags: []string{}, Samples: 2},
		{Metric: "d", Kind: Distribution, Time: 100, Values: []float64{2, 1}, Tags: []string{}, Samples: 2},
		{Metric: "d", Kind: Distribution, Time: 100, Values: []float64{1}, Tags: []string{""}, Samples: 1},
	}
	require.Nil(t, a.TakeClosed(at(109)))
	require.Equal(t, closed, a.TakeClosed(at(110)))
	require.Equal(t, 1, a.Len())
	add(111, Tagged, Gauge, "g", 6, "z:1", "a:1") // finds the point that stayed
	require.Equal(t, []Point{{Metric: "g", Kind: Gauge, Time: 110, Value: 6, Tags: tags, Host: "web-1", Samples: 2}}, a.TakeAll(at(111)))
	require.Empty(t, a.TakeAll(at(111)))
}

// The caller's slice is its own again after Add.
func TestTagsAreCopied(t *testing.T) {
	t.Parallel()
	a := NewAggregate(DefaultLimits(), nil, "")
	tags := []string{"b:1", "a:1"}
	require.NoError(t, a.Add(at(100), Tagged, Gauge, "g", 1, tags))
	require.Equal(t, []string{"b:1", "a:1"}, tags)
	tags[0], tags[1] = "x", "x"
	require.Equal(t, []string{"a:1", "b:1"}, a.TakeAll(at(100))[0].Tags)
}

func TestRefusedValues(t *testing.T) {
	t.Parallel()
	a := NewAggregate(DefaultLimits(), nil, "")
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.ErrorIs(t, a.Add(at(100), Bare, Gauge, "g", value, nil), ErrInvalid)
	}
	require.ErrorIs(t, a.Add(at(100), Bare, Gauge, "", 1, nil), ErrInvalid)
	require.Zero(t, a.Len())
}

func TestLimits(t *testing.T) {
	t.Parallel()
	a := NewAggregate(Limits{Contexts: 3, Values: 2, Total: 3}, nil, "")
	add := func(kind Kind, name string) error { return a.Add(at(100), Bare, kind, name, 1, nil) }
	require.NoError(t, add(Distribution, "d"))
	require.NoError(t, add(Distribution, "d"))
	require.ErrorIs(t, add(Distribution, "d"), ErrFull, "values of one distribution")
	require.NoError(t, add(Distribution, "e"))
	require.ErrorIs(t, add(Distribution, "e"), ErrFull, "values of all distributions")
	require.ErrorIs(t, add(Distribution, "f"), ErrFull, "no empty point is made")
	require.NoError(t, add(Gauge, "g"))
	require.ErrorIs(t, add(Gauge, "h"), ErrFull, "contexts")
	require.NoError(t, add(Gauge, "g"), "a known context still works")
	require.Len(t, a.TakeAll(at(100)), 3)
	require.NoError(t, add(Distribution, "d"), "room again")
}

// A separator inside a name or a tag does not merge two contexts.
func TestContextsStayApart(t *testing.T) {
	t.Parallel()
	a := NewAggregate(DefaultLimits(), nil, "")
	for _, c := range [][]string{{"m"}, {"m", ""}, {"m", "a", "b"}, {"m", "ab"}, {"ma", "b"}, {"m", "a,b"}, {"m\x00a"}} {
		require.NoError(t, a.Add(at(100), Bare, Gauge, c[0], 1, c[1:]))
	}
	require.Equal(t, 7, a.Len())
}

// TestTakesLoseNothing: whenever points are taken, and however the clock is set
// back by less than a minute, every value is in exactly one point, and no
// context has two points with the same timestamp, of which the API would keep
// one.
func TestTakesLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		a := NewAggregate(Limits{Contexts: 1 << 20, Values: 1 << 20, Total: 1 << 20}, nil, "h")
		now, added, sum, samples := int64(1_000_000), 0, 0.0, 0
		newest := now
		seen := map[string]bool{}
		take := func(points []Point) {
			for _, p := range points {
				samples += p.Samples
				sum += p.Value
				id := fmt.Sprint(p.Metric, p.Time)
				require.False(rt, seen[id], "two points of %s", id)
				seen[id] = true
				require.Less(rt, p.Time-now, int64(ahead+2)+interval)
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				now = max(now+rapid.Int64Range(-30, 50).Draw(rt, "seconds"), newest-25)
				newest = max(newest, now)
			case 1:
				take(a.TakeClosed(at(now)))
			case 2:
				take(a.TakeAll(at(now)))
			default:
				name := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "name")
				require.NoError(rt, a.Add(at(now), Tagged, Count, name, 1, nil))
				added++
			}
		}
		take(a.TakeAll(at(now)))
		require.Equal(rt, added, samples)
		require.Equal(rt, float64(added), sum) //nolint:testifylint // small integers
	})
}

func TestConcurrentAdds(t *testing.T) {
	t.Parallel()
	a := NewAggregate(DefaultLimits(), []string{"env:dev"}, "h")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 1000 {
				if err := a.Add(at(100), Tagged, Count, "c", 1, []string{"a:1"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, 8000, a.TakeAll(at(100))[0].Samples)
}

func TestAddDoesNotAllocate(t *testing.T) {
	a := NewAggregate(DefaultLimits(), []string{"env:dev"}, "h")
	tags := []string{"microvm_id:x", "image:y"}
	now := at(100)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := a.Add(now, Tagged, Gauge, "g", 1, tags); err != nil {
			t.Error(err)
		}
	}))
}

func BenchmarkAdd(b *testing.B) {
	a := NewAggregate(DefaultLimits(), []string{"env:dev", "service:checkout", "version:1"}, "h")
	tags := []string{"microvm_id:0123456789", "microvm_image_arn:arn:aws:lambda:eu-west-1:1:image:x"}
	now := at(100)
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Add(now, Tagged, Gauge, "aws.lambda.enhanced.microvm.active_instances", 1, tags); err != nil {
			b.Fatal(err)
		}
	}
}
