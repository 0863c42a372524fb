package intake

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// TestTheLeastRecentlyUsedSessionIsForgotten: those with a stream and those that
// were used last keep their place, so what they send again is still known.
func TestTheLeastRecentlyUsedSessionIsForgotten(t *testing.T) {
	t.Parallel()
	sink := sinkFunc(func([]journal.Line) error { return nil })
	s := newSessions(sink, 3)
	use := func(id string) *handler {
		h := &handler{claim: claim{id, 1, 1}}
		h.session = s.join(id)
		_, err := h.session.take(h, 1, nil, func(error) {})
		require.NoError(t, err)
		return h
	}
	held := use("held")
	for i := range 5 {
		s.leave(use(fmt.Sprint(i)))
	}
	known := func() (out []string) {
		for _, id := range []string{"held", "0", "1", "2", "3", "4", "5"} {
			if s.byID[id] != nil {
				out = append(out, id)
			}
		}
		return out
	}
	require.Equal(t, []string{"held", "3", "4"}, known())
	again := &handler{claim: claim{"3", 2, 2}}
	again.session = s.join("3")
	s.leave(again)
	s.leave(use("5"))
	require.Equal(t, []string{"held", "3", "5"}, known(), "3 was used after 4")
	s.leave(held)
	require.Equal(t, 3, s.count())
	require.Equal(t, 3, s.idle.Len())
}
