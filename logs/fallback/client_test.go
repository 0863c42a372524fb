package fallback

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "0123456789abcdef"

func key() string { return testKey }

// entry is what an intake reads.
type entry struct {
	Message   string `json:"message"`
	Status    string `json:"status"`
	Timestamp int64  `json:"timestamp"`
	Hostname  string `json:"hostname"`
	Service   string `json:"service"`
	Source    string `json:"ddsource"`
	Tags      string `json:"ddtags"`
}

// backend is a real server that answers as told and keeps what it took.
type backend struct {
	*httptest.Server
	mu       sync.Mutex
	answer   func(w http.ResponseWriter, got []entry) bool // true: taken
	requests []*http.Request
	sizes    []int
	taken    []entry
}

func newBackend(t *testing.T, answer func(http.ResponseWriter, []entry) bool) *backend {
	t.Helper()
	b := &backend{answer: answer}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	plain, err := inflate(r.Header.Get("Content-Encoding"), data)
	var got []entry
	if err == nil {
		err = json.Unmarshal(plain, &got, json.RejectUnknownMembers(true))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = append(b.requests, r)
	b.sizes = append(b.sizes, len(plain))
	if b.answer != nil && !b.answer(w, got) {
		return
	}
	b.taken = append(b.taken, got...)
	if b.answer == nil {
		w.WriteHeader(http.StatusAccepted)
	}
}

func inflate(encoding string, data []byte) ([]byte, error) {
	switch encoding {
	case "zstd":
		d, err := zstd.NewReader(nil)
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(data, nil)
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(z)
	case "":
		return data, nil
	default:
		return nil, fmt.Errorf("content encoding %q", encoding)
	}
}

func refuse(status int, text string) func(http.ResponseWriter, []entry) bool {
	return func(w http.ResponseWriter, _ []entry) bool {
		http.Error(w, text, status)
		return false
	}
}

func client(t *testing.T, cfg Config, deps Deps) *Client {
	t.Helper()
	c, err := New(cfg, deps)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func to(urls ...string) (cfg Config) {
	for _, u := range urls {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{URL: u})
	}
	return cfg
}

func rec(message string) record.Record {
	return record.Record{Time: 1730000000000, Status: "info", Tags: "hostname:h,service:app,env:dev,ddsource:go", Message: []byte(message)}
}

func recs(n int) (out []record.Record) {
	for i := range n {
		out = append(out, rec(fmt.Sprint("line ", i)))
	}
	return out
}

func TestEntries(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{Zstd, Gzip, Identity} {
		b := newBackend(t, nil)
		cfg := to(b.URL)
		cfg.Compression, cfg.UserAgent = compression, "vigil/1"
		c := client(t, cfg, Deps{Key: key})
		require.NoError(t, c.Send(t.Context(), []record.Record{
			rec("ready \t\"é😀\" <&> \x00"),
			{Time: -1, Message: []byte("bad \xff")},
			{Tags: "service:,a,,service:b,service:c", Status: "x\ny"},
		}))
		require.NoError(t, c.Send(t.Context(), nil), "nothing to do")
		require.Equal(t, []entry{
			{"ready \t\"é😀\" <&> \x00", "info", 1730000000000, "h", "app", "go", "env:dev"},
			{Message: "bad \ufffd", Timestamp: -1},
			{Status: "x\ny", Service: "b", Tags: "a,service:c"},
		}, b.taken)
		require.Len(t, b.requests, 1)
		r := b.requests[0]
		require.Equal(t, "POST /api/v2/logs", r.Method+" "+r.URL.Path)
		require.Equal(t, []string{testKey, "application/json", "vigil/1"}, []string{r.Header.Get("DD-API-KEY"), r.Header.Get("Content-Type"), r.Header.Get("User-Agent")})
		stats := c.Stats()
		require.Positive(t, stats.SentBytes)
		stats.SentBytes = 0
		require.Equal(t, Stats{Endpoint: strings.TrimPrefix(b.URL, "http://"), Requests: 1, Lines: 3, PlainBytes: uint64(b.sizes[0]), ReplacedMessages: 1}, stats)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	e := encoder{maxBytes: 1000, maxEntries: 10, maxEntry: 100}
	text, n := e.append(nil, []record.Record{rec("a"), {Time: 5}})
	require.Equal(t, 2, n)
	require.Equal(t, `[{"message":"a","status":"info","timestamp":1730000000000,"hostname":"h","service":"app","ddsource":"go","ddtags":"env:dev"},{"message":"","timestamp":5}]`, string(text))
}

// TestLimits: no request passes a limit, and no line is left out or repeated.
func TestLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := encoder{maxBytes: rapid.IntRange(250, 2000).Draw(t, "bytes"), maxEntries: rapid.IntRange(1, 5).Draw(t, "entries"), maxEntry: rapid.IntRange(1, 500).Draw(t, "entry")}
		all := rapid.SliceOfN(rapid.Map(rapid.OneOf(rapid.StringN(0, 600, -1), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })), rec), 1, 20).Draw(t, "records")
		var got []entry
		for rest := all; len(rest) > 0; {
			text, n := e.append(nil, rest)
			require.LessOrEqual(t, len(text), e.maxBytes)
			require.Positive(t, n)
			require.LessOrEqual(t, n, e.maxEntries)
			var part []entry
			require.NoError(t, json.Unmarshal(text, &part))
			require.Len(t, part, n)
			got, rest = append(got, part...), rest[n:]
		}
		cut := uint64(0)
		for i, g := range got {
			want := strings.ToValidUTF8(string(all[i].Message), "\ufffd")
			if g.Message != want && len(all[i].Message) > 0 && len(g.Message) < len(all[i].Message) {
				cut++
			}
		}
		require.GreaterOrEqual(t, e.cut, cut)
	})
}

func TestLongMessagesAreCutAndCounted(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	c := client(t, to(b.URL), Deps{})
	long := strings.Repeat("é", 600_000)
	require.NoError(t, c.Send(t.Context(), []record.Record{rec(long), rec("x"), rec(strings.Repeat("\x01", 1_000_000))}))
	require.Len(t, b.taken, 3)
	require.Len(t, b.requests, 2)
	require.Equal(t, long[:1_000_000], b.taken[0].Message)
	require.Len(t, b.taken[2].Message, 500_000, "escapes make it too large for a request")
	require.EqualValues(t, 2, c.Stats().CutMessages)
}

func TestManyLinesAreManyRequests(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	c := client(t, to(b.URL), Deps{})
	require.NoError(t, c.Send(t.Context(), recs(2500)))
	require.Len(t, b.requests, 3)
	for i, e := range b.taken {
		require.Equal(t, fmt.Sprint("line ", i), e.Message)
	}
	require.Len(t, b.taken, 2500)
}

// TestStatuses: each answer has its class (logs specification, sections 2.5 and 4).
func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Class{
		400: fault.Poison, 401: fault.Credentials, 403: fault.Credentials, 413: fault.Size, 429: fault.Throttle,
		404: fault.Transient, 408: fault.Transient, 500: fault.Transient, 503: fault.Transient, 302: fault.Transient,
	} {
		b := newBackend(t, refuse(status, "because "+testKey))
		c := client(t, to(b.URL), Deps{Key: key})
		err := c.Send(t.Context(), recs(1))
		require.Equal(t, want, fault.Of(err), status)
		require.EqualError(t, err, fmt.Sprintf("send logs to %s: status %d: because ********", strings.TrimPrefix(b.URL, "http://"), status))
		var known *Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, status, known.Status)
		require.EqualValues(t, 1, c.Stats().Failures)
	}
	for status := 200; status < 205; status++ {
		b := newBackend(t, func(w http.ResponseWriter, _ []entry) bool { w.WriteHeader(status); return true })
		require.NoError(t, client(t, to(b.URL), Deps{}).Send(t.Context(), recs(1)))
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "nonsense": 0, "99999999": time.Hour,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:03:05 GMT": 0,
	} {
		require.Equal(t, want, retryAfter(value, now), value)
	}
	b := newBackend(t, func(w http.ResponseWriter, _ []entry) bool {
		w.Header().Set("Retry-After", "11")
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	})
	err := client(t, to(b.URL), Deps{}).Send(t.Context(), recs(1))
	require.Equal(t, 11*time.Second, fault.RetryAfter(err))
}

// Test413Splits: the batch goes in smaller requests, and so do later ones.
func Test413Splits(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, got []entry) bool {
		if len(got) > 100 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return false
		}
		w.WriteHeader(http.StatusAccepted)
		return true
	})
	c := client(t, to(b.URL), Deps{})
	require.NoError(t, c.Send(t.Context(), recs(900)))
	require.Len(t, b.taken, 900)
	refused := c.Stats().Failures
	require.NoError(t, c.Send(t.Context(), recs(900)))
	require.Equal(t, refused, c.Stats().Failures, "learned")
	for i, e := range b.taken {
		require.Equal(t, fmt.Sprint("line ", i%900), e.Message)
	}
}

func TestDeliveredTellsWhatNeedNotGoAgain(t *testing.T) {
	t.Parallel()
	n := 0
	b := newBackend(t, func(w http.ResponseWriter, _ []entry) bool {
		if n++; n > 2 {
			w.WriteHeader(http.StatusInternalServerError)
			return false
		}
		return true
	})
	err := client(t, to(b.URL), Deps{}).Send(t.Context(), recs(2500))
	var known *Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, 2000, known.Delivered)
}

// TestWhatWasTakenDoesNotGoAgain: a batch of several requests of which one fails comes
// again, whole or halved; what was taken goes once.
func TestWhatWasTakenDoesNotGoAgain(t *testing.T) {
	t.Parallel()
	for name, batches := range map[string][][2]int{
		"whole":           {{0, 2500}},
		"halves":          {{0, 1250}, {1250, 2500}},
		"smaller parts":   {{0, 500}, {500, 1000}, {1000, 1700}, {1700, 2500}},
		"after a failure": {{0, 2500}, {2500, 2600}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b *backend
			b = newBackend(t, func(w http.ResponseWriter, _ []entry) bool {
				if n := len(b.requests); n > 1 && n < 5 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return false
				}
				return true
			})
			c := client(t, to(b.URL), Deps{})
			all := recs(2600)
			for range 4 { // each with one request that fails
				if err := c.Send(t.Context(), all[:2500]); err == nil {
					break
				}
				if len(b.requests) == 4 {
					break
				}
			}
			last := 0
			for _, part := range batches {
				require.NoError(t, c.Send(t.Context(), all[part[0]:part[1]]))
				last = part[1]
			}
			require.Len(t, b.taken, last)
			for i, e := range b.taken {
				require.Equal(t, fmt.Sprint("line ", i), e.Message)
			}
			require.EqualValues(t, last, c.Stats().Lines)
		})
	}
}

// TestAnotherBatchIsSentWhole: what was taken of a batch that is gone leaves nothing
// out of others, also of the same text read elsewhere.
func TestAnotherBatchIsSentWhole(t *testing.T) {
	t.Parallel()
	var b *backend
	b = newBackend(t, func(w http.ResponseWriter, _ []entry) bool {
		if len(b.requests) == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		}
		return true
	})
	c := client(t, to(b.URL), Deps{})
	first := recs(1500)
	require.Error(t, c.Send(t.Context(), first))
	alike := recs(1500)
	for i := range alike {
		alike[i].Origin = record.Origin{Source: "another", End: int64(i)}
	}
	require.NoError(t, c.Send(t.Context(), alike))
	require.Len(t, b.taken, 1000+1500)
	require.NoError(t, c.Send(t.Context(), first), "which is another one by now")
	require.Len(t, b.taken, 1000+1500+1500)
}

// TestFailover: the next endpoint takes over at once, and the one that failed comes
// last for a while.
func TestFailover(t *testing.T) {
	t.Parallel()
	bad, good := newBackend(t, refuse(503, "")), newBackend(t, nil)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	c := client(t, to(dead.URL, bad.URL, good.URL), Deps{})
	for range 3 {
		require.NoError(t, c.Send(t.Context(), recs(2)))
	}
	require.Len(t, good.taken, 6)
	require.Len(t, bad.requests, 1)
	require.EqualValues(t, 2, c.Stats().Failures)
	c.targets[1].retryAt = time.Now()
	require.NoError(t, c.Send(t.Context(), recs(1)))
	require.Len(t, bad.requests, 2, "asked again")
	good.Close()
	err := c.Send(t.Context(), recs(1))
	require.Equal(t, fault.Transient, fault.Of(err))
	require.ErrorContains(t, err, "status 503")
	require.ErrorContains(t, err, "connection refused")
}

func TestWorst(t *testing.T) {
	t.Parallel()
	refused, busy := newBackend(t, refuse(403, "no")), newBackend(t, func(w http.ResponseWriter, _ []entry) bool {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	})
	err := client(t, to(refused.URL, busy.URL), Deps{}).Send(t.Context(), recs(1))
	require.Equal(t, fault.Throttle, fault.Of(err))
	require.Equal(t, 3*time.Second, fault.RetryAfter(err))
	err = client(t, to(refused.URL, refused.URL), Deps{}).Send(t.Context(), recs(1))
	require.Equal(t, fault.Credentials, fault.Of(err))
}

// TestSlowServer: the request's time is bounded, and its memory is not used again
// while it may still be read.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	cfg := to(slow.URL)
	cfg.Timeout = 20 * time.Millisecond
	c := client(t, cfg, Deps{})
	for range 5 {
		err := c.Send(t.Context(), recs(1000))
		require.Equal(t, fault.Transient, fault.Of(err))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, c.Send(ctx, recs(1)), context.Canceled)
}

func TestResetConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 100))
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	})
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { _ = l.Close() })
	c := client(t, to("http://"+l.Addr().String()), Deps{Key: key})
	err = c.Send(t.Context(), recs(1000))
	require.Equal(t, fault.Transient, fault.Of(err))
	require.NotContains(t, err.Error(), testKey)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	b := &backend{}
	server := httptest.NewTLSServer(b)
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	cfg := Config{Endpoints: []Endpoint{{URL: server.URL, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}}
	require.NoError(t, client(t, cfg, Deps{Key: key}).Send(t.Context(), recs(1)))
	err := client(t, to(server.URL), Deps{Key: key}).Send(t.Context(), recs(1))
	require.ErrorContains(t, err, "certificate")
	require.NotContains(t, err.Error(), testKey)
	require.Len(t, b.requests, 1)
}

// TestKeyOverPlaintext: it goes to loopback, and elsewhere only on purpose.
func TestKeyOverPlaintext(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	deps := Deps{Key: key, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(b.URL, "http://"))
	}}
	err := client(t, to("http://example.invalid"), deps).Send(t.Context(), recs(1))
	require.Equal(t, fault.Credentials, fault.Of(err))
	require.EqualError(t, err, "send logs to example.invalid: the API key does not go over plaintext: use https, a loopback address, or allow it")
	require.Empty(t, b.requests)
	cfg := to("http://example.invalid")
	cfg.Endpoints[0].KeyInClear = true
	require.NoError(t, client(t, cfg, deps).Send(t.Context(), recs(1)))
	require.NoError(t, client(t, to("http://example.invalid"), Deps{Dial: deps.Dial}).Send(t.Context(), recs(1)), "without a key there is none to protect")
	require.NoError(t, client(t, to("http://localhost"), deps).Send(t.Context(), recs(1)))
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	thief := newBackend(t, nil)
	b := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(b.Close)
	require.ErrorContains(t, client(t, to(b.URL), Deps{Key: key}).Send(t.Context(), recs(1)), "status 307")
	require.Empty(t, thief.requests)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"nowhere":                   "is not a URL",
		"ftp://x":                   "is not a URL",
		"https://u:p@h":             "endpoint https://h: leave out user, query and fragment",
		"https://h/p?dd-api-key=x":  "leave out user",
		"https://" + testKey + "\n": "is not a URL",
	} {
		_, err := New(to(url), Deps{})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), testKey)
	}
	_, err := New(Config{}, Deps{})
	require.ErrorContains(t, err, "no endpoint given")
	_, err = New(Config{Endpoints: []Endpoint{{URL: "http://h"}}, Compression: "lzma"}, Deps{})
	require.ErrorContains(t, err, `compression "lzma": use zstd, gzip or identity`)
	_, err = New(Config{Endpoints: []Endpoint{{URL: "http://h", Proxy: "x"}}}, Deps{})
	require.ErrorContains(t, err, "the proxy is not a URL")
}

func TestProxy(t *testing.T) {
	t.Parallel()
	b := newBackend(t, nil)
	cfg := Config{Endpoints: []Endpoint{{URL: "http://logs.invalid", Proxy: b.URL, KeyInClear: true}}}
	require.NoError(t, client(t, cfg, Deps{Key: key}).Send(t.Context(), recs(1)))
	require.Equal(t, "logs.invalid", b.requests[0].Host)
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &Error{Host: "h", Status: 500}, "send logs to h: status 500")
	require.ErrorIs(t, &Error{Err: io.EOF}, io.EOF)
}

// BenchmarkEncode is 1000 lines of the usual length.
func BenchmarkEncode(b *testing.B) {
	all := make([]record.Record, 1000)
	for i := range all {
		all[i] = rec(fmt.Sprintf("081109 203615 %d INFO dfs.DataNode$PacketResponder: PacketResponder %d for block blk_%d terminating", i, i%3, i*7919))
	}
	e := encoder{maxBytes: DefaultMaxBytes, maxEntries: DefaultMaxEntries, maxEntry: DefaultMaxEntry}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = e.append(dst[:0], all)
	}
	b.SetBytes(int64(len(dst)))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/line")
}

// The sender takes a client as the last rung of its ladder.
var _ stream.Fallback = (*Client)(nil)
