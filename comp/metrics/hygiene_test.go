package metrics

import (
	"context"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Case 42 of the serverless specification: what is buffered when the snapshot is
// taken is sent once, by the machine that takes it.
func TestBeforeSnapshotSendsOnce(t *testing.T) {
	t.Parallel()
	var api intake
	d, _ := output(t, api.serve(t).URL)
	require.NoError(t, d.Count("built", 1, nil, 1))
	d.BeforeSnapshot(within(t, 10*time.Second))
	require.Equal(t, 1, api.values(t))
	d.AfterRestore()
	require.NoError(t, d.Count("ran", 1, nil, 1))
	require.NoError(t, d.Flush(within(t, 10*time.Second)))
	require.Equal(t, 2, api.values(t))
	require.Equal(t, Stats{Output: "datadog", Address: d.base, Emitted: 2, Sent: 2}, d.Stats())
}

// What cannot be sent before the snapshot is dropped, on its way or not: a clone
// must not send it.
func TestBeforeSnapshotDropsTheRest(t *testing.T) {
	t.Parallel()
	var release atomic.Bool
	api := intake{answer: func(_ int, _ http.ResponseWriter, r *http.Request) int {
		if release.Load() {
			return 0
		}
		<-r.Context().Done()
		return -1
	}}
	d, _ := output(t, api.serve(t).URL)
	require.NoError(t, d.Count("built", 1, nil, 1))
	flushing := within(t, 2*time.Second)
	flushed := make(chan error, 1)
	go func() { flushed <- d.Flush(flushing) }()
	require.Eventually(t, func() bool { return api.count() == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, d.Distribution("built", 1, nil, 1))
	d.BeforeSnapshot(within(t, 100*time.Millisecond))
	require.Error(t, <-flushed)
	require.Equal(t, Stats{
		Output: "datadog", Address: d.base, Emitted: 2, Dropped: map[string]uint64{"snapshot": 2},
		Errors: d.Stats().Errors, LastError: d.Stats().LastError,
	}, d.Stats())

	release.Store(true)
	d.AfterRestore() // no wait is left of the failures before
	require.NoError(t, d.Count("ran", 1, nil, 1))
	require.NoError(t, d.Flush(within(t, 10*time.Second)))
	require.Len(t, api.taken(), 1)
	require.Contains(t, api.taken()[0].Body, `"metric":"ran"`)
}

// A clone's first request does not go over a connection of the snapshot.
func TestRestoreOpensANewConnection(t *testing.T) {
	t.Parallel()
	addresses := make(chan string, 4)
	api := intake{answer: func(_ int, _ http.ResponseWriter, r *http.Request) int {
		addresses <- r.RemoteAddr
		return 0
	}}
	d, _ := output(t, api.serve(t).URL)
	flush := func() string {
		t.Helper()
		require.NoError(t, d.Count("c", 1, nil, 1))
		require.NoError(t, d.Flush(within(t, 10*time.Second)))
		return <-addresses
	}
	old := flush()
	require.Equal(t, old, flush(), "the connection is kept in between")
	d.AfterRestore()
	restored := flush()
	require.NotEqual(t, old, restored)
	d.BeforeSnapshot(t.Context())
	d.silence.end() // as it ends by itself after a while
	require.NotEqual(t, restored, flush())
}

// What is emitted after the preparation, and before the snapshot is taken, is in
// no buffer of the machine, so that no clone can send it, however long it waits
// for its run.
func TestCase42NoCloneSendsWhatWasBuilt(t *testing.T) {
	t.Parallel()
	emit := func(out Output, name string) {
		require.NoError(t, out.Gauge(name+".g", 1, nil, 1))
		require.NoError(t, out.Distribution(name+".d", 1, nil, 1))
		require.NoError(t, out.Usage().Count(name+".c", 1, nil, 1))
	}
	live := func(out Output) {
		emit(out, "built")
		out.BeforeSnapshot(within(t, 10*time.Second))
		emit(out, "late")
		_ = out.Flush(within(t, 10*time.Second)) // as the output itself does from time to time
		out.AfterRestore()
		emit(out, "ran")
		require.NoError(t, out.Flush(within(t, 10*time.Second)))
	}
	t.Run("datadog", func(t *testing.T) {
		t.Parallel()
		var api intake
		d, _ := output(t, api.serve(t).URL)
		live(d)
		var names []string
		for _, r := range api.taken() {
			for _, match := range regexp.MustCompile(`"metric":"([^"]*)"`).FindAllStringSubmatch(r.Body, -1) {
				names = append(names, match[1])
			}
		}
		require.Equal(t, []string{"built.g", "built.c", "built.d", "ran.g", "ran.c", "ran.d"}, names)
		require.Equal(t, Stats{Output: "datadog", Address: d.base, Emitted: 9, Sent: 6, Dropped: map[string]uint64{"snapshot": 3}}, d.Stats())
	})
	t.Run("statsd", func(t *testing.T) {
		t.Parallel()
		address, read := listen(t, "udp")
		s := start(t, Config{StatsdAddress: address})
		live(s)
		require.Equal(t, []string{"built.c:1|c", "built.d:1|d", "built.g:1|g", "ran.c:1|c", "ran.d:1|d", "ran.g:1|g"}, read(6))
		require.Equal(t, Stats{Output: "statsd", Address: address, Sent: 6, Dropped: map[string]uint64{"snapshot": 3}}, s.Stats())
	})
}

// An emission under way when the preparation begins is sent with it or not at
// all: none finds its way into a buffer afterwards.
func TestNothingSlipsIntoTheSnapshot(t *testing.T) {
	t.Parallel()
	var api intake
	d, _ := output(t, api.serve(t).URL)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 2000 {
				_ = d.Count("c", 1, nil, 1)
			}
		})
	}
	for range 20 {
		d.BeforeSnapshot(within(t, 10*time.Second))
		require.Zero(t, d.held(), "this is what a clone would send")
		d.silence.end()
	}
	group.Wait()
}

// An image without a run hook is not silent for ever.
func TestASilenceEndsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s silence
		require.True(t, s.enter())
		s.leave()
		require.False(t, s.end())
		s.begin()
		require.False(t, s.enter())
		time.Sleep(quietTime + 1)
		require.True(t, s.enter())
		s.leave()
		require.True(t, s.end(), "the restore comes late")
		require.False(t, s.end())
	})
}

// What an image without a run hook, or one whose snapshot is taken late, emits
// when the silence is over is dropped at its restore.
func TestAfterRestoreDropsWhatCameAfterTheSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &wire{status: func(int) int { return http.StatusAccepted }}
		d := bubble(t, w)
		defer d.Stop(context.Background()) //nolint:errcheck // nothing is left to fail
		d.BeforeSnapshot(within(t, time.Second))
		time.Sleep(quietTime + time.Second)
		require.NoError(t, d.Count("c", 1, nil, 1))
		d.AfterRestore()
		require.Zero(t, d.held())
		time.Sleep(time.Minute)
		require.Empty(t, w.bodies)
	})
}

func TestStatsdStatusOfASilence(t *testing.T) {
	t.Parallel()
	address, _ := listen(t, "udp")
	s := start(t, Config{StatsdAddress: address})
	s.BeforeSnapshot(t.Context())
	require.NoError(t, s.Gauge("late", 1, nil, 1))
	require.Equal(t, []string{"0 sent to " + address + " by DogStatsD, 0 failed writes", "dropped: 1 snapshot"}, s.Status().Text)
}
