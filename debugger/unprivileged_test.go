package debugger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// asUnprivileged is set where the test binary runs again as an ordinary user.
const asUnprivileged = "VIGIL_TEST_UNPRIVILEGED"

// startUnprivileged starts an engine and prints what it says.
func startUnprivileged() int {
	e, err := debugger.New(debugger.DefaultConfig(), debugger.Deps{Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
	if err == nil {
		err = e.Start(context.Background())
	}
	fmt.Printf("%v %v\n", errors.Is(err, debugger.ErrNotSupported), err)
	_, err = debugger.Trace(context.Background(), debugger.TraceOptions{PID: os.Getppid(), Function: "main.main"})
	fmt.Printf("%v %v\n", errors.Is(err, debugger.ErrPermission), err)
	report, err := debugger.Explain("/proc/self/exe", "debugger_test.startUnprivileged", debugger.ExplainOptions{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(report.Costs.Measured, report.Costs.PushNS, report.Costs.Why)
	return 0
}

// TestWithoutPrivileges runs as the user nobody: the engine says what is
// missing and what to do, in an error that its caller can tell apart. What needs
// no privileges works.
func TestWithoutPrivileges(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("not root: cannot become another user")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "vigil-nobody") //nolint:usetesting // a directory of t is closed to nobody
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	exe := filepath.Join(dir, "debugger.test")
	// Not written by this process: a child that is started at the same time
	// would hold the file open for writing until it executes.
	require.NoError(t, exec.Command("cp", self, exe).Run())
	cmd := exec.Command(exe)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asUnprivileged+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Regexp(t, `^true probes are not supported here: permission to load .*: operation not permitted.*; run as root, or grant CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE .*\n`+
		`true trace: pid \d+: not permitted to look at the process: run as its user with CAP_SYS_PTRACE, or as root\n`+
		`false 750 probes are not supported here: permission to load .*: operation not permitted.*; run as root, or grant .*\n$`, string(out))
}
