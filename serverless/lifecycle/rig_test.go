package lifecycle_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is everything the server did to the outside, in order, one line each.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// of returns the lines that begin with one of the words.
func (j *journal) of(words ...string) []string {
	var out []string
	for _, line := range j.all() {
		word, _, _ := strings.Cut(line, " ")
		if slices.Contains(words, word) {
			out = append(out, line)
		}
	}
	return out
}

// metrics is a metrics client that writes the journal.
type metrics struct {
	j    *journal
	mu   sync.Mutex
	hold chan struct{} // every call waits for it
}

func (m *metrics) Gauge(_ string, _ float64, tags []string, _ float64) error {
	m.wait()
	m.j.add("beat %s", strings.Join(tags, ","))
	return nil
}

func (m *metrics) Distribution(name string, value float64, tags []string, rate float64) error {
	m.wait()
	word := "event"
	switch name {
	case lifecycle.PhaseMetric:
		word = "phase"
	case lifecycle.OddityMetric:
		word = "odd"
	}
	m.j.add(word+" %s=%v@%v %s", strings.TrimPrefix(name, lifecycle.EventPrefix), value, rate, strings.Join(tags, ","))
	return nil
}

// part is a flusher and a drainer.
type part struct {
	name string
	j    *journal
	do   func(ctx context.Context) error
}

func (p *part) Name() string { return p.name }

func (p *part) Flush(ctx context.Context) error {
	if p.do != nil {
		if err := p.do(ctx); err != nil {
			return err
		}
	}
	p.j.add("flush %s", p.name)
	return nil
}

func (p *part) Drain(ctx context.Context) error {
	if p.do != nil {
		if err := p.do(ctx); err != nil {
			return err
		}
	}
	p.j.add("drain %s", p.name)
	return nil
}

// logs collects what the server logs.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) count(sub string) int { return strings.Count(l.String(), sub) }

// rig is a server with recorded surroundings.
type rig struct {
	*journal
	t    *testing.T
	srv  *lifecycle.Server
	beat *heartbeat.Beat
	logs *logs
	m    *metrics
}

type setup struct {
	cfg  lifecycle.Config
	deps lifecycle.Deps
}

// build makes a server that is not listening; calls go straight to its handler,
// as they must inside a bubble of synctest.
func build(t *testing.T, change ...func(*setup, *rig)) *rig {
	t.Helper()
	r := &rig{journal: &journal{}, t: t, logs: &logs{}}
	r.m = &metrics{j: r.journal}
	log := slog.New(slog.NewTextHandler(r.logs, nil))
	r.beat = heartbeat.New(heartbeat.Config{}, heartbeat.Deps{Metrics: r.m, Log: log})
	s := &setup{
		cfg: lifecycle.Config{
			Address: "127.0.0.1:0", Budget: 4500 * time.Millisecond, ForwardTimeout: time.Second,
			ReadyTimeout: 30 * time.Second, ValidateTimeout: 30 * time.Second,
		},
		deps: lifecycle.Deps{
			Log: log, Beat: r.beat, Events: r.m,
			Flushers:   []lifecycle.Flusher{&part{name: "metrics", j: r.journal}},
			OnIdentity: func(id string) { r.add("identity %s", id) },
		},
	}
	for _, f := range change {
		f(s, r)
	}
	r.srv = lifecycle.New(s.cfg, s.deps)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, r.srv.Stop(ctx))
	})
	return r
}

// listen makes a server that answers on loopback.
func listen(t *testing.T, change ...func(*setup, *rig)) *rig {
	t.Helper()
	r := build(t, change...)
	require.NoError(t, r.srv.Start(t.Context()))
	return r
}

// hook calls the handler, over loopback if the server listens.
func (r *rig) hook(name, body string) (status int, answer string) {
	r.t.Helper()
	status, answer, _ = r.full(http.MethodPost, lifecycle.BasePath+name, strings.NewReader(body))
	return status, answer
}

func (r *rig) full(method, target string, body io.Reader) (int, string, http.Header) {
	r.t.Helper()
	if r.srv.Addr() == nil {
		w := httptest.NewRecorder()
		r.srv.ServeHTTP(w, httptest.NewRequestWithContext(r.t.Context(), method, target, body))
		return w.Code, w.Body.String(), w.Result().Header
	}
	status, text, header, err := r.try(method, target, body)
	require.NoError(r.t, err)
	return status, text, header
}

// try is for goroutines, which must not end a test.
func (r *rig) try(method, target string, body io.Reader) (int, string, http.Header, error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.srv.Addr().String()+target, body)
	if err != nil {
		return 0, "", nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), resp.Header, err
}

// client neither follows redirects nor keeps connections nor unpacks.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
}

// ok calls hooks that must be answered with 200.
func (r *rig) ok(names ...string) {
	r.t.Helper()
	for _, name := range names {
		hook, id, _ := strings.Cut(name, " ")
		body := "{}"
		if id != "" {
			body = `{"microvmId":"` + id + `","runHookPayload":"x"}`
		}
		status, answer := r.hook(hook, body)
		require.Equal(r.t, http.StatusOK, status, "%s: %s", name, answer)
	}
}

// settled waits until every emission that was begun has been recorded; the
// heartbeat must be running or stopped cleanly.
func (r *rig) settled(beats int) []string {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.of("beat")) >= beats }, 10*time.Second, time.Millisecond)
	return r.of("beat")
}

func beatOf(id string) string { return "beat microvm_id:" + id + ",lambda_microvm_id:" + id }

func (m *metrics) setHold(hold chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold = hold
}

func (m *metrics) wait() {
	m.mu.Lock()
	hold := m.hold
	m.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

// closedPort is a port of loopback on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	return ln.Addr().(*net.TCPAddr).Port
}
