package registry

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFingerprintMatchesWhatHasOnlyGrown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 2*FingerprintSize).Draw(t, "text")
		more := rapid.SliceOfN(rapid.Byte(), 0, FingerprintSize).Draw(t, "more")
		print := FingerprintOf(text)
		require.Equal(t, min(len(text), FingerprintSize), print.Size)
		require.True(t, print.Matches(append(slices.Clip(text), more...)))
		if print.Size > 0 {
			require.False(t, print.Matches(text[:print.Size-1]))
			changed := append([]byte{}, text...)
			changed[rapid.IntRange(0, print.Size-1).Draw(t, "at")]++
			require.False(t, print.Matches(changed))
		}
	})
}

func TestFingerprintOfNonsenseMatchesNothing(t *testing.T) {
	t.Parallel()
	require.False(t, Fingerprint{Size: -1}.Matches(nil))
	require.False(t, Fingerprint{Size: 1000}.Matches(make([]byte, 2000)))
}
