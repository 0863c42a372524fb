package stream

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a worker is doing, Renew sends what is not acknowledged on a new stream
// in a session of its own.
func TestRenew(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	renew := func() string { return s.do((*core).renew) }
	require.Empty(t, renew(), "not started")
	s.start()
	require.Equal(t, "close 1 graceful=false\nopen 2\n", renew(), "connecting")
	require.Equal(t, "begin 2 rows s1/1 base=0 first=1\n", s.opened())
	s.append(words(1, "a")...)
	s.ack(1)
	s.append(words(2, "b")...)
	require.Equal(t, "close 2 graceful=false\nopen 3\n", renew(), "active")
	require.Equal(t, "begin 3 rows s2/1 base=1 first=1\nsend 3/0 def 1 a\nsend 3/1 def 2 b; log 2 2\n", s.opened())
	s.ended(errCut)
	require.Equal(t, "open 4\n", renew()+s.sleep(0), "no wait is left")
	s.opened()
	s.ack(1)
	require.Equal(t, uint64(2), s.core.stats.LinesAcked)
}
