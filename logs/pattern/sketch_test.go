package pattern

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSketchScores(t *testing.T) {
	t.Parallel()
	var s Sketch
	see := func(hash, batch uint64) int {
		score, _, _ := s.See(hash, batch)
		return score
	}
	const a, b = 1<<32 | 5, 2<<32 | 5 // the same slot
	require.Equal(t, 8, see(a, 1))
	require.Equal(t, 9, see(a, 1))
	require.Equal(t, 17, see(a, 2))
	require.Equal(t, 25, see(a, 3))
	require.Equal(t, 0, see(b, 3), "what returns is not pushed out at once")
	require.Equal(t, 32, see(a, 4))
	for range 24 {
		require.Equal(t, 0, see(b, 5))
	}
	require.Equal(t, 8, see(b, 5), "but in the end")
	require.Equal(t, 8, see(a, 5), "one sighting is no hold on a slot")
	for range 300 {
		require.LessOrEqual(t, see(a, 5), ScoreReturns+scoreBatch, "scores do not overflow")
	}
}

// A string that is in every batch is admitted even when everything around it is
// new each time.
func TestSketchUnderNoise(t *testing.T) {
	t.Parallel()
	var s Sketch
	rnd := rand.New(rand.NewPCG(20, 7))
	admitted := 0
	for batch := range uint64(20) {
		if score, _, _ := s.See(0x1234_5678_9abc_def0, batch); score >= ScoreReturns {
			admitted++
		}
		for range 500 {
			score, _, _ := s.See(rnd.Uint64(), batch)
			require.Less(t, score, ScoreReturns)
		}
	}
	require.Greater(t, admitted, 10)
}
