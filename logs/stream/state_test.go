package stream

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// brokenSnapshots is wordCodec whose state cannot be put into a snapshot.
type brokenSnapshots struct{ wordCodec }

func (c brokenSnapshots) NewState(l Limits) (Encoder, Ledger, error) {
	enc, ledger, err := c.wordCodec.NewState(l)
	return enc, brokenLedger{ledger}, err
}

type brokenLedger struct{ Ledger }

func (brokenLedger) Snapshot() ([]byte, error) { return nil, errors.New("out of order") }

// TestSnapshotThatCannotBeMade: no payload goes out that relies on a state which
// the receiving side was not told.
func TestSnapshotThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, brokenSnapshots{})
	s.start()
	s.opened()
	s.append(words(1, "a")...)
	s.ack(1)
	s.append(words(2, "a")...)
	s.ended(errCut)
	s.sleep(time.Second)
	require.Equal(t, "begin 2 rows s1/2 base=0 first=2\nreset: out of order\nsend 2/1 def 1 a; log 2 1\n", s.opened())
}

// TestRotationMovesTheConnection: a stream has a connection of its own, so that a
// balancer places each one anew.
func TestRotationMovesTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		var dials atomic.Int64
		w, _ := workWith(t, Config{Lifetime: time.Minute}, Deps{Dial: func(ctx context.Context, address string) (net.Conn, error) {
			dials.Add(1)
			return p.dial(ctx, address)
		}})
		for i := range 3 {
			put(t, w, i, "a")
			flush(t, w)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
		}
		opened := w.Stats().StreamsOpened
		require.Greater(t, opened, uint64(3))
		require.EqualValues(t, opened, dials.Load())
	})
}
