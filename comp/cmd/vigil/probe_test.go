package main

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// TestProbeExplain explains a function of this test's own binary, which go test
// strips: no configuration, no privileges.
func TestProbeExplain(t *testing.T) {
	own, err := os.Executable()
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitOK, execute(t.Context(), []string{"probe", "explain", own, "vigil.newRoot"}, &stdout, &stderr), stderr.String())
	require.Contains(t, stdout.String(), "vigil.newRoot at ")
	require.Regexp(t, `push +about [0-9.]+[nµm]s a hit`, stdout.String())
	require.Regexp(t, `stepped +about [0-9.]+[nµm]s a hit`, stdout.String())
	require.Regexp(t, `\nthe costs (were measured on this machine|are nominal, those of a virtual machine: .+)\n$`, stdout.String())
	require.NotContains(t, stdout.String(), "byte-code")

	stdout.Reset()
	require.Equal(t, exitOK, execute(t.Context(), []string{"probe", "explain", own, "newRoot", "--json"}, &stdout, &stderr), stderr.String())
	var report debugger.Explanation
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	require.NotEmpty(t, report.DebugInfo)
	require.Equal(t, "entry", report.Placements[0].Sites[0].Kind)
	require.Equal(t, report.Costs.PushNS, report.Placements[0].Sites[0].CostNS)
	require.Equal(t, report.Costs.Measured, report.Costs.Why == "")

	stdout.Reset()
	require.Equal(t, exitOK, execute(t.Context(), []string{"probe", "explain", own, "newRoot", "--code"}, &stdout, &stderr), stderr.String())
	require.Contains(t, stdout.String(), "  byte-code:\n    root: 0 bytes, depth 3\n        0  end\n")

	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{exitFailed, []string{"probe", "explain", own, "vigil.newRot"}, "did you mean"},
		{exitFailed, []string{"probe", "explain", "/nowhere", "main.f"}, "no such file"},
		{exitFailed, []string{"probe", "explain", "root.go", "main.f"}, "not an ELF executable"},
		{exitUsage, []string{"probe", "explain", own}, "an argument is missing"},
		{exitUsage, []string{"probe", "explain", "0", "main.f"}, "\"0\" is not a pid"},
		{exitUsage, []string{"probe", "explain", own, "main.f", "--most", "0"}, "--most takes a number of 1 or more"},
		{exitUsage, []string{"probe", "exlain"}, "unknown command"},
	} {
		stderr.Reset()
		require.Equal(t, c.code, execute(t.Context(), c.args, &bytes.Buffer{}, &stderr), "%v: %s", c.args, &stderr)
		require.Contains(t, stderr.String(), c.want)
	}
}
