package usage_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/usage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a machine with a metrics client.
type rig struct {
	mu    sync.Mutex
	lines []string
	hold  chan struct{}
	fail  func() error

	used    time.Duration
	usedErr error
	limit   float64
	skew    time.Duration // of the wall clock
	jump    time.Duration // of both clocks
	freezes []time.Duration
}

func (r *rig) Gauge(name string, value float64, tags []string, rate float64) error {
	return r.add("gauge", name, value, tags, rate)
}

func (r *rig) Distribution(name string, value float64, tags []string, rate float64) error {
	return r.add("distribution", name, value, tags, rate)
}

func (r *rig) add(kind, name string, value float64, tags []string, rate float64) error {
	if r.hold != nil {
		<-r.hold
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf("%s %s %v@%v %s", kind, strings.TrimPrefix(name, "aws.lambda.microvm.enhanced."), value, rate, strings.Join(tags, ",")))
	if r.fail != nil {
		return r.fail()
	}
	return nil
}

// set changes the machine under the collector's eyes.
func (r *rig) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *rig) Used() (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used, r.usedErr
}

func (r *rig) Limit() (float64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit == 0 {
		return 0, errors.New("no limit file")
	}
	return r.limit, nil
}

// take returns what was emitted since the last call.
func (r *rig) take() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

func (r *rig) start(t *testing.T) *usage.Collector {
	t.Helper()
	c := usage.New(usage.Config{Tags: []string{"region:r"}}, usage.Deps{
		Usage: r, Enhanced: r, CPU: r,
		OnFreeze: func(c clock.Change) { r.set(func() { r.freezes = append(r.freezes, c.Gap) }) },
		Clock: func() clock.Reading {
			now := clock.Now()
			r.set(func() { now.Wall, now.Mono = now.Wall.Add(r.skew+r.jump), now.Mono+r.jump })
			return now
		},
	})
	c.Start()
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	return c
}

const (
	anonymous = "gauge instance 1@1 region:r"
	known     = "gauge instance 1@1 region:r,instance:vm-1"
	limit2    = "distribution cpu.limit 2e+09@1 region:r"
)

func TestLifeOfACollector(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9}
		c := r.start(t)
		c.Start()
		require.Equal(t, []string{anonymous}, r.take(), "one sample at the start")
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{anonymous, limit2}, r.take(), "nothing to compare the CPU time with")
		require.True(t, math.IsNaN(c.Stats().Usage))
		c.SetID("vm-1")
		c.SetID("")
		r.set(func() { r.used += 1500 * time.Millisecond })
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{known, "distribution cpu.usage 5e+08@1 region:r", limit2}, r.take())
		require.Equal(t, usage.Stats{Ticks: 3, Usage: 0.5e9, Limit: 2e9}, c.Stats())
		require.NoError(t, c.Stop(t.Context()))
		require.Equal(t, []string{known}, r.take(), "one sample at the stop")
		require.NoError(t, c.Stop(t.Context()))
		time.Sleep(time.Minute)
		require.Empty(t, r.take())
	})
}

func TestCase44CPUFaultsCostOnlyTheirSample(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9}
		c := r.start(t)
		next := func(used time.Duration) []string {
			time.Sleep(3 * time.Second)
			out := r.take()
			r.set(func() { r.used = used })
			return out
		}
		r.take()
		next(4 * time.Second)
		require.Equal(t, []string{anonymous, "distribution cpu.usage 1e+09@1 region:r", limit2}, next(time.Second))
		require.Equal(t, []string{anonymous, limit2}, next(4*time.Second), "the counter was set back by a restore")
		r.set(func() { r.usedErr, r.limit = errors.New("gone"), 0 })
		require.Equal(t, []string{anonymous}, next(7*time.Second), "the instance is reported all the same")
		require.Equal(t, uint64(2), c.Stats().CPUErrors)
		r.set(func() { r.usedErr, r.limit = nil, 2e9 })
		require.Equal(t, []string{anonymous, "distribution cpu.usage 1e+09@1 region:r", limit2}, next(0), "6 s of work in 6 s")
	})
}

func TestRestoreResetsTheBaseline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9}
		c := r.start(t)
		time.Sleep(3 * time.Second)
		r.take()
		r.set(func() { r.used += time.Hour })
		c.AfterRestore()
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{anonymous, limit2}, r.take(), "no rate over a restore")
		r.set(func() { r.used += 3 * time.Second })
		time.Sleep(3 * time.Second)
		require.Contains(t, r.take(), "distribution cpu.usage 1e+09@1 region:r")
	})
}

func TestFreezeIsNoticedAndEndsTheRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9}
		c := r.start(t)
		time.Sleep(3 * time.Second)
		r.take()
		r.set(func() { r.used, r.skew = r.used+time.Second, 6*time.Hour })
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{anonymous, limit2}, r.take())
		require.Equal(t, []time.Duration{6 * time.Hour}, r.freezes)
		require.Equal(t, uint64(1), c.Stats().Freezes)
	})
}

func TestCase42SilentBetweenReadyAndRestore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9}
		c := r.start(t)
		r.take()
		c.BeforeSnapshot(t.Context())
		time.Sleep(30 * time.Second)
		require.Empty(t, r.take(), "a clone must not find a sample in any buffer")
		c.AfterRestore()
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{anonymous, limit2}, r.take())

		c.BeforeSnapshot(t.Context())
		time.Sleep(usage.QuietTime - time.Second)
		require.Empty(t, r.take())
		time.Sleep(4 * time.Second)
		require.NotEmpty(t, r.take(), "the silence is bounded: the run hook may be off")
		c.BeforeSnapshot(t.Context())
		require.NoError(t, c.Stop(t.Context()))
		require.Empty(t, r.take(), "not even a last sample")
		c.BeforeSnapshot(t.Context())
	})
}

func TestStuckMetricsClientHoldsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{hold: make(chan struct{})}
		c := r.start(t)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.BeforeSnapshot(ctx)
		c.AfterRestore()
		c.SetID("vm-1")
		require.ErrorIs(t, c.Stop(ctx), usage.ErrStuck)
		close(r.hold)
		require.NoError(t, c.Stop(t.Context()))
	})
}

func TestRefusalsAndPanicsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{limit: 2e9, fail: func() error { return errors.New("full") }}
		c := r.start(t)
		synctest.Wait()
		r.set(func() { r.fail = func() error { panic("boom") } })
		time.Sleep(3 * time.Second)
		synctest.Wait()
		require.Equal(t, uint64(3), c.Stats().Failed)
		r.set(func() { r.fail = nil })
		r.take()
		time.Sleep(3 * time.Second)
		require.NotEmpty(t, r.take(), "the collector lives on")
	})
}

func TestNothingToTalkTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := usage.New(usage.Config{}, usage.Deps{})
		c.Start()
		time.Sleep(10 * time.Second)
		require.NoError(t, c.Stop(t.Context()))
		require.NoError(t, usage.New(usage.Config{}, usage.Deps{}).Stop(t.Context()), "never started")
	})
}

// A monotonic clock that goes on in a freeze shows no gap to the wall clock, but
// a tick that comes late. A metrics client that is slow is no freeze.
func TestAFreezeThatBothClocksCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9}
		r.start(t)
		time.Sleep(4 * time.Second)
		r.set(func() { r.jump = time.Hour })
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.set(func() { require.Equal(t, []time.Duration{time.Hour}, r.freezes) })
		require.NotContains(t, strings.Join(r.take(), "\n"), "cpu.usage", "a rate that spans a freeze is meaningless")
	})
	synctest.Test(t, func(t *testing.T) {
		r := &rig{used: time.Second, limit: 2e9, hold: make(chan struct{})}
		r.start(t)
		time.Sleep(time.Minute)
		close(r.hold)
		time.Sleep(time.Minute)
		synctest.Wait()
		r.set(func() { require.Empty(t, r.freezes) })
	})
}
