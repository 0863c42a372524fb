package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeShipper acknowledges in order, when it is allowed to.
type fakeShipper struct {
	durable func(uint64, []record.Origin)

	mu      sync.Mutex
	text    bytes.Buffer
	tags    []string
	pending []record.Origin
	deaf    bool // acknowledges nothing
	refuse  error
}

func (f *fakeShipper) Start(context.Context) error { return f.refuse }

func (f *fakeShipper) Append(_ context.Context, lines []record.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range lines {
		f.text.Write(append(line.Message, '\n'))
		f.tags = append(f.tags, line.Tags)
		f.pending = append(f.pending, line.Origin)
	}
	f.release()
	return nil
}

func (f *fakeShipper) AppendSeq(ctx context.Context, _ uint64, lines []record.Record) error {
	return f.Append(ctx, lines)
}

func (f *fakeShipper) Renew() {}

func (f *fakeShipper) release() {
	if !f.deaf {
		f.durable(0, f.pending)
		f.pending = nil
	}
}

func (f *fakeShipper) Flush(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) > 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (f *fakeShipper) Stop(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) > 0 {
		return &stream.UnackedError{Lines: len(f.pending), Batches: 1}
	}
	return nil
}

func (f *fakeShipper) Stats() stream.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return stream.Stats{State: stream.StateActive, InflightLines: len(f.pending)}
}

func (f *fakeShipper) got() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

// fixture is an engine over one log file, and the shippers it made.
type fixture struct {
	*Engine
	cfg      Config
	log      string
	shippers []*fakeShipper
	prepare  func(*fakeShipper)
}

func newFixture(t *testing.T, change func(*Config)) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{log: filepath.Join(dir, "app.log")}
	f.cfg = valid()
	f.cfg.RunPath = filepath.Join(dir, "run")
	f.cfg.Sources[0] = SourceConfig{Type: SourceFile, Path: f.log, StartAt: StartAtBeginning}
	f.cfg.Batch.MaxWait = 20 * time.Millisecond
	if change != nil {
		change(&f.cfg)
	}
	f.renew(t)
	return f
}

// renew makes another engine of the same configuration, as after a restart.
func (f *fixture) renew(t *testing.T) {
	t.Helper()
	e, err := New(f.cfg, Deps{Version: "1.2.3"})
	require.NoError(t, err)
	e.newShipper = func(_ stream.Config, deps stream.Deps) (shipper, error) {
		s := &fakeShipper{durable: deps.OnDurable}
		if f.prepare != nil {
			f.prepare(s)
		}
		f.shippers = append(f.shippers, s)
		return s, nil
	}
	f.Engine = e
}

func (f *fixture) write(t *testing.T, text string) {
	t.Helper()
	file, err := os.OpenFile(f.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

func (f *fixture) start(t *testing.T) {
	t.Helper()
	require.NoError(t, f.Start(t.Context()))
	t.Cleanup(func() { _ = f.Stop(context.Background()) })
}

// soon bounds what would hang: ten tests at a time, each under the race detector on
// a busy machine, take a third of it.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestEngineShipsAndReleases(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *Config) {
		c.Hostname, c.Tags = "host-1", []string{"env:test"}
		c.Sources[0].Service, c.Sources[0].Source, c.Sources[0].Tags = "app", "go", []string{"team:a", "tier:1"}
	})
	f.write(t, "one\ntwo\nhalf")
	f.start(t)
	require.NoError(t, f.Start(t.Context()), "twice is once")
	require.NoError(t, f.Flush(soon(t)))
	require.Len(t, f.shippers, 1)
	require.Equal(t, "one\ntwo\n", f.shippers[0].got())
	require.Equal(t, "hostname:host-1,service:app,ddsource:go,env:test,team:a,tier:1,filename:app.log", f.shippers[0].tags[0])

	s := f.Status()
	require.True(t, s.Running)
	require.Len(t, s.Files, 1)
	require.Equal(t, []int64{8, 8, 12, 4, 2}, []int64{s.Files[0].Offset, s.Files[0].Read, s.Files[0].Size, s.Files[0].Lag, s.Files[0].Lines})

	f.Retag([]string{"lambda_microvm_id:m-1"})
	f.write(t, " and half\n")
	require.NoError(t, f.Flush(soon(t)))
	require.Equal(t, "one\ntwo\nhalf and half\n", f.shippers[0].got())
	require.Equal(t, "hostname:host-1,service:app,ddsource:go,env:test,team:a,tier:1,lambda_microvm_id:m-1,filename:app.log", f.shippers[0].tags[2])

	require.NoError(t, f.Stop(soon(t)))
	require.NoError(t, f.Stop(soon(t)))
	s = f.Status()
	require.False(t, s.Running)
	require.Equal(t, int64(22), s.Files[0].Offset)

	f.renew(t)
	f.Retag([]string{"a:b"})
	f.start(t)
	f.write(t, "three\n")
	require.NoError(t, f.Flush(soon(t)))
	require.Equal(t, "three\n", f.shippers[1].got())
	require.Contains(t, f.shippers[1].tags[0], ",a:b,filename:app.log")
}

func TestEngineCanBeStartedAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.write(t, "one\n")
	f.start(t)
	require.NoError(t, f.Flush(soon(t)))
	require.NoError(t, f.Stop(soon(t)))
	f.write(t, "two\n")
	require.NoError(t, f.Start(t.Context()))
	require.NoError(t, f.Flush(soon(t)))
	require.Equal(t, "two\n", f.shippers[1].got())
	require.NoError(t, f.Stop(soon(t)))
}

func TestWhatIsNotAcknowledgedIsReadAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.prepare = func(s *fakeShipper) { s.deaf = len(f.shippers) == 0 }
	f.write(t, "one\ntwo\n")
	f.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, f.Flush(ctx), "flush logs: context deadline exceeded")
	require.Equal(t, int64(8), f.Status().Files[0].Lag)
	err := f.Stop(soon(t))
	var unacked *stream.UnackedError
	require.ErrorAs(t, err, &unacked)
	require.Equal(t, 2, unacked.Lines)

	f.renew(t)
	f.start(t)
	require.NoError(t, f.Flush(soon(t)))
	require.Equal(t, "one\ntwo\n", f.shippers[1].got())
}

func TestOffsetsAreSavedWhenStopRunsOutOfTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.write(t, "one\n")
	f.start(t)
	require.NoError(t, f.Flush(soon(t)))
	f.write(t, "two\n")
	require.Eventually(t, func() bool { return f.Status().Files[0].Offset == 8 }, 20*time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = f.Stop(ctx)
	_ = f.Stop(soon(t))
	text, err := os.ReadFile(filepath.Join(f.cfg.RunPath, registry.FileName))
	require.NoError(t, err)
	require.Contains(t, string(text), `"offset":8`)
}

func TestTwoEnginesDoNotShareARunPath(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.start(t)
	other, err := New(f.cfg, Deps{})
	require.NoError(t, err)
	err = other.Start(t.Context())
	var locked *registry.LockedError
	require.ErrorAs(t, err, &locked)
	require.ErrorContains(t, err, "logs: run path "+f.cfg.RunPath+" is in use by the agent with pid ")
	require.False(t, other.Status().Running)
}

func TestFailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	refused := errors.New("refused")
	f.prepare = func(s *fakeShipper) { s.refuse = refused }
	require.ErrorIs(t, f.Start(t.Context()), refused)
	require.False(t, f.Status().Running)
	f.prepare = nil
	f.start(t)

	f = newFixture(t, func(c *Config) { c.Endpoint.TLS = TLSConfig{CAFile: "/nowhere.pem"} })
	require.ErrorContains(t, f.Start(t.Context()), "logs: endpoint.tls.ca_file: cannot be read")
}

func TestSwitchedOffEngineDoesNothing(t *testing.T) {
	t.Parallel()
	e, err := New(DefaultConfig(), Deps{})
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(t.Context()))
	e.Retag([]string{"a:b"})
	text, err := json.Marshal(e.Status())
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), `{"enabled":false,"running":false,"files":[],"stream":{"endpoint":"","state":"","connected":false,`), string(text))
	require.NoError(t, e.Stop(t.Context()))
}

func TestStreamStatus(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 10, 9, 8, 7, 6, 0, time.UTC)
	s := streamStatus(stream.Stats{Endpoint: "host:1", Profile: "columns", State: stream.StateBackoff, LastError: "no route", RetryAt: now.Add(3 * time.Second), LinesAcked: 7}, nil, now)
	require.Equal(t, StreamStatus{
		Endpoint: "host:1", Profile: "columns", State: "backoff", LastError: "no route", AckedLines: 7,
		NextStep: "connects again in 3s; files are read on as far as there is room",
	}, s)
	for state, want := range map[stream.State]string{
		stream.StateActive: "", stream.StateBackoff: "connects again now", stream.StateConnecting: "connects again now",
		stream.StateDraining: "moves to a new stream when what was sent is acknowledged",
	} {
		require.Equal(t, want, nextStep(stream.Stats{State: state, LastError: "x"}, now))
	}
}
