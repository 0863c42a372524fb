package target_test

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/target"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	c := shell(t, "tea shop", "DD_SERVICE=tea")
	p, err := target.Inspect(c.Process.Pid)
	require.NoError(t, err)
	require.Equal(t, c.Process.Pid, p.PID)
	require.Positive(t, p.Start)
	require.Equal(t, c.Path, p.Exe)
	require.Equal(t, "tea", p.Service)
	require.Equal(t, "/proc/"+strconv.Itoa(p.PID)+"/exe", p.ExePath())
	var st syscall.Stat_t
	require.NoError(t, syscall.Stat(c.Path, &st))
	require.Equal(t, target.File{Dev: st.Dev, Inode: st.Ino}, p.File)
}

func TestInspectReplacedExecutable(t *testing.T) {
	t.Parallel()
	c := shell(t, "shop", "DD_SERVICE=")
	require.NoError(t, os.Remove(c.Path))
	p, err := target.Inspect(c.Process.Pid)
	require.NoError(t, err)
	require.Equal(t, c.Path+" (deleted)", p.Exe)
	require.Equal(t, "shop", p.Service)
	f, err := os.Open(p.ExePath())
	require.NoError(t, err, "the executable itself must still open")
	require.NoError(t, f.Close())
}

func TestInspectRefuses(t *testing.T) {
	t.Parallel()
	ended := shell(t, "ended")
	ended.end()
	for name, tc := range map[string]struct {
		pid  int
		want error
	}{
		"ended":         {ended.Process.Pid, target.ErrNoProcess},
		"zero":          {0, target.ErrNoProcess},
		"negative":      {-1, target.ErrNoProcess},
		"kernel thread": {2, target.ErrKernelThread}, // kthreadd
		"self":          {os.Getpid(), target.ErrSelf},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if comm, _ := os.ReadFile("/proc/2/comm"); tc.pid == 2 && string(comm) != "kthreadd\n" {
				t.Skip("no kernel threads in this PID namespace")
			}
			_, err := target.Inspect(tc.pid)
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, "pid "+strconv.Itoa(tc.pid)+": ")
		})
	}
}

func TestInspectZombie(t *testing.T) {
	t.Parallel()
	c := shell(t, "zombie")
	require.NoError(t, c.stdin.Close())
	require.Eventually(t, func() bool {
		_, err := target.Inspect(c.Process.Pid) // ended, and not waited for yet
		return err != nil
	}, wait, tick)
	_, err := target.Inspect(c.Process.Pid)
	require.ErrorIs(t, err, target.ErrNoProcess)
}

func TestInspectThread(t *testing.T) {
	t.Parallel()
	c := start(t, nil, build(t, "where"))
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(c.Process.Pid) + "/task")
	require.NoError(t, err)
	require.Greater(t, len(threads), 1)
	tid, err := strconv.Atoi(threads[1].Name())
	require.NoError(t, err)
	_, err = target.Inspect(tid)
	require.EqualError(t, err, "pid "+strconv.Itoa(tid)+": a thread of process "+strconv.Itoa(c.Process.Pid)+": give that pid")
}

// TestLoadBias holds the bias to what the program says about itself.
func TestLoadBias(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"fixed": {"-buildmode=exe"}, "pie": {"-buildmode=pie"}, "stripped pie": {"-buildmode=pie", "-ldflags=-s -w"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exe := build(t, "where", flags...)
			c := start(t, nil, exe)
			p, err := target.Inspect(c.Process.Pid)
			require.NoError(t, err)
			b, err := binary.Open(p.ExePath())
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			bias, err := p.LoadBias(b.Address)
			require.NoError(t, err)
			if name == "fixed" {
				require.Zero(t, bias)
			}
			fn, err := b.FindFunction("main.main")
			require.NoError(t, err)
			require.Equal(t, c.first, "0x"+strconv.FormatUint(fn.Entry+bias, 16))
		})
	}
}

func TestLoadBiasOfEndedProcess(t *testing.T) {
	t.Parallel()
	c := shell(t, "gone")
	p, err := target.Inspect(c.Process.Pid)
	require.NoError(t, err)
	c.end()
	_, err = p.LoadBias(func(uint64) (uint64, bool) { return 0, true })
	require.ErrorIs(t, err, target.ErrNoProcess)
}
