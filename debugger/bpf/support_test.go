package bpf

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestUnsupportedErrorsAdvise(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct{ err, kind error }{
		"probes are not supported here: permission to load BPF ring buffer: operation not permitted; run as root, or grant CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE (setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep on the binary)": {unsupported("BPF ring buffer", "5.8", unix.EPERM), unix.EPERM},
		"probes are not supported here: BPF ring buffer: invalid argument; use Linux 5.8 or later":                                                                                                                               {unsupported("BPF ring buffer", "5.8", unix.EINVAL), unix.EINVAL},
	} {
		require.EqualError(t, c.err, want)
		require.ErrorIs(t, c.err, ErrNotSupported)
		require.ErrorIs(t, c.err, c.kind)
		var typed *UnsupportedError
		require.ErrorAs(t, c.err, &typed)
	}
}

// TestWithoutPermission runs this test again as nobody.
func TestWithoutPermission(t *testing.T) {
	if os.Getenv("VIGIL_TEST_NOBODY") == "1" {
		require.ErrorIs(t, Supported(), ErrNotSupported)
		require.ErrorContains(t, Supported(), "run as root, or grant CAP_BPF")
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can become nobody")
	}
	// The test binary is in a directory that only its owner can enter.
	exe, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "vigil-nobody") //nolint:usetesting // a directory of t is closed to nobody
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	path := dir + "/test"
	// Not written by this process: a child that is started at the same time
	// would hold the file open for writing until it executes.
	require.NoError(t, exec.Command("cp", exe, path).Run())
	cmd := exec.Command(path, "-test.run=^TestWithoutPermission$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "VIGIL_TEST_NOBODY=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestSupportedHere(t *testing.T) {
	err := Supported()
	if errors.Is(err, ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func TestModeIsWhatWasAskedFor(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	p := Probe{Plan: b.entry(t, "main.Text")}
	require.Equal(t, "perf events, classic", load(t, Options{PerfLinks: true, NoSleep: true}, p).Mode())
	if haveUprobeMulti() {
		require.Equal(t, "uprobe_multi, sleepable", load(t, Options{}, p).Mode())
	}
}
