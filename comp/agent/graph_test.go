package agent

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/comp/debuggerfx"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/intakefx"
	"github.com/vigil-agent/vigil/comp/logsfx"
	"github.com/vigil-agent/vigil/comp/metrics"
	"github.com/vigil-agent/vigil/comp/serverlessfx"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
)

var update = flag.Bool("update", false, "rewrite the generated files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loaded is a configuration with the given settings, kept in a folder of its own.
func loaded(t *testing.T, flags map[string]string) *config.Loaded {
	t.Helper()
	dir, err := os.MkdirTemp("", "vigil-agent-") //nolint:usetesting // t.TempDir may be too long for a unix socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	file := filepath.Join(dir, "vigil.yaml")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	all := map[string]string{"run_path": dir, "api.socket": filepath.Join(dir, "vigil.sock"), "metrics.statsd_address": ""}
	maps.Copy(all, flags)
	l, err := config.Load(config.Options{File: file, Flags: all, LookupHostname: func() (string, error) { return "host", nil }})
	require.NoError(t, err)
	return l
}

// events listens to what fx does.
type events struct{ provided, started []string }

func (e *events) LogEvent(event fxevent.Event) {
	switch event := event.(type) {
	case *fxevent.Provided:
		module := cmp.Or(event.ModuleName, "agent")
		for _, name := range event.OutputTypeNames {
			if strings.HasPrefix(name, "fx.") {
				continue // fx's own
			}
			e.provided = append(e.provided, fmt.Sprintf("%-10s %s", module, short(name)))
		}
	case *fxevent.OnStartExecuting:
		component, _, _ := strings.Cut(short(event.CallerName), ".")
		e.started = append(e.started, component)
	}
}

// short leaves our own prefix out of a type or function name.
func short(name string) string { return strings.ReplaceAll(name, "github.com/vigil-agent/vigil/", "") }

// ValidateApp ignores what nothing invokes, so every component is asked for by
// name; the listing shows who provides what and the order of the start.
func TestGeneratedGraph(t *testing.T) {
	var e events
	var all struct {
		fx.In

		Log        *slog.Logger
		Loaded     *config.Loaded
		API        *api.Server
		Health     *health.Registry
		Status     *status.Page
		Metrics    metrics.Component
		Telemetry  *telemetry.Registry
		Listener   *telemetry.Listener
		Serverless *serverlessfx.Component
		Debugger   *debuggerfx.Component
		Logs       *logsfx.Component
		Intake     *intakefx.Component
	}
	app := fx.New(Options(loaded(t, nil), io.Discard), fx.WithLogger(func() fxevent.Logger { return &e }), fx.Populate(&all))
	require.NoError(t, app.Err())
	require.NoError(t, app.Start(t.Context()))
	require.NoError(t, app.Stop(t.Context()))

	slices.Sort(e.provided)
	listing := "provided: component, type\n  " + strings.Join(e.provided, "\n  ") + "\nstarted, in this order\n  " + strings.Join(e.started, "\n  ") + "\n"
	golden(t, "graph.txt", []byte(listing))
}

func TestGeneratedMetrics(t *testing.T) {
	golden(t, "metrics.md", telemetry.Markdown([]telemetry.Table{
		stateTable(nil),
		metrics.Telemetry(nil),
		(*serverlessfx.Component)(nil).Telemetry(),
		(*debuggerfx.Component)(nil).Telemetry(),
		(*logsfx.Component)(nil).Telemetry(),
		(*intakefx.Component)(nil).Telemetry(),
	}))
}

// golden compares with a committed file of comp/docs, or rewrites it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "docs", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "out of date: go run ./tasks gen")
}
