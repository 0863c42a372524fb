package simulate

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// The report as a person and as a CI job reads it.
func TestReport(t *testing.T) {
	t.Parallel()
	bad := trace(run(0, "a"), beat(1, "a"), hook(10, lifecycle.Suspend, 0), beat(20, "a"), hook(30, lifecycle.Terminate, 500))
	for i := range 7 {
		bad.Calls = append(bad.Calls, of(WrongMethod, hook(100+i, lifecycle.Run, 200)))
	}
	bad.Cut = "the entrypoint ended at line 7: run"
	report := judge([]*Trace{bad, trace(hook(0, lifecycle.Ready, 200), run(10, "a"), beat(11, "a"))}, testPolicy)
	report.Command, report.Unplayed, report.Seconds = []string{"/app/server"}, []string{"clone"}, 1.25
	require.False(t, report.OK())
	golden(t, "testdata/report.txt", report.Text())
	text, err := json.MarshalIndent(report, "", "  ")
	require.NoError(t, err)
	golden(t, "testdata/report.json", string(text)+"\n")
}

// What one scenario shows of the image holds for all of them.
func TestHeartbeatsOfOneScenarioAreExpectedOfAll(t *testing.T) {
	t.Parallel()
	silent := trace(run(0, "a"))
	p := testPolicy
	p.metered = false
	require.True(t, judge([]*Trace{silent}, p).OK())
	require.False(t, judge([]*Trace{silent, trace(run(0, "a"), beat(1, "a"))}, p).OK())
	p.metered = true
	require.False(t, judge([]*Trace{silent}, p).OK())
}
