package heartbeat_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

// skewed is a pair of clocks whose wall clock can be stepped.
type skewed struct {
	mu   sync.Mutex
	skew time.Duration
}

func (s *skewed) step(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew += d
}

func (s *skewed) now() clock.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := clock.Now()
	r.Wall = r.Wall.Add(s.skew)
	return r
}

func TestCase23FreezeIsNoticedAndNotBilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec, clocks, out := &recorder{}, &skewed{}, &logs{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Seconds: rec, Clock: clocks.now, Log: out.logger()})
		// A freeze during which the monotonic clock stands still.
		time.Sleep(2 * time.Minute)
		clocks.step(6 * time.Hour)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		require.Len(t, rec.of("gauge"), 2)
		require.Equal(t, []float64{300}, rec.seconds())
		require.Equal(t, uint64(1), b.Stats().Freezes)
		require.Equal(t, 1, out.lines("gap=6h0m0s"))

		// A freeze during which it goes on: the tick comes late.
		release := make(chan struct{})
		go heartbeat.Occupy(b, release)
		time.Sleep(6 * time.Hour)
		close(release)
		synctest.Wait()
		require.Len(t, rec.of("gauge"), 3, "one sample soon after the wake")
		require.Equal(t, []float64{300, 300}, rec.seconds())
		require.Equal(t, uint64(2), b.Stats().Freezes)
		require.Zero(t, b.Stats().Resyncs)
	})
}

func TestAFreezeIsNotBilledWhateverComesBeforeTheLateTick(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]func(*heartbeat.Beat){
		"a sample out of turn": (*heartbeat.Beat).Now,
		"a stop":               func(b *heartbeat.Beat) { b.Halt() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				b := counting(t, rec)
				time.Sleep(2 * time.Minute)
				release := make(chan struct{})
				go heartbeat.Occupy(b, release)
				synctest.Wait()
				go command(b) // is there when the machine wakes, like the tick
				time.Sleep(6 * time.Hour)
				close(release)
				synctest.Wait()
				require.Equal(t, []float64{300}, rec.seconds())
				require.Equal(t, uint64(1), b.Stats().Freezes)
			})
		})
	}
}

func TestAnnouncedSuspendIsNoFreeze(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec, clocks := &recorder{}, &skewed{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Clock: clocks.now})
		require.NoError(t, b.Stop(t.Context()))
		clocks.step(time.Hour)
		b.Start()
		synctest.Wait()
		require.Equal(t, 2, rec.count())
		require.Zero(t, b.Stats().Freezes)
	})
}

func TestCase24WallClockSteps(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]time.Duration{"an hour back": -time.Hour, "a day ahead": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rec, clocks := &recorder{}, &skewed{}
				begin := time.Now()
				b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Seconds: rec, Clock: clocks.now})
				time.Sleep(time.Minute)
				require.NoError(t, b.Stop(t.Context()))
				clocks.step(step)
				b.Start()
				synctest.Wait()
				delay := time.Duration(0)
				if step < 0 {
					require.Len(t, rec.of("gauge"), 1, "the clock is not to be trusted yet")
					delay = heartbeat.ResyncPatience
					time.Sleep(delay)
					synctest.Wait()
				}
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				var at []time.Duration
				for _, s := range rec.of("gauge") {
					at = append(at, s.At.Sub(begin))
				}
				resumed := time.Minute + delay
				require.Equal(t, []time.Duration{0, resumed, resumed + 5*time.Minute, resumed + 10*time.Minute}, at, "the cadence is as ever")
				var sum float64
				for _, s := range rec.seconds() {
					require.Positive(t, s)
					sum += s
				}
				require.InDelta(t, (11*time.Minute + delay).Seconds(), sum, 0)
			})
		})
	}
}

func TestSampleWaitsForAnHonestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec, clocks := &recorder{}, &skewed{}
		b := started(t, heartbeat.Config{NotBefore: time.Now().Add(time.Hour)}, heartbeat.Deps{Metrics: rec, Clock: clocks.now})
		require.Zero(t, rec.count(), "it is earlier than the build")
		time.Sleep(time.Second)
		b.Now()
		clocks.step(2 * time.Hour) // the guest has resynchronised
		time.Sleep(250 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 1, rec.count())
		require.Equal(t, uint64(1), b.Stats().Resyncs)
		time.Sleep(5*time.Minute - 1)
		synctest.Wait()
		require.Equal(t, 1, rec.count())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 2, rec.count())
	})
}

func TestStopSendsTheSampleThatWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := started(t, heartbeat.Config{NotBefore: time.Now().Add(time.Hour)}, heartbeat.Deps{Metrics: rec})
		require.Zero(t, rec.count())
		require.NoError(t, b.Stop(t.Context()))
		require.Equal(t, 1, rec.count(), "a start is always counted")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 1, rec.count())
	})
}
