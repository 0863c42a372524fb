package child_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/child"
)

// buffer is a writer that two goroutines may use.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func shell(t *testing.T, script string, deps child.Deps) *child.Child {
	t.Helper()
	c, err := child.New([]string{"sh", "-c", script}, deps)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	return c
}

func TestOutputIsCopiedAndCodePropagated(t *testing.T) {
	t.Parallel()
	var out, errOut buffer
	c := shell(t, "echo hello; echo trouble >&2; exit 7", child.Deps{Stdout: &out, Stderr: &errOut})
	require.False(t, c.Alive())
	require.Equal(t, child.NotEnded, c.ExitCode())
	require.Equal(t, child.NotEnded, c.Wait(), "not started: nothing to wait for")
	require.NoError(t, c.Start(t.Context()))
	require.NoError(t, c.Start(t.Context()), "a second start spawns nothing")
	require.Equal(t, 7, c.Wait())
	<-c.Done()
	require.False(t, c.Alive())
	require.Positive(t, c.PID())
	require.Equal(t, "hello\n", out.String())
	require.Equal(t, "trouble\n", errOut.String())
	require.NoError(t, c.Stop(t.Context()))
}

func TestFilesAreHandedOver(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	c := shell(t, "echo direct; cat", child.Deps{Stdout: f, Stderr: io.Discard})
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, 0, c.Wait(), "standard input is at its end")
	got, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Equal(t, "direct\n", string(got))
}

func TestBrokenOutputDoesNotHurtTheApplication(t *testing.T) {
	t.Parallel()
	var out buffer
	c := shell(t, "for i in 1 2 3 4 5; do echo line $i || exit 9; sleep 0.01; done", child.Deps{
		Stdout: brokenWriter{}, Log: slog.New(slog.NewTextHandler(&out, nil)),
	})
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, 0, c.Wait())
	require.Equal(t, 1, strings.Count(out.String(), "level=WARN"))
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("pipeline closed") }

func TestDeathBySignalIs128PlusN(t *testing.T) {
	t.Parallel()
	c := shell(t, "kill -SEGV $$", child.Deps{})
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, 128+int(syscall.SIGSEGV), c.Wait())
}

func TestFailedSpawn(t *testing.T) {
	t.Parallel()
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, []byte("not a program"), 0o600))
	for name, tt := range map[string]struct {
		program string
		code    int
	}{
		"not in PATH":    {"vigil-no-such-program", 127},
		"no such file":   {"/nonexistent/program", 127},
		"not executable": {plain, 126},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := child.New([]string{tt.program, "x"}, child.Deps{})
			require.NoError(t, err)
			err = c.Start(t.Context())
			require.ErrorContains(t, err, `child: start "`+tt.program+`"`)
			require.Equal(t, err, c.Start(t.Context()))
			require.False(t, c.Alive())
			<-c.Done()
			require.Equal(t, tt.code, c.Wait())
			require.NoError(t, c.Stop(t.Context()))
		})
	}
}

func TestNilAndZeroAreAProcessThatNeverRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []*child.Child{nil, {}} {
		require.False(t, c.Alive())
		require.Zero(t, c.PID())
		require.Nil(t, c.Done())
		require.Equal(t, child.NotEnded, c.ExitCode())
		require.Equal(t, child.NotEnded, c.Wait())
		require.NoError(t, c.Stop(t.Context()))
		require.ErrorIs(t, c.Start(t.Context()), child.ErrNoCommand)
	}
}

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	var out buffer
	c := shell(t, `trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done`, child.Deps{Stdout: &out})
	require.NoError(t, c.Start(t.Context()))
	require.Eventually(t, func() bool { return out.String() == "up\n" }, 10*time.Second, time.Millisecond)
	require.True(t, c.Alive())
	require.NoError(t, c.Stop(t.Context()))
	require.Equal(t, 3, c.ExitCode())
	require.Equal(t, "up\nbye\n", out.String())
}

func TestStopKillsTheWholeGroupAtTheDeadline(t *testing.T) {
	t.Parallel()
	var out buffer
	c := shell(t, `trap '' TERM; sleep 600 & echo $!; while :; do sleep 0.01; done`, child.Deps{Stdout: &out})
	require.NoError(t, c.Start(t.Context()))
	require.Eventually(t, func() bool { return strings.HasSuffix(out.String(), "\n") }, 10*time.Second, time.Millisecond)
	grandchild, err := strconv.Atoi(strings.TrimSpace(out.String()))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = c.Stop(ctx)
	require.ErrorIs(t, err, child.ErrKilled)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, 128+int(syscall.SIGKILL), c.ExitCode())
	require.Eventually(t, func() bool { return gone(grandchild) }, 10*time.Second, time.Millisecond)
}

func TestStopLeavesNoOrphans(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		script string
		before func(*child.Child)
		code   int
	}{
		"ends when asked":  {"sleep 600 & echo $!; wait", func(*child.Child) {}, 128 + int(syscall.SIGTERM)},
		"ended by itself":  {"sleep 600 & echo $!; exit 3", func(c *child.Child) { c.Wait() }, 3},
		"ends on a signal": {"sleep 600 & echo $!; wait", func(c *child.Child) { _ = c.Signal(syscall.SIGTERM); c.Wait() }, 128 + int(syscall.SIGTERM)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out buffer
			c := shell(t, tt.script, child.Deps{Stdout: &out})
			require.NoError(t, c.Start(t.Context()))
			require.Eventually(t, func() bool { return strings.HasSuffix(out.String(), "\n") }, 10*time.Second, time.Millisecond)
			grandchild, err := strconv.Atoi(strings.TrimSpace(out.String()))
			require.NoError(t, err)
			tt.before(c)
			require.NoError(t, c.Stop(t.Context()))
			require.Equal(t, tt.code, c.ExitCode())
			require.Eventually(t, func() bool { return gone(grandchild) }, 10*time.Second, time.Millisecond)
		})
	}
}

// gone reports that the process has ended; an orphan may stay as a zombie where
// nobody reaps.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAGrandchildThatHoldsTheOutputDoesNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	var out buffer
	c := shell(t, "sleep 600 & exit 5", child.Deps{Stdout: &out})
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, 5, c.Wait())
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := shell(t, "sleep 600", child.Deps{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _ = c.Start(t.Context()) })
		wg.Go(func() { _, _, _ = c.Alive(), c.PID(), c.ExitCode() })
		wg.Go(func() { _ = c.Stop(t.Context()) })
	}
	wg.Wait()
	require.NoError(t, c.Stop(t.Context()))
	require.Equal(t, 128+int(syscall.SIGTERM), c.Wait())
}
