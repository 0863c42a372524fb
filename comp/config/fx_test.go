package config

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/serverless"
)

func TestModuleSuppliesEverySection(t *testing.T) {
	t.Parallel()
	loaded, _ := loadLayered(t)
	var (
		whole *Loaded
		c     Config
		s     serverless.Config
		d     debugger.Config
		l     logs.Config
		i     intake.Config
		a     APIConfig
		m     MetricsConfig
		tel   TelemetryConfig
	)
	app := fxtest.New(t, Module(loaded), fx.Populate(&whole, &c, &s, &d, &l, &i, &a, &m, &tel))
	app.RequireStart().RequireStop()
	require.Same(t, loaded, whole)
	require.Equal(t, Config{
		APIKey: c.APIKey, Site: c.Site, Hostname: c.Hostname, Tags: c.Tags, LogLevel: c.LogLevel, LogFormat: c.LogFormat, RunPath: c.RunPath,
		API: a, Metrics: m, Telemetry: tel, Serverless: s, Debugger: d, Logs: l, Intake: i,
	}, loaded.Config)
}
