package metrics

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestNothingIsLostOrInvented: whatever the API answers, and however emits,
// flushes, snapshots and pauses follow each other, every value is delivered,
// dropped for a reason, or held; the API has accepted exactly what counts as
// sent.
func TestNothingIsLostOrInvented(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// A bubble has no deadline, which rapid asks a *testing.T for.
		rapid.Check(struct{ testing.TB }{t}, func(rt *rapid.T) {
			answers := rapid.SliceOfN(rapid.SampledFrom([]int{202, 202, 202, 0, 500, 503, 408, 429, 413, 400, 403}), 1, 20).Draw(rt, "answers")
			w := &wire{status: func(n int) int { return answers[n%len(answers)] }}
			d := bubble(t, w)
			defer d.Stop(context.Background()) //nolint:errcheck // the second time, unless the test failed
			emitted := uint64(0)
			check := func() {
				s := d.Stats()
				out := s.Sent
				for _, n := range s.Dropped {
					out += n
				}
				require.Equal(rt, emitted, s.Emitted)
				require.Equal(rt, s.Emitted, out+s.Held)
				held := uint64(d.held())
				require.Equal(rt, held, s.Held)
			}
			for range rapid.IntRange(1, 40).Draw(rt, "steps") {
				switch rapid.IntRange(0, 6).Draw(rt, "step") {
				case 0:
					time.Sleep(time.Duration(rapid.Int64Range(0, int64(30*time.Second)).Draw(rt, "pause")))
				case 1:
					_ = d.Flush(within(t, 3*time.Second))
				case 2:
					d.BeforeSnapshot(within(t, time.Second))
				case 3:
					d.AfterRestore()
				default:
					for range rapid.IntRange(1, 5).Draw(rt, "values") {
						emitted++
						name := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "name")
						if rapid.Bool().Draw(rt, "distribution") {
							require.NoError(rt, d.Distribution(name, 1, nil, 1))
						} else {
							require.NoError(rt, d.Usage().Count(name, 1, nil, 1))
						}
					}
				}
				synctest.Wait()
				check()
			}
			require.NoError(rt, d.Stop(within(t, time.Minute)))
			check()
			s := d.Stats()
			require.Zero(rt, s.Held)
			accepted := intake{}
			for _, body := range w.bodies {
				accepted.accepted = append(accepted.accepted, request{Body: body})
			}
			require.EqualValues(rt, s.Sent, accepted.values(t))
		})
	})
}

// held is how many values are aggregated or queued.
func (d *Datadog) held() int {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	n := 0
	for _, p := range d.queue.waiting {
		n += p.Samples
	}
	return n + d.aggregate.Samples()
}

// The same over real connections, from several goroutines, with a server that
// fails at random.
func TestConcurrentEmitsAndFlushes(t *testing.T) {
	t.Parallel()
	api := intake{answer: func(_ int, w http.ResponseWriter, _ *http.Request) int {
		switch rand.IntN(8) {
		case 0:
			return reset(w)
		case 1:
			return 503
		case 2:
			return 413
		default:
			return 0
		}
	}}
	d, _ := output(t, api.serve(t).URL)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 500 {
				if err := d.Count("c", 1, nil, 1); err != nil {
					t.Error(err)
				}
				if i%100 == 99 {
					_ = d.Flush(within(t, 2*time.Second))
				}
			}
		})
	}
	group.Wait()
	_ = d.Flush(within(t, 10*time.Second))
	require.NoError(t, d.Stop(t.Context()))
	s := d.Stats()
	require.EqualValues(t, 2000, s.Emitted)
	require.Zero(t, s.Held)
	require.EqualValues(t, s.Sent, api.values(t))
	require.EqualValues(t, 2000, s.Sent+s.Dropped["refused"]+s.Dropped["stopped"])
}

func TestEmitDoesNotAllocate(t *testing.T) {
	d, _ := output(t, "http://127.0.0.1:1")
	tags := []string{"microvm_id:x", "image:y"}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := d.Gauge("g", 1, tags, 1); err != nil {
			t.Error(err)
		}
	}))
	d.drop(dropStopped)
}

func BenchmarkEmit(b *testing.B) {
	d, err := NewDatadog(Config{APIURL: "http://127.0.0.1:1", APIKey: testKey, Tags: []string{"env:dev", "service:checkout"}}, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	d.on.Store(true)
	tags := []string{"microvm_id:0123456789", "microvm_image_arn:arn:aws:lambda:eu-west-1:1:image:x"}
	for _, scope := range []struct {
		name string
		out  Emitter
	}{{"tagged", d}, {"usage", d.Usage()}} {
		b.Run(scope.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := scope.out.Gauge("aws.lambda.enhanced.microvm.active_instances", 1, tags, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := d.Gauge("aws.lambda.enhanced.microvm.active_instances", 1, tags, 1); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
