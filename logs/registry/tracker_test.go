package registry

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Spans are committed in any order, each in steps of its own: the released
// offset is always the end of the longest durable beginning.
func TestTrackerReleasesTheDurableBeginning(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			tr       tracker
			starts   = []int64{0}
			durable  []int64 // per span, how far it is durable
			released int64
		)
		commit := func(span int, end int64) {
			durable[span] = max(durable[span], end)
			if offset, moved := tr.commit(end); moved {
				require.Greater(t, offset, released)
				released = offset
			}
			want := int64(0)
			for i := range durable {
				want = max(want, durable[i])
				if durable[i] < starts[i+1] {
					break
				}
			}
			require.Equal(t, want, released)
		}
		for range rapid.IntRange(1, 8).Draw(t, "spans") {
			end := starts[len(starts)-1] + rapid.Int64Range(1, 5).Draw(t, "length")
			tr.begin(end)
			tr.begin(end) // twice is once
			starts, durable = append(starts, end), append(durable, 0)
		}
		for range rapid.IntRange(0, 30).Draw(t, "commits") {
			span := rapid.IntRange(0, len(durable)-1).Draw(t, "span")
			commit(span, rapid.Int64Range(starts[span]+1, starts[span+1]).Draw(t, "end"))
		}
		for span := range durable {
			commit(span, starts[span+1])
		}
		require.True(t, tr.idle())
		_, moved := tr.commit(starts[len(starts)-1] + 1)
		require.False(t, moved)
	})
}

func BenchmarkTracker(b *testing.B) {
	var tr tracker
	end := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for range 16 {
			end += 100
			tr.begin(end)
		}
		for at := end - 1500; at <= end; at += 100 {
			tr.commit(at)
		}
	}
}
