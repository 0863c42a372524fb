package target_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// child is a running program that ends when the test does.
type child struct {
	*exec.Cmd
	stdin io.WriteCloser
	// first is the first line it wrote.
	first string
}

// start runs a program that writes a line when it is ready and ends with its
// standard input.
func start(t *testing.T, env []string, path string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	c := &child{Cmd: cmd, stdin: stdin}
	t.Cleanup(c.end)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	c.first = strings.TrimSpace(line)
	return c
}

func (c *child) end() {
	_ = c.stdin.Close()
	_ = c.Wait()
}

// shell copies the shell to a path of the test's own and runs it.
func shell(t *testing.T, name string, env ...string) *child {
	t.Helper()
	exe := copyOf(t, "/bin/sh", name)
	return start(t, env, exe, "-c", "echo ready; read line")
}

func copyOf(t *testing.T, from, name string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), name)
	// Not written by this process: a child that is started at the same time
	// would hold the file open for writing until it executes.
	require.NoError(t, exec.Command("cp", from, to).Run())
	return to
}

// build compiles a program of testdata.
func build(t *testing.T, name string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	args := append(append([]string{"build", "-o", out}, flags...), "./testdata/"+name)
	text, err := exec.Command("go", args...).CombinedOutput()
	require.NoError(t, err, string(text))
	return out
}
