package doctor

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/comp/health"
)

// find is the finding of that name.
func find(t *testing.T, findings []Finding, name string) Finding {
	t.Helper()
	for _, f := range findings {
		if f.Name == name {
			return f
		}
	}
	require.Fail(t, "no finding", "%s in %v", name, findings)
	return Finding{}
}

func base(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.RunPath = t.TempDir()
	c.API.Socket = filepath.Join(t.TempDir(), "vigil.sock")
	return c
}

func supported() error { return nil }

func listen(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return listener.Addr().String()
}

func TestNothingEnabledIsHealthy(t *testing.T) {
	t.Parallel()
	c := base(t)
	findings := Run(t.Context(), c, Deps{BPF: func() error { return errors.New("no BPF here") }})
	require.True(t, Healthy(findings))
	require.Equal(t, Finding{Name: "BPF probes", Detail: "no BPF here", Fix: "see the items above"}, find(t, findings, "BPF probes"))
	require.Equal(t, Finding{Name: "run_path", Detail: c.RunPath + " is writable", OK: true}, find(t, findings, "run_path"))
	require.Equal(t, Finding{Name: "api.socket", Detail: c.API.Socket + " can be created", OK: true, Needed: true}, find(t, findings, "api.socket"))
	require.True(t, find(t, findings, "kernel").OK)
}

func TestDebuggerWithoutBPF(t *testing.T) {
	t.Parallel()
	c := base(t)
	c.Debugger.Enabled = true
	require.False(t, Healthy(Run(t.Context(), c, Deps{BPF: func() error { return errors.New("no BPF here") }})))
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	c := base(t)
	c.Serverless.Enabled, c.Serverless.LifecycleAddress = true, listen(t)
	findings := Run(t.Context(), c, Deps{BPF: supported})
	require.False(t, Healthy(findings))
	_, port, _ := strings.Cut(c.Serverless.LifecycleAddress, ":")
	require.Equal(t, Finding{
		Name: "serverless.lifecycle_address", Needed: true,
		Detail: "listen tcp " + c.Serverless.LifecycleAddress + ": bind: address already in use",
		Fix:    "find who holds it with `ss -ltnp 'sport = :" + port + "'`, or set serverless.lifecycle_address to a free port",
	}, find(t, findings, "serverless.lifecycle_address"))
}

// What the running agent holds is no fault, what it could not get is.
func TestPortsOfTheRunningAgent(t *testing.T) {
	t.Parallel()
	c := config.Default()
	dir, err := os.MkdirTemp("", "vigil-doctor-") //nolint:usetesting // t.TempDir may be too long for a unix socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	c.RunPath, c.API.Socket = dir, filepath.Join(dir, "vigil.sock")
	c.Serverless.Enabled, c.Serverless.LifecycleAddress = true, listen(t)
	c.Telemetry.Listen = listen(t)

	registry := health.New([]health.Reporter{
		report{Name: "serverless", State: health.Degraded, Reason: "taken"}, report{Name: "telemetry", State: health.OK},
	})
	server := api.NewLocal(c.API.Socket, slog.New(slog.DiscardHandler))
	require.NoError(t, server.Mount([]api.Route{{Pattern: "GET /health", Handler: http.HandlerFunc(registry.Health)}}))
	require.NoError(t, server.Start(t.Context()))
	findings := Run(t.Context(), c, Deps{BPF: supported})
	require.NoError(t, server.Stop(t.Context()))

	require.Equal(t, Finding{Name: "api.socket", Detail: c.API.Socket + " (an agent is running)", OK: true, Needed: true}, find(t, findings, "api.socket"))
	require.Equal(t, Finding{Name: "telemetry.listen", Detail: c.Telemetry.Listen + " is held by the running agent", OK: true, Needed: true}, find(t, findings, "telemetry.listen"))
	require.False(t, find(t, findings, "serverless.lifecycle_address").OK)
}

type report health.Report

func (r report) Health() health.Report { return health.Report(r) }

func TestEndpoint(t *testing.T) {
	t.Parallel()
	c := base(t)
	c.Logs.Enabled, c.Logs.Endpoint.Address = true, listen(t)
	finding := find(t, Run(t.Context(), c, Deps{BPF: supported}), "logs.endpoint.address")
	require.True(t, finding.OK)
	require.Contains(t, finding.Detail, c.Logs.Endpoint.Address+" answers in ")

	c.Logs.Endpoint.Address = "127.0.0.1:1"
	finding = find(t, Run(t.Context(), c, Deps{BPF: supported}), "logs.endpoint.address")
	require.False(t, finding.OK)
	require.Contains(t, finding.Fix, "vigil intake")

	// The embedded intake is not up yet when the doctor looks.
	c.Intake.Enabled, c.Intake.Listen = true, c.Logs.Endpoint.Address
	for _, f := range Run(t.Context(), c, Deps{BPF: supported}) {
		require.NotEqual(t, "logs.endpoint.address", f.Name)
	}
}

func TestStatsdSocket(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Equal(t, Finding{Name: "metrics.statsd_address", Detail: file + " is not a socket", Fix: "correct metrics.statsd_address", Needed: true}, statsd("unix://"+file, true))
	require.False(t, statsd("unix:///absent/dsd.sock", true).OK)
	require.True(t, statsd("127.0.0.1:8125", true).OK)
}

func TestSocketPathTooLong(t *testing.T) {
	t.Parallel()
	finding := socket(filepath.Join(t.TempDir(), strings.Repeat("x", 120)))
	require.False(t, finding.OK)
	require.Equal(t, "set api.socket to a shorter path", finding.Fix)
}
