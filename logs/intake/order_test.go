package intake

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQ7IDsDoNotWrap: a snapshot cannot come in the middle of a stream.
func TestQ7IDsDoNotWrap(t *testing.T) {
	t.Parallel()
	o := order{started: true, next: maxBatchID}
	require.NoError(t, o.check(maxBatchID))
	require.ErrorContains(t, o.check(maxBatchID+1), "ids end with 2147483648: open another stream before")
	o = order{started: true, next: 1<<32 - 1}
	require.Error(t, o.check(1<<32-1))
	require.Error(t, o.check(0))
}
