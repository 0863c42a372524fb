package debugger_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// inNamespace marks the process that TestPIDNamespace starts.
const inNamespace = "VIGIL_TEST_PID_NAMESPACE"

// TestPIDNamespace runs the engine in a PID namespace of its own, as in a pod
// that shares one: the pids that the kernel's first namespace gives to the
// targets mean nothing there, or another process.
func TestPIDNamespace(t *testing.T) {
	needKernel(t)
	t.Parallel()
	if os.Getenv(inNamespace) != "" {
		eachProcessIsItself(t)
		return
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("no unshare here")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(unshare, "--pid", "--fork", "--kill-child", "--mount-proc", self, "-test.run=^TestPIDNamespace$", "-test.v")
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: TestPIDNamespace", "the test was run, not skipped")
}

// eachProcessIsItself probes two processes whose code is at different addresses
// and expects the name, the pid and the stack of the right one.
func eachProcessIsItself(t *testing.T) {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "namespaced")
	require.NoError(t, exec.Command("cp", buildShop(t, "pie", "-buildmode=pie"), exe).Run())
	shops := []*shop{startShop(t, exe, "DD_SERVICE=one"), startShop(t, exe, "DD_SERVICE=two")}
	require.Less(t, shops[1].pid, 1000, "a namespace counts from 1")
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(handleProbe)}
		c.Targets = []debugger.TargetConfig{{Exe: exe}}
	})
	become(t, e, "installed", inState(debugger.StateInstalled, 2))
	for i, s := range shops {
		s.call(t, "order", i+1)
	}
	stop(t, e)
	lines := snapshots(t, output)
	require.Len(t, lines, 2)
	for i, service := range []string{"one", "two"} {
		require.Contains(t, lines[i], `"service":"`+service+`"`)
		require.Contains(t, lines[i], fmt.Sprintf(`"process_tags":"pid:%d,`, shops[i].pid))
		require.Contains(t, lines[i], fmt.Sprintf(`"ID":{"type":"int64","value":"%d"}`, i+1))
		require.Contains(t, lines[i], `"stack":[{"function":"main.handle",`)
	}
}
