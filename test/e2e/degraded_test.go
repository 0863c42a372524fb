package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/api"
)

// nobody is the user that has no rights anywhere.
const nobody = 65534

// Without root the debugger is degraded, /ready and the log say why and what to
// do, and the other engines do their job.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.configure(t, `metrics: {statsd_address: ""}
logs:
  enabled: true
  sources: [{type: file, path: DIR/app.log, start_at: beginning}]
  batch: {max_wait: 100ms}
intake: {enabled: true, listen: "`+freePort(t)+`", journal: DIR/journal.ndjson}
debugger:
  enabled: true
  probes:
    - {id: checkout, version: 1, type: LOG_PROBE, language: go, captureSnapshot: true, where: {methodName: "main.f"}}
  targets: [{exe: DIR/app}]
`)
	require.NoError(t, os.WriteFile(f.path("app.log"), []byte("one\n"), 0o600))
	if os.Getuid() == 0 {
		f.user = &syscall.Credential{Uid: nobody, Gid: nobody}
		files, err := filepath.Glob(f.path("*"))
		require.NoError(t, err)
		for _, file := range append(files, f.dir) {
			require.NoError(t, os.Chown(file, nobody, nobody))
		}
	}
	agent := f.start(t, "run")

	client := api.NewClient(f.path("vigil.sock"))
	var ready []byte
	require.Eventually(t, func() bool {
		var err error
		ready, err = client.Get(t.Context(), "/ready")
		return err != nil && strings.Contains(string(ready), "degraded")
	}, 20*time.Second, 10*time.Millisecond, "the debugger is not degraded")
	require.Regexp(t, `^debugger: degraded: probes are not supported here: .*\n  fix: run the agent as root.*\n$`, string(ready))
	require.Eventually(t, func() bool { return readJournal(t, f.path("journal.ndjson"))["one"] == 1 }, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, agent.Stop(15*time.Second))

	log, err := os.ReadFile(f.path("run.log"))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(log), "level=ERROR"), "%s", log)
	require.Regexp(t, `(?m)^\S+ level=ERROR msg="debugger is degraded, the rest runs" component=debugger reason=".*" fix="run the agent as root`, string(log))
}
