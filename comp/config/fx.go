package config

import (
	"go.uber.org/fx"

	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/serverless"
)

type out struct {
	fx.Out

	Loaded    *Loaded
	Config    Config
	API       APIConfig
	Metrics   MetricsConfig
	Telemetry TelemetryConfig

	Serverless serverless.Config
	Debugger   debugger.Config
	Logs       logs.Config
	Intake     intake.Config
}

// Module supplies a loaded configuration, as a whole and section by section.
func Module(loaded *Loaded) fx.Option {
	return fx.Module("config", fx.Provide(func() out {
		c := loaded.Config
		return out{
			Loaded: loaded, Config: c, API: c.API, Metrics: c.Metrics, Telemetry: c.Telemetry,
			Serverless: c.Serverless, Debugger: c.Debugger, Logs: c.Logs, Intake: c.Intake,
		}
	}))
}
