package heartbeat_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

// started is a running heartbeat with an id, closed at the end of the bubble.
func started(t *testing.T, cfg heartbeat.Config, deps heartbeat.Deps) *heartbeat.Beat {
	t.Helper()
	b := heartbeat.New(cfg, deps)
	t.Cleanup(func() { _ = b.Close(t.Context()) })
	b.SetID("vm-1")
	b.Start()
	synctest.Wait()
	return b
}

func TestCase01FirstSampleNeedsNoTick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		begin := time.Now()
		started(t, heartbeat.Config{
			Interval: time.Hour,
			Tags:     []string{"account_id:1", "microvm_image_arn:arn"},
		}, heartbeat.Deps{Metrics: rec})
		require.Equal(t, []sample{{
			Kind: "gauge", Name: "aws.lambda.enhanced.microvm.active_instances", Value: 1, Rate: 1, At: begin,
			Tags: []string{"account_id:1", "microvm_image_arn:arn", "microvm_id:vm-1", "lambda_microvm_id:vm-1"},
		}}, rec.all())
	})
}

func TestDistributionIsSelectable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		started(t, heartbeat.Config{Kind: heartbeat.Distribution}, heartbeat.Deps{Metrics: rec})
		require.Equal(t, []sample{{
			Kind: "distribution", Name: heartbeat.Name, Value: 1, Rate: 1, At: time.Now(),
			Tags: []string{"microvm_id:vm-1", "lambda_microvm_id:vm-1"},
		}}, rec.all())
	})
}

func TestCase02CadenceIsExact(t *testing.T) {
	t.Parallel()
	for name, interval := range map[string]time.Duration{"default": 5 * time.Minute, "zero": 0, "negative": -time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{}
				begin := time.Now()
				b := started(t, heartbeat.Config{Interval: interval}, heartbeat.Deps{Metrics: rec})
				time.Sleep(15*time.Minute + 4*time.Minute + 59*time.Second)
				synctest.Wait()
				var offsets []time.Duration
				for _, s := range rec.all() {
					offsets = append(offsets, s.At.Sub(begin))
				}
				require.Equal(t, []time.Duration{0, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}, offsets)
				require.Equal(t, heartbeat.Stats{Sent: 4, Last: begin.Add(15 * time.Minute).Round(0)}, b.Stats())
			})
		})
	}
}

func TestJitterStaysWithinItsShareAndVaries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		started(t, heartbeat.Config{Jitter: heartbeat.DefaultJitter}, heartbeat.Deps{Metrics: rec})
		time.Sleep(8 * time.Hour) // the longest life of a machine
		synctest.Wait()
		samples := rec.all()
		require.InDelta(t, 97, len(samples), 6)
		gaps := map[time.Duration]bool{}
		for i := 1; i < len(samples); i++ {
			gap := samples[i].At.Sub(samples[i-1].At)
			require.InDelta(t, 5*time.Minute, gap, float64(15*time.Second))
			gaps[gap] = true
		}
		require.Greater(t, len(gaps), len(samples)/2, "jitter is drawn anew for each interval")
	})
}

func TestCase08NothingAfterACleanStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		require.NoError(t, b.Stop(t.Context()))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 1, rec.count())
	})
}

func TestStopThatWaitsBeatsTheTick(t *testing.T) {
	t.Parallel()
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			rec := &recorder{}
			b := started(t, heartbeat.Config{Interval: time.Minute}, heartbeat.Deps{Metrics: rec})
			// The owner is busy in a command until the very moment of the tick;
			// meanwhile a Stop queues up.
			release := make(chan struct{})
			go heartbeat.Occupy(b, release)
			synctest.Wait()
			go func() { _ = b.Stop(t.Context()) }()
			time.Sleep(time.Minute)
			synctest.Wait()
			close(release)
			synctest.Wait()
			require.Equal(t, 1, rec.count())
		})
	}
}

func TestCase22FiftySuspendResumeCycles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		for range 50 {
			time.Sleep(3 * time.Minute)
			require.NoError(t, b.Stop(t.Context()))
			time.Sleep(time.Minute)
			b.Start()
			synctest.Wait()
		}
		require.Equal(t, 51, rec.count(), "one sample per start, no tick in between")
		resumed := time.Now()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		samples := rec.all()
		require.Len(t, samples, 52)
		require.Equal(t, 5*time.Minute, samples[51].At.Sub(resumed), "the cadence counts from the last start")
	})
}

func TestCase23LongStandstillGivesNoBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		// Nothing of the heartbeat executes for six hours, as in a freeze.
		release := make(chan struct{})
		go heartbeat.Occupy(b, release)
		time.Sleep(6 * time.Hour)
		close(release)
		woken := time.Now()
		synctest.Wait()
		samples := rec.all()
		require.Len(t, samples, 2)
		require.Equal(t, woken, samples[1].At)
		time.Sleep(5*time.Minute - 1)
		synctest.Wait()
		require.Equal(t, 2, rec.count())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 3, rec.count())
	})
}

func TestNowRestartsTheCadence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		time.Sleep(4 * time.Minute)
		b.Now()
		synctest.Wait()
		require.Equal(t, 2, rec.count())
		time.Sleep(5*time.Minute - 1)
		synctest.Wait()
		require.Equal(t, 2, rec.count(), "the interval restarts")
		require.NoError(t, b.Stop(t.Context()))
		b.Now()
		synctest.Wait()
		require.Equal(t, 2, rec.count(), "a stopped heartbeat stays silent")
	})
}
