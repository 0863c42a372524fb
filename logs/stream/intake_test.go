package stream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// receiver is a real intake on loopback.
type receiver struct {
	t      *testing.T
	server *intake.Server
	path   string
}

func newReceiver(t *testing.T, path string) *receiver {
	t.Helper()
	s, err := intake.New(intake.Config{Listen: "127.0.0.1:0", Journal: path}, intake.Deps{})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	r := &receiver{t: t, server: s, path: path}
	t.Cleanup(r.stop)
	return r
}

func (r *receiver) stop() {
	require.NoError(r.t, r.server.Stop(within(r.t, time.Minute)))
}

func (r *receiver) addr() string { return r.server.Addr().String() }

func (r *receiver) messages() []string {
	var out []string
	for l, err := range journal.Read(r.path) {
		require.NoError(r.t, err)
		out = append(out, string(l.Message))
	}
	return out
}

// fast are the bounds of time of tests in real time.
var fast = Config{BackoffMin: 10 * time.Millisecond, BackoffMax: 50 * time.Millisecond, AckTimeout: 5 * time.Second}

// ship starts a worker with the real codec.
func ship(t *testing.T, address string, cfg Config) (*Worker, *durables) {
	t.Helper()
	cfg.Endpoints = []Endpoint{{Address: address}}
	cfg.BackoffMin, cfg.BackoffMax = fast.BackoffMin, fast.BackoffMax
	return workWith(t, cfg, Deps{Codecs: []Codec{Rows(rows.Options{})}})
}

func TestRealIntake(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, filepath.Join(t.TempDir(), "journal"))
	w, d := ship(t, r.addr(), Config{})
	all := logLines(0, 8000)
	for i := 0; i < len(all); i += 500 {
		require.NoError(t, w.Append(t.Context(), all[i:i+500]))
	}
	require.NoError(t, w.Stop(within(t, time.Minute)))
	require.Equal(t, texts(all), r.messages())
	ends := d.all()
	require.EqualValues(t, len(all), ends[len(ends)-1])
	s := w.Stats()
	require.EqualValues(t, len(all), s.LinesAcked)
	require.EqualValues(t, len(all), s.Encoder.LinesRaw+s.Encoder.LinesStructured)
	require.Less(t, s.CompressedBytes, s.RawBytes)
}

// TestF1ResetMidBatch: the connection breaks at random places, also inside of
// a message; nothing is lost and nothing is repeated.
func TestF1ResetMidBatch(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, filepath.Join(t.TempDir(), "journal"))
	p := newCutProxy(t, r.addr())
	w, d := ship(t, p.addr(), Config{})
	all := logLines(0, 5000)
	for i := 0; i < len(all); i += 200 {
		if i%1000 == 0 {
			p.cutAfter(1 + rand.Int64N(9000))
		}
		require.NoError(t, w.Append(t.Context(), all[i:i+200]))
		if i%1000 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	p.cutAfter(-1)
	require.NoError(t, w.Stop(within(t, time.Minute)))
	require.Equal(t, texts(all), r.messages(), "exactly once")
	ends := d.all()
	require.EqualValues(t, len(all), ends[len(ends)-1])
	require.Greater(t, w.Stats().StreamsOpened, uint64(2))
}

// TestF2CutBeforeTheAck: durable, but the acknowledgement is lost. The batch goes
// again, and is in the journal once.
func TestF2CutBeforeTheAck(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, filepath.Join(t.TempDir(), "journal"))
	p := newCutProxy(t, r.addr())
	w, d := ship(t, p.addr(), Config{})
	all := logLines(0, 30)
	require.NoError(t, w.Append(t.Context(), all[:10]))
	flush(t, w)
	p.hold(true)
	require.NoError(t, w.Append(t.Context(), all[10:20]))
	require.Eventually(t, func() bool { return len(r.messages()) == 20 }, time.Minute, 5*time.Millisecond)
	require.Equal(t, []int64{10}, d.all())
	p.cut()
	p.hold(false)
	require.NoError(t, w.Append(t.Context(), all[20:]))
	flush(t, w)
	require.Equal(t, texts(all), r.messages())
	require.Equal(t, []int64{10, 20, 30}, d.all())
}

// TestF11ServerRestart: the new server knows nothing; the first structured log
// on it decodes because the stream starts with a snapshot.
func TestF11ServerRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	first := newReceiver(t, path)
	p := newCutProxy(t, first.addr())
	w, _ := ship(t, p.addr(), Config{})
	all := logLines(0, 4000)
	require.NoError(t, w.Append(t.Context(), all[:1000]))
	flush(t, w)
	state := w.Stats().StateBytes
	require.Positive(t, state)
	first.stop()
	require.NoError(t, w.Append(t.Context(), all[1000:2000]))
	second := newReceiver(t, path)
	p.retarget(second.addr())
	require.NoError(t, w.Append(t.Context(), all[2000:3000]))
	flush(t, w)
	require.Equal(t, texts(all[:3000]), second.messages(), "a server that stops in order costs no duplicate")
	require.EqualValues(t, 1, second.server.Stats().Snapshots)
	require.NoError(t, w.Append(t.Context(), all[3000:]))
	require.NoError(t, w.Stop(within(t, time.Minute)))
	require.Equal(t, texts(all), second.messages())
}

// TestStopUnderLoad: a server that stops while batches come in loses none and
// repeats none, and the sender counts no error.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	r := newReceiver(t, path)
	p := newCutProxy(t, r.addr())
	w, _ := ship(t, p.addr(), Config{MaxInflightBytes: 1 << 30})
	all := logLines(0, 8000)
	for i := 0; i < len(all); i += 100 {
		require.NoError(t, w.Append(t.Context(), all[i:i+100]))
		if i == 4000 {
			r.stop()
			r = newReceiver(t, path)
			p.retarget(r.addr())
		}
	}
	require.NoError(t, w.Stop(within(t, time.Minute)))
	require.Equal(t, texts(all), r.messages())
}

// TestWrongKey: the reason reaches the person who can act.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	s, err := intake.New(intake.Config{Listen: "127.0.0.1:0", Journal: filepath.Join(t.TempDir(), "j"), APIKey: "right"}, intake.Deps{})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(within(t, time.Minute))) })
	w, _ := ship(t, s.Addr().String(), Config{APIKey: "wrong"})
	require.Eventually(t, func() bool { return w.Stats().LastErrorClass == fault.Credentials }, time.Minute, time.Millisecond)
	require.Equal(t, "suspended: the receiving side refuses the API key; correct api_key, a new key is used at once (Unauthenticated: dd-api-key does not match: set the same api_key on both sides)", w.Stats().Sentence)
}

// TestManyWorkers share one intake.
func TestManyWorkers(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, filepath.Join(t.TempDir(), "journal"))
	const workers, lines = 6, 500
	all := logLines(0, workers*lines)
	ctx := context.WithoutCancel(t.Context())
	errs := make(chan error, workers)
	for n := range workers {
		w, _ := ship(t, r.addr(), Config{})
		mine := all[n*lines : (n+1)*lines]
		go func() {
			for i := 0; i < lines; i += 50 {
				if err := w.Append(ctx, mine[i:i+50]); err != nil {
					errs <- err
					return
				}
			}
			errs <- w.Stop(ctx)
		}()
	}
	for range workers {
		require.NoError(t, <-errs)
	}
	got := r.messages()
	slices.SortFunc(got, func(a, b string) int { return strings.Compare(a[:8], b[:8]) })
	require.Equal(t, texts(all), got)
}

// TestNobodyListens: the error names the address.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	w, _ := ship(t, address, Config{})
	require.Eventually(t, func() bool { return w.Stats().StreamErrors > 1 }, time.Minute, time.Millisecond)
	require.Contains(t, w.Stats().LastError, address)
	require.Contains(t, w.Stats().LastError, "connection refused")
}

// BenchmarkLoopback is the whole way: encode, send, decode, journal with its
// sync, acknowledge. One operation is one line; cpu_ns is what both sides burn
// for it, which a busy machine changes less than the time.
func BenchmarkLoopback(b *testing.B) {
	for _, size := range []int{20, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s, err := intake.New(intake.Config{Listen: "127.0.0.1:0", Journal: filepath.Join(b.TempDir(), "journal")}, intake.Deps{})
			require.NoError(b, err)
			require.NoError(b, s.Start(b.Context()))
			w, err := New(Config{Endpoints: []Endpoint{{Address: s.Addr().String()}}}, Deps{})
			require.NoError(b, err)
			require.NoError(b, w.Start(b.Context()))
			recs := logLines(0, 50_000)
			b.ReportAllocs()
			n, before := 0, cpuTime(b)
			for b.Loop() {
				if n++; n%size == 0 {
					from := n % (len(recs) - size)
					require.NoError(b, w.Append(b.Context(), recs[from:from+size]))
				}
			}
			require.NoError(b, w.Flush(b.Context()))
			b.StopTimer()
			b.ReportMetric(float64(cpuTime(b)-before)/float64(n), "cpu_ns/op")
			st := w.Stats()
			b.ReportMetric(float64(st.WireSent+st.WireReceived)/float64(max(1, st.RawBytes))*100, "wire_%")
			require.NoError(b, w.Stop(b.Context()))
			require.NoError(b, s.Stop(b.Context()))
		})
	}
}

// cpuTime is the user and system time of this process so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
