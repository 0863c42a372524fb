package child_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/child"
)

// supervisor starts the test binary as a supervisor of script and waits for the
// script's first line.
func supervisor(t *testing.T, script string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), supervisorEnv+"="+script), env...)
	var errOut buffer
	cmd.Stderr = &errOut
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "no output; stderr: %s", errOut.String())
	return cmd, lines
}

// rest is what the process still prints until its end.
func rest(cmd *exec.Cmd, lines *bufio.Scanner) string {
	var all []string
	for lines.Scan() {
		all = append(all, lines.Text())
	}
	_ = cmd.Wait()
	return strings.Join(all, "\n")
}

func TestSignalsReachTheApplication(t *testing.T) {
	t.Parallel()
	const script = `trap 'echo got HUP' HUP
trap 'echo got USR1' USR1
trap 'echo got USR2' USR2
trap 'echo got WINCH' WINCH
trap 'echo got PIPE' PIPE
trap 'echo got URG' URG
trap 'echo got INT; exit 42' INT
echo up
while :; do sleep 0.01; done`
	cmd, lines := supervisor(t, script)
	for _, sig := range []syscall.Signal{syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE} {
		require.NoError(t, cmd.Process.Signal(sig))
	}
	time.Sleep(50 * time.Millisecond)
	for sig, line := range map[syscall.Signal]string{
		syscall.SIGHUP: "got HUP", syscall.SIGUSR1: "got USR1", syscall.SIGUSR2: "got USR2", syscall.SIGWINCH: "got WINCH",
	} {
		require.NoError(t, cmd.Process.Signal(sig))
		require.True(t, lines.Scan())
		require.Equal(t, line, lines.Text(), "and none of the agent's own signals")
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.Equal(t, "got INT", rest(cmd, lines))
	require.Equal(t, 42, cmd.ProcessState.ExitCode(), "the exit code propagates")
}

func TestSIGTERMReachesTheApplicationOnce(t *testing.T) {
	t.Parallel()
	const script = `trap 'echo got TERM; n=$((n+1))' TERM
trap 'exit $n' USR1
n=0
echo up
while :; do sleep 0.01; done`
	cmd, lines := supervisor(t, script, "VIGIL_TEST_STOP_AFTER=300ms")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	time.Sleep(800 * time.Millisecond) // Stop has been called in between
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGUSR1))
	require.Equal(t, "got TERM", rest(cmd, lines))
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
}

func TestAFatalSignalToTheApplicationIsPropagated(t *testing.T) {
	t.Parallel()
	cmd, lines := supervisor(t, "echo up; exec sleep 600")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Empty(t, rest(cmd, lines))
	require.Equal(t, 128+15, cmd.ProcessState.ExitCode())
}

func TestCase46SignalNeedsALivingProcess(t *testing.T) {
	t.Parallel()
	var none *child.Child
	require.NoError(t, none.Signal(syscall.SIGUSR2), "no child: nothing sent")
	var out buffer
	c := shell(t, "trap 'echo reseed; exit 0' USR2; echo up; while :; do sleep 0.01; done", child.Deps{Stdout: &out})
	require.NoError(t, c.Signal(syscall.SIGUSR2), "not spawned yet: nothing sent")
	require.NoError(t, c.Start(t.Context()))
	require.Eventually(t, func() bool { return out.String() == "up\n" }, 10*time.Second, time.Millisecond)
	require.NoError(t, c.Signal(syscall.SIGUSR2))
	require.Zero(t, c.Wait())
	require.Equal(t, "up\nreseed\n", out.String())
	require.ErrorIs(t, c.Signal(syscall.SIGUSR2), child.ErrEnded)
}
