package source

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
)

// patience is how long a test waits for what should take milliseconds.
const patience = 20 * time.Second

// tb is what testing.T and rapid.T share.
type tb interface {
	require.TestingT
	Helper()
}

// agent is a run of Files with a registry, over a directory of logs.
type agent struct {
	logs, run string
	cfg       Config

	files    *Files
	registry *registry.Registry

	mu     sync.Mutex
	lines  []record.Record
	commit bool          // every line is durable at once
	full   bool          // there is no room for lines that are not complete
	gate   chan struct{} // not nil: the sink waits for it to be closed
}

func newAgent(t *testing.T, patterns ...Pattern) *agent {
	t.Helper()
	a := &agent{logs: t.TempDir(), run: t.TempDir(), commit: true}
	if len(patterns) == 0 {
		patterns = []Pattern{{Path: "app.log"}}
	}
	for i := range patterns {
		patterns[i].Path = filepath.Join(a.logs, patterns[i].Path)
	}
	a.cfg = Config{Patterns: patterns, Poll: 50 * time.Millisecond, Scan: 200 * time.Millisecond}
	t.Cleanup(func() { a.stop(t) })
	return a
}

func (a *agent) start(t tb) {
	t.Helper()
	reg, err := registry.New(registry.Config{Dir: a.run, FlushEvery: 20 * time.Millisecond}, registry.Deps{})
	require.NoError(t, err)
	require.NoError(t, reg.Start(context.Background()))
	files, err := New(a.cfg, Deps{Registry: reg, Sink: a.take})
	require.NoError(t, err)
	a.registry, a.files = reg, files
	if a.full {
		files.chunks.rests.Store(maxRests)
	}
	require.NoError(t, files.Start(context.Background()))
}

func (a *agent) stop(t tb) {
	t.Helper()
	if a.files == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, a.files.Stop(ctx))
	require.NoError(t, a.registry.Stop(ctx))
}

func (a *agent) restart(t tb) {
	t.Helper()
	a.stop(t)
	a.start(t)
}

// take is the sink.
func (a *agent) take(ctx context.Context, lines []record.Record) error {
	a.mu.Lock()
	gate := a.gate
	a.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range lines {
		line.Message = bytes.Clone(line.Message)
		a.lines = append(a.lines, line)
	}
	a.registry.Begin(lines)
	if a.commit {
		for _, line := range lines {
			a.registry.CommitThrough(line.Origin)
		}
	}
	return nil
}

func (a *agent) path(name string) string { return filepath.Join(a.logs, name) }

func (a *agent) write(t tb, name, text string) {
	t.Helper()
	f, err := os.OpenFile(a.path(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func (a *agent) rename(t tb, from, to string) {
	t.Helper()
	require.NoError(t, os.Rename(a.path(from), a.path(to)))
}

// sync waits until everything written so far has reached the sink.
func (a *agent) sync(t tb) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, a.files.Sync(ctx))
}

// text is all that reached the sink, each line with its line feed.
func (a *agent) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	for _, line := range a.lines {
		b.Write(line.Message)
		b.WriteByte('\n')
	}
	return b.String()
}

// wants waits until want, and nothing else, has reached the sink.
func (a *agent) wants(t tb, want string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) && len(a.text()) < len(want) {
		time.Sleep(5 * time.Millisecond)
	}
	got := a.text()
	if len(want) < 1000 {
		require.Equal(t, want, got)
		return
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	part := func(s string) string { return s[max(0, at-100):min(len(s), at+100)] }
	if at < max(len(want), len(got)) {
		require.Fail(t, "texts differ", "at byte %d, of %d wanted and %d read:\nwant …%s…\ngot  …%s…\n%+v", at, len(want), len(got), part(want), part(got), a.files.Status())
	}
}

func (a *agent) status(t tb, name string) FileStatus {
	t.Helper()
	for _, s := range a.files.Status() {
		if s.Path == a.path(name) {
			return s
		}
	}
	require.Fail(t, "no status", "%s is not in %+v", name, a.files.Status())
	return FileStatus{}
}

func eventually(t tb, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			require.Fail(t, "never happened: "+what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
