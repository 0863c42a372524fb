package heartbeat_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
)

func TestCase03ManyStartsAreOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		defer func() { require.NoError(t, b.Close(t.Context())) }()
		b.SetID("vm-1")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(b.Start)
		}
		wg.Wait()
		synctest.Wait()
		require.Equal(t, 1, rec.count())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Equal(t, 3, rec.count())
		require.Equal(t, 1, rec.together)
	})
}

func TestCase04ManyStopsAndNilAreSafe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		begin := time.Now()
		running := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		never := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		var wg sync.WaitGroup
		errs := make(chan error, 300)
		for range 100 {
			for _, b := range []*heartbeat.Beat{running, never, nil} {
				wg.Go(func() { errs <- b.Stop(t.Context()) })
			}
		}
		wg.Wait()
		for range cap(errs) {
			require.NoError(t, <-errs)
		}
		require.Equal(t, begin, time.Now(), "no Stop had to wait")

		var none *heartbeat.Beat
		none.Start()
		none.SetID("x")
		none.Now()
		require.NoError(t, none.Close(t.Context()))
		require.Zero(t, none.Stats())
		require.NoError(t, never.Close(t.Context()))
		require.NoError(t, never.Close(t.Context()))
		never.Start()
		never.SetID("vm-1")
		synctest.Wait()
		require.Equal(t, 1, rec.count(), "closed is for good")
	})
}

func TestCase05StuckEmitterDoesNotHoldStop(t *testing.T) {
	// Not parallel: it counts goroutines of the process.
	rec, out := &recorder{hold: make(chan struct{})}, &logs{}
	b := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Log: out.logger()})
	require.NoError(t, b.Stop(t.Context()))
	baseline := runtime.NumGoroutine()
	b.SetID("vm-1")
	b.Start()

	begin := time.Now()
	require.ErrorIs(t, b.Stop(t.Context()), heartbeat.ErrStuck)
	require.GreaterOrEqual(t, time.Since(begin), time.Second)
	require.Less(t, time.Since(begin), 4*time.Second, "a second and what a busy test machine adds")
	require.ErrorIs(t, b.Stop(t.Context()), heartbeat.ErrStuck)
	require.Equal(t, 1, out.lines("level=WARN"))

	require.ErrorIs(t, b.Close(t.Context()), heartbeat.ErrStuck)
	require.LessOrEqual(t, runtime.NumGoroutine(), baseline+1)
	close(rec.hold)
	settled := func() bool { return rec.count() == 1 && runtime.NumGoroutine() <= baseline }
	for deadline := time.Now().Add(5 * time.Second); !settled() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	require.True(t, settled(), "the late sample lands, alone, and nothing stays behind")
}

func TestStopObeysAShorterDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{hold: make(chan struct{})}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, b.Stop(ctx), heartbeat.ErrStuck)
		require.Equal(t, 100*time.Millisecond, time.Since(begin))
		close(rec.hold)
	})
}

func TestCase06RestartAfterAStuckEmitter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stopAgain bool
		samples   int // the stuck one, then those of the relaunched loop
	}{
		"start wins": {false, 1 + 1 + 2},
		"stop wins":  {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rec := &recorder{hold: make(chan struct{})}
				b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
				require.ErrorIs(t, b.Stop(t.Context()), heartbeat.ErrStuck)
				b.Start()
				if tt.stopAgain {
					require.ErrorIs(t, b.Stop(t.Context()), heartbeat.ErrStuck)
				}
				time.Sleep(time.Minute)
				close(rec.hold)
				rec.setHold(nil)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				require.Equal(t, tt.samples, rec.count())
				require.Equal(t, 1, rec.together, "two loops emitted at once")
			})
		})
	}
}

func TestStartThenStopStillSendsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &recorder{}
		b := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: rec})
		defer func() { require.NoError(t, b.Close(t.Context())) }()
		b.SetID("vm-1")
		b.Start()
		require.NoError(t, b.Stop(t.Context()))
		require.Equal(t, 1, rec.count())
	})
}

func TestCase09PanickingEmitterIsSurvived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		rec, out := &recorder{}, &logs{}
		rec.before = func() error {
			switch calls++; calls {
			case 1, 2:
				panic("boom")
			case 3, 4:
				return errors.New("queue full")
			}
			return nil
		}
		b := started(t, heartbeat.Config{}, heartbeat.Deps{Metrics: rec, Log: out.logger()})
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		require.Equal(t, heartbeat.Stats{Sent: 1, Panics: 2, Failed: 2, Last: time.Now().Round(0)}, b.Stats())
		require.Equal(t, 1, out.lines("level=ERROR"))
		require.Equal(t, 1, out.lines("queue full"))
	})
}

func TestNoMetricsClientIsSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := started(t, heartbeat.Config{}, heartbeat.Deps{})
		require.Zero(t, b.Stats().Sent)
		require.NoError(t, b.Stop(t.Context()))
	})
}

// TestModelOfCommands compares the heartbeat with the plainest description of
// it: a wanted flag, an id, and the time of the next sample.
func TestModelOfCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		ops := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 40).Draw(r, "ops")
		waits := rapid.SliceOfN(rapid.IntRange(1, 400), len(ops), len(ops)).Draw(r, "waits")
		synctest.Test(t, func(t *testing.T) {
			rec := &recorder{}
			b := heartbeat.New(heartbeat.Config{Interval: 5 * time.Minute}, heartbeat.Deps{Metrics: rec})
			var want []string
			wanted, id := false, ""
			next := time.Time{}
			begin := time.Now()
			emit := func(at time.Time) {
				next = at.Add(5 * time.Minute)
				if id != "" {
					want = append(want, id+at.Sub(begin).String())
				}
			}
			for i, op := range ops {
				switch op {
				case 0, 1:
					if !wanted {
						wanted = true
						emit(time.Now())
					}
					b.Start()
				case 2, 3:
					wanted = false
					require.NoError(t, b.Stop(t.Context()))
				case 4, 5:
					fresh := []string{"a", "b"}[op-4]
					changed := fresh != id
					id = fresh
					if wanted && changed {
						emit(time.Now())
					}
					b.SetID(fresh)
				case 6:
					if wanted {
						emit(time.Now())
					}
					b.Now()
				}
				synctest.Wait()
				until := time.Now().Add(time.Duration(waits[i]) * time.Second)
				time.Sleep(time.Until(until))
				synctest.Wait()
				for wanted && !next.After(until) {
					emit(next)
				}
			}
			require.NoError(t, b.Close(t.Context()))
			var got []string
			for _, s := range rec.all() {
				got = append(got, s.Tags[0][len("microvm_id:"):]+s.At.Sub(begin).String())
			}
			require.Equal(t, want, got)
		})
	})
}

func BenchmarkStartStop(b *testing.B) {
	beat := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: discard{}})
	beat.SetID("vm-1")
	b.ReportAllocs()
	for b.Loop() {
		beat.Start()
		_ = beat.Stop(b.Context())
	}
	_ = beat.Close(b.Context())
}

type discard struct{}

func (discard) Gauge(string, float64, []string, float64) error        { return nil }
func (discard) Distribution(string, float64, []string, float64) error { return nil }
