package series

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	var c clock
	require.EqualValues(t, 100, c.bucket(100))
	require.EqualValues(t, 100, c.bucket(109))
	require.EqualValues(t, 110, c.bucket(110))

	c.taken(112) // a flush in the middle of an interval
	require.EqualValues(t, 113, c.bucket(113))
	require.EqualValues(t, 113, c.bucket(119))
	c.taken(113) // and another in the same second
	require.EqualValues(t, 114, c.bucket(113))
	require.EqualValues(t, 120, c.bucket(120))

	c.taken(124)
	require.EqualValues(t, 125, c.bucket(65), "set back by a minute: timestamps still rise")
	require.EqualValues(t, 60, c.bucket(64), "set back by more: the clock is followed")
	require.EqualValues(t, 60, c.bucket(69), "for good")
}

func TestClosed(t *testing.T) {
	t.Parallel()
	require.False(t, closed(100, 100))
	require.False(t, closed(100, 109))
	require.True(t, closed(100, 110))
	require.False(t, closed(100, 40), "a clock that was set back a little")
	require.True(t, closed(101, 40), "a bucket that would never be over")
}
