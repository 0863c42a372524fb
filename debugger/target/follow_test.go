package target_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/target"
)

const (
	wait = 10 * time.Second
	tick = 5 * time.Millisecond
)

// follow starts a follower that looks often.
func follow(t *testing.T, interval time.Duration, selectors ...target.Selector) *target.Follower {
	t.Helper()
	f, err := target.NewFollower(selectors, interval, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, f.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, f.Stop(t.Context())) })
	return f
}

func next(t *testing.T, f *target.Follower) target.Change {
	t.Helper()
	select {
	case c, ok := <-f.Changes():
		require.True(t, ok, "stopped")
		return c
	case <-time.After(wait):
		require.Fail(t, "no change came")
		return target.Change{}
	}
}

func TestFollowByExecutable(t *testing.T) {
	t.Parallel()
	running := shell(t, "followed-exe", "DD_SERVICE=")
	dir := filepath.Dir(running.Path)
	f := follow(t, 20*time.Millisecond, target.Selector{Exe: dir + "/*"})
	c := next(t, f)
	require.False(t, c.Ended)
	require.Equal(t, running.Process.Pid, c.Process.PID)
	require.Equal(t, "followed-exe", c.Process.Service)

	second := start(t, []string{"DD_SERVICE=tea"}, running.Path, "-c", "echo ready; read line")
	c = next(t, f)
	require.Equal(t, second.Process.Pid, c.Process.PID)
	require.Equal(t, "tea", c.Process.Service)

	running.end()
	c = next(t, f)
	require.True(t, c.Ended)
	require.Equal(t, running.Process.Pid, c.Process.PID)
}

func TestFollowByService(t *testing.T) {
	t.Parallel()
	shell(t, "other", "DD_SERVICE=coffee-of-this-test")
	mine := shell(t, "mine", "DD_SERVICE=tea-of-this-test")
	f := follow(t, 20*time.Millisecond, target.Selector{Service: "tea-of-this-test"})
	require.Equal(t, mine.Process.Pid, next(t, f).Process.PID)
}

// TestFollowSeesEndsAtOnce has an interval far longer than the test.
func TestFollowSeesEndsAtOnce(t *testing.T) {
	t.Parallel()
	c := shell(t, "brief")
	f := follow(t, time.Hour, target.Selector{PID: c.Process.Pid})
	require.Equal(t, c.Process.Pid, next(t, f).Process.PID)
	c.end()
	require.True(t, next(t, f).Ended)
}

// TestFollowExec replaces the program of a process: it ends as what it was and
// begins as what it is.
func TestFollowExec(t *testing.T) {
	t.Parallel()
	other := copyOf(t, "/bin/cat", "other")
	c := start(t, nil, copyOf(t, "/bin/sh", "first"), "-c", "echo ready; read line; exec "+other)
	f := follow(t, 20*time.Millisecond, target.Selector{PID: c.Process.Pid})
	was := next(t, f).Process
	require.Equal(t, c.Path, was.Exe)
	_, err := c.stdin.(*os.File).WriteString("go on\n")
	require.NoError(t, err)
	change := next(t, f)
	require.True(t, change.Ended)
	require.Equal(t, was, change.Process)
	change = next(t, f)
	require.False(t, change.Ended)
	require.Equal(t, other, change.Process.Exe)
	require.Equal(t, was.ID, change.Process.ID)
}

func TestFollowStop(t *testing.T) {
	t.Parallel()
	c := shell(t, "unread")
	f := follow(t, time.Hour, target.Selector{PID: c.Process.Pid})
	require.NoError(t, f.Stop(t.Context())) // with a change that nobody received
	require.NoError(t, f.Stop(t.Context()))
	_, ok := <-f.Changes()
	require.False(t, ok)
}

func TestFollowStopWithoutStart(t *testing.T) {
	t.Parallel()
	f, err := target.NewFollower([]target.Selector{{PID: 1}}, 0, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, f.Stop(t.Context()))
}

func TestNewFollowerRefuses(t *testing.T) {
	t.Parallel()
	_, err := target.NewFollower([]target.Selector{{Exe: "["}}, 0, nil)
	require.EqualError(t, err, `target exe=[: exe: "[" is not a glob pattern: close the bracket or escape it with a backslash`)
}

// TestFollowMany starts and ends many processes at once: each begins and ends
// exactly once.
func TestFollowMany(t *testing.T) {
	t.Parallel()
	exe := copyOf(t, "/bin/sh", "many")
	f := follow(t, 10*time.Millisecond, target.Selector{Exe: exe})
	const n = 20
	children := map[int]*child{}
	for range n {
		c := start(t, nil, exe, "-c", "echo ready; read line")
		children[c.Process.Pid] = c
	}
	live := map[int]bool{}
	for range n {
		c := next(t, f)
		require.False(t, c.Ended)
		require.False(t, live[c.Process.PID], "begun twice")
		require.Contains(t, children, c.Process.PID)
		live[c.Process.PID] = true
	}
	for _, c := range children {
		c.end()
	}
	for range n {
		c := next(t, f)
		require.True(t, c.Ended)
		require.True(t, live[c.Process.PID], "ended twice, or never begun")
		delete(live, c.Process.PID)
	}
}

// TestFollowSameProgramAgain: a process that executes the program it runs is
// placed elsewhere in memory, so it counts as ended and begun.
func TestFollowSameProgramAgain(t *testing.T) {
	t.Parallel()
	exe := copyOf(t, "/bin/sh", "again")
	c := start(t, nil, exe, "-c", `echo ready; read line; exec "$0" -c "read line"`, exe)
	f := follow(t, 20*time.Millisecond, target.Selector{PID: c.Process.Pid})
	before := next(t, f).Process
	require.True(t, before.Running())
	_, err := c.stdin.Write([]byte("\n"))
	require.NoError(t, err)

	ended := next(t, f)
	require.True(t, ended.Ended)
	require.Equal(t, before, ended.Process)
	require.False(t, before.Running())
	began := next(t, f)
	require.False(t, began.Ended)
	require.Equal(t, before.ID, began.Process.ID)
	require.Equal(t, before.File, began.Process.File)
	require.True(t, began.Process.Running())
}
