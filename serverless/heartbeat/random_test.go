package heartbeat_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

// stalling is an emitter that at times does not return for a while, longer than a
// Stop waits for it.
func stalling(stalls *atomic.Int64) func() error {
	return func() error {
		switch rand.IntN(8) {
		case 0:
			stalls.Add(1)
			time.Sleep(time.Duration(rand.Int64N(int64(3 * heartbeat.StopTimeout))))
		case 1:
			return errors.New("refused")
		}
		return nil
	}
}

// Ten thousand random starts, stops and stalls from eight goroutines: two loops
// would emit at the same time, and a Stop never takes longer than its timeout.
// Every other round the goroutines take turns, so that there is a last call, and
// the end state must be what it asked for.
func TestCase07RandomStartStopFromEightGoroutines(t *testing.T) {
	t.Parallel()
	const goroutines, rounds, steps = 8, 10, 10_000
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		var stalls, stuck, slow atomic.Int64
		rec.setBefore(stalling(&stalls))
		b := heartbeat.New(heartbeat.Config{Interval: time.Second}, heartbeat.Deps{Metrics: rec})
		b.SetID("vm-1")
		for round := range rounds {
			ordered := round%2 == 1
			var turn sync.Mutex
			var last bool
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					for range steps / rounds / goroutines {
						start := rand.IntN(2) == 0
						var drain heartbeat.Drain
						if ordered {
							turn.Lock()
						}
						if start {
							b.Start()
						} else {
							drain = b.Halt()
						}
						if ordered {
							last = start
							turn.Unlock()
						}
						begin := time.Now()
						if drain.Wait(t.Context()) != nil {
							stuck.Add(1)
						}
						if time.Since(begin) > heartbeat.StopTimeout {
							slow.Add(1)
						}
						time.Sleep(time.Duration(rand.Int64N(int64(200 * time.Millisecond))))
					}
				})
			}
			wg.Wait()
			if ordered {
				require.Equal(t, heartbeat.Wanted(b), last, "the last call wins")
			}
		}
		require.Zero(t, slow.Load())
		require.Positive(t, stalls.Load())
		require.Positive(t, stuck.Load(), "the walk has met emitters that outlast a Stop")

		_ = b.Stop(t.Context())
		time.Sleep(3 * heartbeat.StopTimeout) // what was stuck has landed
		silent := rec.count()
		time.Sleep(time.Hour)
		require.Equal(t, silent, rec.count(), "zero loops")
		rec.setBefore(nil)
		b.Start()
		time.Sleep(10*time.Second + time.Millisecond)
		require.Equal(t, silent+11, rec.count(), "one loop")
		require.NoError(t, b.Close(t.Context()))
		require.Equal(t, 1, rec.together, "two loops emitted at once")
		for _, s := range rec.all() {
			require.Equal(t, []string{"microvm_id:vm-1", "lambda_microvm_id:vm-1"}, s.Tags)
		}
	})
}
