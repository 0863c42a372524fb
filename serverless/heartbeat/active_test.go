package heartbeat_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

func counting(t *testing.T, rec *recorder) *heartbeat.Beat {
	t.Helper()
	return started(t, heartbeat.Config{Tags: []string{"region:r"}}, heartbeat.Deps{Metrics: rec, Seconds: rec})
}

func TestActiveSecondsFollowTheSamples(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		begin := time.Now()
		b := counting(t, rec)
		require.Empty(t, rec.seconds(), "nothing to report yet")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		tags := []string{"region:r", "microvm_id:vm-1", "lambda_microvm_id:vm-1"}
		require.Equal(t, []sample{
			{"count", "aws.lambda.enhanced.microvm.active_seconds", 300, 1, tags, begin.Add(5 * time.Minute)},
			{"count", "aws.lambda.enhanced.microvm.active_seconds", 300, 1, tags, begin.Add(10 * time.Minute)},
		}, rec.of("count"))
		require.Equal(t, uint64(600), b.Stats().ActiveSeconds)
		require.Len(t, rec.of("gauge"), 3)
	})
}

func TestSuspendedTimeIsNotActive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := counting(t, rec)
		for range 3 {
			time.Sleep(90*time.Second + 400*time.Millisecond)
			require.NoError(t, b.Stop(t.Context()))
			time.Sleep(time.Hour)
			b.Start()
			synctest.Wait()
		}
		require.Equal(t, []float64{90, 90, 91}, rec.seconds(), "reported at the stop; fractions add up")
		require.Len(t, rec.of("gauge"), 4)
	})
}

func TestLostReportsAreMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := counting(t, rec)
		rec.setBefore(func() error { return errors.New("buffer is full") })
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		rec.setBefore(func() error { panic("boom") })
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Empty(t, rec.seconds())
		rec.setBefore(nil)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []float64{900}, rec.seconds())
		require.Equal(t, uint64(900), b.Stats().ActiveSeconds)
	})
}

func TestStuckReportIsMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := counting(t, rec)
		hold := make(chan struct{})
		rec.setHold(hold)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.ErrorIs(t, b.Stop(t.Context()), heartbeat.ErrStuck)
		time.Sleep(time.Hour)
		rec.setHold(nil)
		close(hold)
		synctest.Wait()
		b.Start()
		synctest.Wait()
		require.Equal(t, []float64{300}, rec.seconds())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []float64{300, 300}, rec.seconds())
	})
}

func TestSecondsWaitForTheID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Seconds: rec})
		defer func() { require.NoError(t, b.Close(t.Context())) }()
		b.Start()
		time.Sleep(2 * time.Minute)
		require.NoError(t, b.Stop(t.Context()))
		b.Start()
		time.Sleep(time.Minute)
		b.SetID("vm-1")
		synctest.Wait()
		require.Equal(t, []float64{180}, rec.seconds())
	})
}

func TestACloneDoesNotReportItsParentsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := counting(t, rec)
		time.Sleep(2 * time.Minute)
		b.SetID("vm-2")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []float64{300}, rec.seconds())

		hold := make(chan struct{})
		rec.setHold(hold)
		rec.setBefore(func() error { return errors.New("gone") })
		time.Sleep(5 * time.Minute)
		synctest.Wait() // 300 s of vm-2 are under way and will fail
		b.SetID("vm-3")
		close(hold)
		synctest.Wait()
		rec.setBefore(nil)
		rec.setHold(nil)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []float64{300, 300}, rec.seconds())
	})
}

func TestWithoutACounterNothingIsOwed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Equal(t, 3, rec.count())
	})
}
