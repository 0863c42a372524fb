package debugger_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/debugger/bpf"
)

var buildDir string

func TestMain(m *testing.M) {
	if os.Getenv(asUnprivileged) != "" {
		os.Exit(startUnprivileged())
	}
	var err error
	if buildDir, err = os.MkdirTemp("", "vigil-debugger"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(buildDir)
		os.Exit(code)
	}))
}

const (
	wait = time.Minute // a busy machine is slow to place probes
	tick = 10 * time.Millisecond
)

// needKernel skips where probes cannot run, unless they have to.
func needKernel(tb testing.TB) {
	tb.Helper()
	err := bpf.Supported()
	switch {
	case err == nil:
	case errors.Is(err, bpf.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1":
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
}

// builds holds each variant of each program of testdata once.
var builds sync.Map

// buildShop compiles testdata/shop with the flags.
func buildShop(tb testing.TB, variant string, flags ...string) string {
	tb.Helper()
	return build(tb, "shop", variant, flags...)
}

// build compiles a program of testdata.
func build(tb testing.TB, program, variant string, flags ...string) string {
	tb.Helper()
	once, _ := builds.LoadOrStore(program+variant, sync.OnceValues(func() (string, error) {
		out := filepath.Join(buildDir, program+"-"+variant)
		args := append(append([]string{"build", "-trimpath", "-o", out}, flags...), "./testdata/"+program)
		text, err := exec.Command("go", args...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", program, err, text)
		}
		return out, nil
	}))
	path, err := once.(func() (string, error))()
	require.NoError(tb, err)
	return path
}

// shop is a running testdata/shop.
type shop struct {
	cmd  *exec.Cmd
	pid  int
	exe  string
	in   io.WriteCloser
	out  *bufio.Scanner
	ends sync.Once
}

// startShop runs a build of the shop until the end of the test.
func startShop(tb testing.TB, exe string, env ...string) *shop {
	tb.Helper()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	s := &shop{cmd: cmd, pid: cmd.Process.Pid, exe: exe, in: in, out: bufio.NewScanner(out)}
	tb.Cleanup(func() { s.end(tb) })
	require.True(tb, s.out.Scan())
	require.Equal(tb, "ready", s.out.Text())
	return s
}

// end closes the shop's input and waits for it: it must end well.
func (s *shop) end(tb testing.TB) {
	tb.Helper()
	s.ends.Do(func() {
		_ = s.in.Close()
		require.NoError(tb, s.cmd.Wait(), "the probed program must end well")
	})
}

// call runs a command of the shop.
func (s *shop) call(tb testing.TB, command string, n int) {
	tb.Helper()
	_, err := fmt.Fprintf(s.in, "%s %d\n", command, n)
	require.NoError(tb, err)
	require.True(tb, s.out.Scan(), "the probed program ended: %v", s.out.Err())
	require.Equal(tb, "done", s.out.Text())
}
