package serverless_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// agentProcess starts the test binary as an agent in an empty directory.
func agentProcess(t *testing.T, address string, command ...string) (cmd *exec.Cmd, addr string, lines *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.Command(exe, command...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), agentEnv+"="+address)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines = bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the agent did not start")
	addr, found := strings.CutPrefix(lines.Text(), "listening ")
	require.True(t, found, "%q", lines.Text())
	return cmd, addr, lines
}

func TestCase45KilledWithoutTerminate(t *testing.T) {
	t.Parallel()
	cmd, addr, lines := agentProcess(t, "127.0.0.1:0")
	require.Equal(t, http.StatusOK, post(t, addr, "run", `{"microvmId":"vm-1"}`))
	require.True(t, lines.Scan())
	require.True(t, lines.Scan())
	require.NoError(t, cmd.Process.Kill())
	require.False(t, lines.Scan(), "%q", lines.Text())
	require.Error(t, cmd.Wait())
	left, err := os.ReadDir(cmd.Dir)
	require.NoError(t, err)
	require.Empty(t, left, "nothing is kept on disk that a kill could corrupt")

	next, nextAddr, _ := agentProcess(t, addr)
	require.Equal(t, addr, nextAddr, "the address is free at once")
	require.Equal(t, http.StatusOK, post(t, nextAddr, "run", `{"microvmId":"vm-1"}`))
	require.NoError(t, next.Process.Signal(syscall.SIGTERM))
	_ = next.Wait()
}

func TestExitCodeAndSignalsOfARealAgent(t *testing.T) {
	t.Parallel()
	cmd, addr, lines := agentProcess(t, "127.0.0.1:0", "sh", "-c", "trap 'exit 5' TERM; : > up; while :; do sleep 0.01; done")
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(cmd.Dir, "up")); return err == nil }, 10*time.Second, time.Millisecond)
	require.Equal(t, http.StatusOK, post(t, addr, "ready", ""))
	require.Equal(t, http.StatusOK, post(t, addr, "terminate", ""), "terminate raises no signal")
	require.Equal(t, http.StatusOK, post(t, addr, "ready", ""))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	for lines.Scan() { // drains the pipe until the agent is gone
		require.Contains(t, lines.Text(), "microvm.terminate")
	}
	_ = cmd.Wait()
	require.Equal(t, 5, cmd.ProcessState.ExitCode())
}

// The freeze of a real process: the suspend hook is off, so the heartbeat runs.
func TestCase23RealFreezeGivesOneSampleAndNoBurst(t *testing.T) {
	t.Parallel()
	cmd, addr, lines := agentProcess(t, "127.0.0.1:0")
	require.Equal(t, http.StatusOK, post(t, addr, "run", `{"microvmId":"vm-1"}`))
	got := map[string]int{}
	for range 2 {
		require.True(t, lines.Scan())
		got[lines.Text()]++
	}
	const beat, tick = "gauge aws.lambda.enhanced.microvm.active_instances 1", 10 * time.Second
	require.Equal(t, map[string]int{beat: 1, "distribution aws.lambda.enhanced.microvm.run 1": 1}, got)
	type line struct {
		text string
		at   time.Time
	}
	out := make(chan line, 16)
	go func() {
		defer close(out)
		for lines.Scan() {
			out <- line{lines.Text(), time.Now()}
		}
	}()
	time.Sleep(time.Second)
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	time.Sleep(2*tick + 2*time.Second) // two samples would have been due
	woken := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	after := []line{<-out, <-out}
	require.WithinDuration(t, woken, after[0].at, 5*time.Second, "one sample soon after the wake")
	require.Equal(t, beat, after[0].text)
	require.Regexp(t, `^count aws.lambda.enhanced.microvm.active_seconds (9|10|11)$`, after[1].text, "not the time it stood still")
	select {
	case next := <-out:
		t.Fatalf("missed ticks were made up for: %s", next.text)
	case <-time.After(2 * time.Second):
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	for range out { // until the process has ended
	}
	_ = cmd.Wait()
}

// What the application had printed when terminate came is with the tees before
// the flush begins, and with the agent's own outputs, too.
func TestOutputIsTeedBeforeTheFlush(t *testing.T) {
	t.Parallel()
	rec := &recorder{}
	var out, errOut syncBuffer
	said := filepath.Join(t.TempDir(), "said")
	tee := func(name string) io.Writer {
		return writeFunc(func(p []byte) { _ = rec.add("%s %q", name, p) })
	}
	e := started(t, config(func(c *serverless.Config) {
		c.Command = []string{"sh", "-c", "seq 3; echo trouble >&2; : > " + said + "; exec sleep 600"}
	}), serverless.Deps{
		Stdout: &out, Stderr: &errOut, Flushers: []lifecycle.Flusher{rec}, TeeStdout: tee("out"), TeeStderr: tee("err"),
	})
	require.Eventually(t, func() bool { _, err := os.Stat(said); return err == nil }, 10*time.Second, 100*time.Microsecond)
	require.Equal(t, http.StatusOK, post(t, e.Addr().String(), "terminate", ""))
	lines := rec.all()
	require.ElementsMatch(t, []string{`out "1\n2\n3\n"`, `err "trouble\n"`, "flush"}, lines)
	require.Equal(t, "flush", lines[2])
	require.Equal(t, "1\n2\n3\n", out.String())
	require.Equal(t, "trouble\n", errOut.String())
}

type writeFunc func([]byte)

func (f writeFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
