package config

import (
	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/serverless"
)

// Config is the whole configuration of the agent, every default filled in.
// Printing it in any way, logging it and encoding it as JSON shows no secret.
type Config struct {
	// APIKey authenticates the agent to the receiving side; it is a secret.
	APIKey string
	// APIKeyFile holds the key that APIKey is set from at the start.
	APIKeyFile string
	// Site is the Datadog site the key belongs to.
	Site string
	// Hostname is the configured name, or the operating system's.
	Hostname string
	// Tags go on everything: the user's own, then env:, service: and version:
	// from the settings below where Tags does not have that key yet.
	Tags []string
	// Service, Env and Version are the three unified service tags; empty means
	// "not set".
	Service string
	Env     string
	Version string
	// LogLevel is "debug", "info", "warn" or "error"; LogFormat is "text" or
	// "json". Both are about the agent's own log.
	LogLevel  string
	LogFormat string
	// RunPath is the directory for state that survives a restart.
	RunPath   string
	API       APIConfig
	Metrics   MetricsConfig
	Telemetry TelemetryConfig

	Serverless serverless.Config
	Debugger   debugger.Config
	// Logs inherits RunPath, Hostname, APIKey, and the tags except service:,
	// which goes to the sources that name no service themselves.
	Logs   logs.Config
	Intake intake.Config
}

// APIConfig is the `api` section: the local API of the agent.
type APIConfig struct {
	// Socket is the path of the unix socket.
	Socket string
}

// MetricsConfig is the `metrics` section: the way out for product metrics.
type MetricsConfig struct {
	// Output is MetricsStatsd or MetricsDatadog.
	Output string
	// StatsdAddress is host:port or unix:///path; empty switches metrics off.
	StatsdAddress string
	// APIURL is the base URL of the Datadog API; it follows from Site where
	// Output is MetricsDatadog and nobody set it.
	APIURL string
}

// The values of MetricsConfig.Output.
const (
	MetricsStatsd  = "statsd"  // DogStatsD
	MetricsDatadog = "datadog" // the Datadog API
)

// TelemetryConfig is the `telemetry` section: the agent's own metrics.
type TelemetryConfig struct {
	// Listen is host:port for /metrics, /live and /ready; empty means that they
	// are served on the socket of the local API alone.
	Listen string
}

// Default is the configuration of an agent that nobody configured: the defaults
// of every engine and of the platform. Hostname is empty.
func Default() Config {
	return Config{
		Site:       "datadoghq.com",
		LogLevel:   "info",
		LogFormat:  "text",
		RunPath:    "/var/lib/vigil",
		API:        APIConfig{Socket: "/run/vigil/vigil.sock"},
		Metrics:    MetricsConfig{Output: MetricsStatsd, StatsdAddress: "127.0.0.1:8125"},
		Serverless: serverless.DefaultConfig(),
		Debugger:   debugger.DefaultConfig(),
		Logs:       logs.DefaultConfig(),
		Intake:     intake.DefaultConfig(),
	}
}
