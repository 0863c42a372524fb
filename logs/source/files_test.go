package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
)

func TestReadsFromTheBeginning(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "one\ntwo\n")
	a.start(t)
	a.wants(t, "one\ntwo\n")
	a.write(t, "app.log", "three\n")
	a.wants(t, "one\ntwo\nthree\n")
}

func TestReadsFromTheEnd(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "*.log", FromEnd: true})
	a.write(t, "app.log", "old\nhalf")
	a.start(t)
	a.write(t, "app.log", " and half\nnew\n")
	a.wants(t, "half and half\nnew\n")
	// What appears later is new, and so read whole.
	a.write(t, "late.log", "late\n")
	a.wants(t, "half and half\nnew\nlate\n")
}

func TestFilesThatAppearWhileStoppedAreNew(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "*.log", FromEnd: true})
	a.write(t, "app.log", "old\n")
	a.start(t)
	a.stop(t)
	a.write(t, "late.log", "late\n")
	a.write(t, "app.log", "more\n")
	a.start(t)
	a.sync(t)
	require.ElementsMatch(t, []string{"late", "more"}, strings.Fields(a.text()))
}

func TestBytesAreExact(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	text := "crlf\r\n\r\n\nnul\x00nul\ninvalid \xff\xfe\xc3\n\x1b[31mred\x1b[0m\t\t  trailing  \nemoji 🙂\n\xef\xbb\xbfbom\n"
	a.write(t, "app.log", text)
	a.start(t)
	a.wants(t, text)
}

func TestEveryRecordKnowsItsOrigin(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "app.log", Tags: []string{"service:app", "team:a"}})
	a.write(t, "app.log", "one\ntwo\r\n")
	before := time.Now().UnixMilli()
	a.start(t)
	a.wants(t, "one\ntwo\r\n")

	got := a.lines
	require.NotEmpty(t, got[0].Origin.Source)
	require.GreaterOrEqual(t, got[0].Time, before)
	require.LessOrEqual(t, got[1].Time, time.Now().UnixMilli())
	id, at := got[0].Origin.Source, got[0].Time
	require.Equal(t, []record.Record{
		{Time: at, Tags: "service:app,team:a,filename:app.log", Message: []byte("one"), Origin: record.Origin{Source: id, End: 4}},
		{Time: got[1].Time, Tags: "service:app,team:a,filename:app.log", Message: []byte("two\r"), Origin: record.Origin{Source: id, End: 9}},
	}, got)

	a.files.Retag([]string{"lambda_microvm_id:m-1"})
	a.write(t, "app.log", "three\n")
	a.sync(t)
	require.Equal(t, "service:app,team:a,lambda_microvm_id:m-1,filename:app.log", a.lines[2].Tags)
	require.Equal(t, id, a.lines[2].Origin.Source)
}

func TestPartialLineIsHeldBack(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.start(t)
	for _, part := range []string{"par", "ti", "al"} {
		a.write(t, "app.log", part)
		a.sync(t)
		require.Empty(t, a.text())
	}
	a.write(t, "app.log", "\nnext")
	a.wants(t, "partial\n")
	require.Equal(t, int64(8), a.status(t, "app.log").Read)
}

func TestPartialLineIsReadAgainAfterARestart(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "whole\npar")
	a.start(t)
	a.wants(t, "whole\n")
	a.stop(t)
	a.write(t, "app.log", "tial\n")
	a.start(t)
	a.wants(t, "whole\npartial\n")
}

func TestLongLinesAreCut(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.cfg.MaxLine = 1000
	a.write(t, "app.log", strings.Repeat("x", 2500)+"\nshort\n")
	a.start(t)
	x := strings.Repeat("x", 1000)
	a.wants(t, x+"\n"+x+"\n"+x[:500]+"\nshort\n")
	eventually(t, "count", func() bool { return a.status(t, "app.log").CutLines == 2 })
	require.Equal(t, int64(4), a.status(t, "app.log").Lines)
	require.Equal(t, int64(2507), a.status(t, "app.log").Offset)
}

func TestDefaultLineLimit(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	line := strings.Repeat("0123456789abcdef", DefaultMaxLine/16)
	a.write(t, "app.log", line+"\n"+line+"!\n")
	a.start(t)
	a.wants(t, line+"\n"+line+"\n!\n")
}

func TestPatternsFindNewFilesAndDirectories(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "pods/*/*/*.log"}, Pattern{Path: "pods/a/x/*"})
	a.start(t)
	require.NoError(t, os.MkdirAll(a.path("pods/a/x"), 0o700))
	a.write(t, "pods/a/x/0.log", "a\n")
	a.wants(t, "a\n")
	require.NoError(t, os.MkdirAll(a.path("pods/b/y"), 0o700))
	a.write(t, "pods/b/y/0.log", "b\n")
	a.wants(t, "a\nb\n")
	a.write(t, "pods/b/y/0.log.gz", "compressed\n")
	a.write(t, "pods/b/y/1.log", "c\n")
	a.wants(t, "a\nb\nc\n")
	require.Len(t, a.files.Status(), 3)
}

func TestSymbolicLinkIsFollowed(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "links/*.log"})
	require.NoError(t, os.MkdirAll(a.path("links"), 0o700))
	require.NoError(t, os.MkdirAll(a.path("real"), 0o700))
	a.write(t, "real/0.log", "one\n")
	require.NoError(t, os.Symlink("../real/0.log", a.path("links/app.log")))
	a.start(t)
	a.wants(t, "one\n")
	a.write(t, "real/0.log", "two\n")
	a.wants(t, "one\ntwo\n")
	// The kubelet's way: rename the target, make a new one of the same name.
	a.rename(t, "real/0.log", "real/0.log.20261009-080706")
	a.write(t, "real/0.log", "three\n")
	a.wants(t, "one\ntwo\nthree\n")
	require.Equal(t, "filename:app.log", a.lines[2].Tags)
}

func TestWithoutNotifications(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.cfg.PollOnly = true
	a.start(t)
	a.write(t, "app.log", "one\n")
	a.wants(t, "one\n")
	a.rename(t, "app.log", "app.log.1")
	a.write(t, "app.log.1", "two\n")
	a.write(t, "app.log", "three\n")
	a.wants(t, "one\ntwo\nthree\n")
}

func TestBackPressureBoundsReading(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.gate = make(chan struct{})
	text := strings.Repeat("a line of some length to fill chunks\n", 100_000)
	a.write(t, "app.log", text)
	a.start(t)
	eventually(t, "reading", func() bool { return a.status(t, "app.log").Bytes > 0 })
	time.Sleep(50 * time.Millisecond)
	require.LessOrEqual(t, a.status(t, "app.log").Bytes, int64(maxChunk))
	close(a.gate)
	a.wants(t, text)
}

func TestStopWhileTheSinkBlocks(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.gate = make(chan struct{})
	a.write(t, "app.log", "one\n")
	a.start(t)
	eventually(t, "reading", func() bool { return a.status(t, "app.log").Bytes > 0 })
	a.stop(t)
	a.gate = nil
	a.start(t)
	a.wants(t, "one\n")
}

func TestSinkErrorEndsTheFile(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "one\n")
	broken := errors.New("closed")
	reg, err := registry.New(registry.Config{Dir: a.run}, registry.Deps{})
	require.NoError(t, err)
	require.NoError(t, reg.Start(t.Context()))
	files, err := New(a.cfg, Deps{Registry: reg, Sink: func(context.Context, []record.Record) error { return broken }})
	require.NoError(t, err)
	require.NoError(t, files.Start(t.Context()))
	a.files, a.registry = files, reg
	eventually(t, "failure", func() bool { return a.status(t, "app.log").State == StateFailed })
	require.Equal(t, "lines cannot be handed on: closed", a.status(t, "app.log").Error)
	a.sync(t) // does not wait for a file that is not read
}

func TestSyncEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.gate = make(chan struct{})
	a.write(t, "app.log", "one\n")
	a.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := a.files.Sync(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "read "+a.path("app.log")+" to its end")
}

func TestWhatIsNoFileIsReported(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "dir"}, Pattern{Path: "pipe"}, Pattern{Path: "missing"}, Pattern{Path: "dir/*"})
	require.NoError(t, os.Mkdir(a.path("dir"), 0o700))
	require.NoError(t, unix.Mkfifo(a.path("pipe"), 0o600))
	require.NoError(t, unix.Mkfifo(a.path("dir/other"), 0o600))
	a.start(t)
	require.Equal(t, []FileStatus{
		{Path: a.path("dir"), State: StateFailed, Error: "not a regular file"},
		{Path: a.path("pipe"), State: StateFailed, Error: "not a regular file"},
	}, a.files.Status())
}

func TestTooManyFilesWait(t *testing.T) {
	t.Parallel()
	a := newAgent(t, Pattern{Path: "*.log"})
	a.cfg.MaxFiles, a.cfg.Linger = 2, 50*time.Millisecond
	for i := range 3 {
		a.write(t, fmt.Sprintf("%d.log", i), fmt.Sprintf("%d\n", i))
	}
	a.start(t)
	a.sync(t)
	require.ElementsMatch(t, []string{"0", "1"}, strings.Fields(a.text()))
	require.Equal(t, FileStatus{Path: a.path("2.log"), State: StateFailed, Error: "waits: too many files are open"}, a.status(t, "2.log"))
	require.NoError(t, os.Remove(a.path("0.log")))
	eventually(t, "turn of the third", func() bool { return strings.Contains(a.text(), "2") })
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	files, err := New(a.cfg, Deps{Registry: &registry.Registry{}, Sink: a.take})
	require.NoError(t, err)
	require.NoError(t, files.Stop(t.Context()))
	require.NoError(t, files.Sync(t.Context()))
	require.Empty(t, files.Status())

	a.start(t)
	require.NoError(t, a.files.Start(t.Context()))
	require.NoError(t, a.files.Stop(t.Context()))
	require.NoError(t, a.files.Stop(t.Context()))
	a.write(t, "app.log", "one\n")
	require.NoError(t, a.files.Start(t.Context()))
	a.wants(t, "one\n")
	require.NoError(t, a.files.Stop(t.Context()))
	a.write(t, "app.log", "two\n")
	require.NoError(t, a.files.Start(t.Context()))
	a.wants(t, "one\ntwo\n")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	ok := Deps{Registry: &registry.Registry{}, Sink: func(context.Context, []record.Record) error { return nil }}
	for want, cfg := range map[string]Config{
		"patterns[1]: path is empty":                         {Patterns: []Pattern{{Path: "/a"}, {}}},
		`patterns[0]: "a.log" is not an absolute path`:       {Patterns: []Pattern{{Path: "a.log"}}},
		`patterns[0]: "/a[" is not a valid pattern: a [ nee`: {Patterns: []Pattern{{Path: "/a["}}},
	} {
		_, err := New(cfg, ok)
		require.ErrorContains(t, err, want)
	}
	_, err := New(Config{}, Deps{})
	require.EqualError(t, err, "file source: a registry and a sink are required")
}

// A look at the names that does not return holds up Sync for its context only.
func TestSyncDoesNotWaitForADirectoryThatHangs(t *testing.T) {
	t.Parallel()
	f := &Files{stop: func() {}, done: make(chan struct{}), syncs: make(chan chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 { // the request is taken, or not
		err := f.Sync(ctx)
		require.ErrorIs(t, err, context.Canceled)
		select {
		case <-f.syncs:
		default:
		}
	}
	close(f.done)
	f.syncs <- nil
	require.NoError(t, f.Sync(t.Context()))
}

// A look at the names that does not return holds up nothing but the look.
func TestADirectoryThatHangsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	a.write(t, "app.log", "one\n")
	a.start(t)
	a.wants(t, "one\n")
	a.files.naming.Lock() // as it is while a directory on a network hangs
	a.files.Retag([]string{"a:b"})
	require.Len(t, a.files.Status(), 1)
	a.write(t, "app.log", "two\n")
	a.wants(t, "one\ntwo\n")
	a.files.syncs <- make(chan struct{}) // loop looks
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, a.files.Stop(ctx), context.DeadlineExceeded)
	require.Len(t, a.files.Status(), 1)
	a.files.naming.Unlock()
}
