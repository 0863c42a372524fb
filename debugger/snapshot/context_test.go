package snapshot

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestDecimalAgreesWithBig holds ids of traces and spans to another
// implementation.
func TestDecimalAgreesWithBig(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := make([]byte, rapid.SampledFrom([]int{8, 16}).Draw(t, "size"))
		copy(id[rapid.IntRange(0, len(id)).Draw(t, "zeros"):], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		require.Equal(t, new(big.Int).SetBytes(id).String(), string(appendDecimal(nil, id)))
	})
}
