package heartbeat_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

func TestCase10And12SilentUntilTheIDIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec, out := &recorder{}, &logs{}
		b := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Log: out.logger()})
		defer func() { require.NoError(t, b.Close(t.Context())) }()
		b.Start()
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		require.Empty(t, rec.all())
		require.Equal(t, heartbeat.Stats{Suppressed: 3}, b.Stats())
		require.Equal(t, 1, out.lines("silent until the run hook"))

		known := time.Now()
		b.SetID("vm-9")
		synctest.Wait()
		require.Equal(t, []sample{{
			Kind: "gauge", Name: heartbeat.Name, Value: 1, Rate: 1, At: known,
			Tags: []string{"microvm_id:vm-9", "lambda_microvm_id:vm-9"},
		}}, rec.all())
	})
}

func TestEmptyIDNeverClobbersAKnownOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		b.SetID("")
		b.SetID("vm-1")
		synctest.Wait()
		require.Equal(t, 1, rec.count(), "the same id is no news")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"microvm_id:vm-1", "lambda_microvm_id:vm-1"}, rec.all()[1].Tags)
	})
}

func TestCase16NewIDReplacesTheOldAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		base := make([]string, 1, 8) // room to grow in place, were it not copied
		base[0] = "region:r"
		b := started(t, heartbeat.Config{Tags: base}, heartbeat.Deps{Metrics: rec})
		base[0] = "changed:by-the-caller"
		b.SetID("vm-2")
		synctest.Wait()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		var tags [][]string
		for _, s := range rec.all() {
			tags = append(tags, s.Tags)
		}
		require.Equal(t, [][]string{
			{"region:r", "microvm_id:vm-1", "lambda_microvm_id:vm-1"},
			{"region:r", "microvm_id:vm-2", "lambda_microvm_id:vm-2"},
			{"region:r", "microvm_id:vm-2", "lambda_microvm_id:vm-2"},
		}, tags)
		require.Equal(t, []string{"", "", ""}, base[1:4], "nothing was written behind the caller's slice")
		rec.all()[0].Tags[0] = "x"
		require.Equal(t, "region:r", rec.all()[1].Tags[0], "each sample has its own slice")
	})
}

func TestNewIDWhileTheOldOneIsStuckFollowsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{hold: make(chan struct{})}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		b.SetID("vm-2")
		synctest.Wait()
		close(rec.hold)
		synctest.Wait()
		samples := rec.all()
		require.Len(t, samples, 2)
		require.Equal(t, []string{"microvm_id:vm-2", "lambda_microvm_id:vm-2"}, samples[1].Tags)
		require.Equal(t, 1, rec.together)
	})
}
