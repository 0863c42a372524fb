package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/test/harness"
)

// quickstartTotal is the last line of `make run`.
var quickstartTotal = regexp.MustCompile(`(?m)^total      after \d+s: log lines (\d+), wire bytes per raw byte 0\.\d{3}, snapshots (\d+), heartbeats (\d+)$`)

// What `make run` starts shows every engine at work and ends at Ctrl-C with its
// totals, all processes gone.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	quickstart, f := filepath.Join(t.TempDir(), "quickstart"), newFolder(t)
	require.NoError(t, harness.Build(t.Context(), harness.Quickstart, quickstart))
	var output bytes.Buffer
	cmd := exec.CommandContext(t.Context(), quickstart, "-agent", vigil, "-dir", f.dir)
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	time.Sleep(12 * time.Second)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait(), "%s", &output)
	out := output.Bytes()

	total := quickstartTotal.FindSubmatch(out)
	require.NotNil(t, total, "no totals in:\n%s", out)
	lines, err := strconv.Atoi(string(total[1]))
	require.NoError(t, err)
	require.Greater(t, lines, 100, "%s", out)
	require.NotEqual(t, "0", string(total[3]), "%s", out)
	require.Regexp(t, `(?m)^heartbeat  aws\.lambda\.enhanced\.microvm\.active_instances=1 .*lambda_microvm_id:mvm-quickstart`, string(out))
	require.Regexp(t, `(?m)^log        \d+ bytes, \d+\.\d on the wire: time=.* msg="?\w+`, string(out))
	require.Regexp(t, `(?m)^summary    after 5s: `, string(out))
	if reason := bpf.Supported(); reason != nil {
		require.Regexp(t, `(?m)^agent      debugger is degraded, the rest runs: .*\n           fix: run `, string(out))
		require.Equal(t, "0", string(total[2]), "%s", out)
	} else {
		require.Regexp(t, `(?m)^snapshot   main\.\(\*shop\)\.checkout\(order=\*main\.Order\{ID: \d+, Customer: "\w+", .*, count=\d+\)$`, string(out))
		require.NotEqual(t, "0", string(total[2]), "%s", out)
	}

	// Both command lines name the folder.
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, process := range processes {
		if cmdline, err := os.ReadFile(process); err == nil {
			require.False(t, bytes.Contains(cmdline, []byte(f.dir)), "%s still runs: %q", process, cmdline)
		}
	}
}
