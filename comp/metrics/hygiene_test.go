package metrics

import (
	"net/http"
	"sync/atomic"
	"testing"
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
	require.NotEqual(t, restored, flush())
}

func TestStatsdHygiene(t *testing.T) {
	t.Parallel()
	address, read := listen(t, "udp")
	s := start(t, Config{StatsdAddress: address})
	require.NoError(t, s.Gauge("built", 1, nil, 1))
	s.BeforeSnapshot(t.Context())
	require.Equal(t, []string{"built:1|g"}, read(1))
	s.AfterRestore()
}
