package agent

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/comp/debuggerfx"
	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/intakefx"
	"github.com/vigil-agent/vigil/comp/log"
	"github.com/vigil-agent/vigil/comp/logsfx"
	"github.com/vigil-agent/vigil/comp/metrics"
	"github.com/vigil-agent/vigil/comp/serverlessfx"
	"github.com/vigil-agent/vigil/comp/status"
	"github.com/vigil-agent/vigil/comp/telemetry"
)

// Options assembles the application from its configuration.
func Options(loaded *config.Loaded, logOutput io.Writer) fx.Option {
	return fx.Options(
		fx.WithLogger(newEvents),
		config.Module(loaded),
		fx.Provide(
			func(c config.Config) log.Config {
				return log.Config{Level: c.LogLevel, Format: c.LogFormat, Output: logOutput}
			},
			newPlatform,
			newConfigRoute,
			newStates,
		),
		log.Module(),
		api.Module(),
		metrics.Module(),
		intakefx.Module(),
		logsfx.Module(),
		debuggerfx.Module(),
		serverlessfx.Module(),
		telemetry.Module(),
		health.Module(),
		status.Module(),
		fx.Invoke(start),
	)
}

// platform are the configurations of the platform components.
type platform struct {
	fx.Out

	API       api.Config
	Metrics   metrics.Config
	Telemetry telemetry.Config
}

func newPlatform(c config.Config) platform {
	return platform{
		API: api.Config{Socket: c.API.Socket},
		Metrics: metrics.Config{
			Output: c.Metrics.Output, StatsdAddress: c.Metrics.StatsdAddress,
			APIURL: c.Metrics.APIURL, APIKey: c.APIKey, Hostname: c.Hostname, Tags: slices.Clone(c.Tags),
		},
		Telemetry: telemetry.Config{Listen: c.Telemetry.Listen},
	}
}

// configRoute serves the effective configuration, secrets hidden.
type configRoute struct {
	fx.Out

	Route api.Route `group:"routes"`
}

func newConfigRoute(loaded *config.Loaded) configRoute {
	return configRoute{Route: api.Route{Pattern: "GET /v1/config", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(loaded)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(append(body, '\n')) //nolint:errcheck // the client went away; there is nobody to tell
	})}}
}

// states is the table of the agent itself.
type states struct {
	fx.Out

	Table telemetry.Table `group:"telemetry"`
}

func newStates(registry *health.Registry) states { return states{Table: stateTable(registry)} }

// stateTable says which component is in which state; a nil registry gives the
// table without values, for the documentation.
func stateTable(registry *health.Registry) telemetry.Table {
	return telemetry.Table{Name: "agent", Metrics: []telemetry.Metric{{
		Name: "vigil_agent_component_state", Kind: telemetry.Gauge, Labels: []string{"component", "state"},
		Help: "1 for the state each component is in: off, starting, ok, degraded or stopped.",
		Collect: func(report func(float64, ...string)) {
			for _, r := range registry.Reports() {
				report(1, r.Name, string(r.State))
			}
		},
	}}}
}

// newEvents sends what fx has to say to the log, for those who debug the
// assembly itself.
func newEvents(logger *slog.Logger) fxevent.Logger {
	events := &fxevent.SlogLogger{Logger: logger.With("component", "fx")}
	events.UseLogLevel(slog.LevelDebug)
	events.UseErrorLevel(slog.LevelDebug)
	return events
}

// order names the components in the order they start; they stop in reverse. The
// local API comes first so that the agent can be asked for as long as it lives;
// receivers come before senders, so that draining finds them up.
type order struct {
	fx.In

	Local      *api.Server
	Metrics    metrics.Component
	Intake     *intakefx.Component
	Logs       *logsfx.Component
	Debugger   *debuggerfx.Component
	Serverless *serverlessfx.Component
	Listener   *telemetry.Listener
	Routes     []api.Route `group:"routes"`
}

// start makes fx build the components, in the order of the fields above, and
// mounts what they serve.
func start(o order) error {
	if err := o.Local.Mount(o.Routes); err != nil {
		return err
	}
	return o.Listener.Mount(o.Routes)
}
