package stream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/connectivity"
)

// stateConn is the part of a connection that says what state it is in.
type stateConn struct{ state, changes chan connectivity.State }

func newStateConn(state connectivity.State) *stateConn {
	c := &stateConn{state: make(chan connectivity.State, 1), changes: make(chan connectivity.State)}
	c.state <- state
	return c
}

func (c *stateConn) GetState() connectivity.State {
	s := <-c.state
	c.state <- s
	return s
}

func (c *stateConn) WaitForStateChange(ctx context.Context, from connectivity.State) bool {
	if c.GetState() != from {
		return true
	}
	select {
	case s := <-c.changes:
		<-c.state
		c.state <- s
		return true
	case <-ctx.Done():
		return false
	}
}

// TestToldToGo: a stream can open before its connection is known to be READY,
// which is not a wish to see it end.
func TestToldToGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLink(t.Context(), nil, effect{gen: 1})
		conn := newStateConn(connectivity.Connecting)
		told := make(chan bool, 1)
		go func() { told <- l.toldToGo(conn) }()
		synctest.Wait()
		<-conn.state
		conn.state <- connectivity.Ready
		time.Sleep(time.Hour)
		require.Empty(t, told)
		conn.changes <- connectivity.Idle
		time.Sleep(goAwayGrace / 2)
		require.Empty(t, told)
		time.Sleep(goAwayGrace)
		require.True(t, <-told)

		go func() { told <- l.toldToGo(newStateConn(connectivity.Ready)) }()
		time.Sleep(time.Hour)
		l.cancel()
		require.False(t, <-told)
	})
}
