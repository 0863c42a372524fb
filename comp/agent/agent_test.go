package agent

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/health"
)

func TestNothingEnabled(t *testing.T) {
	_, err := New(loaded(t, nil), io.Discard)
	require.ErrorIs(t, err, ErrNothingEnabled)
}

// An engine that cannot run is degraded, and everybody who asks is told so,
// while the others run.
func TestDegradedEngine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, busy.Close()) }()
	l := loaded(t, map[string]string{
		"serverless.enabled": "true", "serverless.lifecycle_address": busy.Addr().String(),
		"intake.enabled": "true", "intake.listen": "127.0.0.1:0", "intake.journal": filepath.Join(t.TempDir(), "journal"),
		"log_format": "json",
	})
	var log bytes.Buffer
	a, err := New(l, &log)
	require.NoError(t, err)
	require.NoError(t, a.Start(t.Context()))
	client := api.NewClient(l.Config.API.Socket)

	_, err = client.Get(t.Context(), "/live")
	require.NoError(t, err)
	ready, err := client.Get(t.Context(), "/ready")
	require.ErrorContains(t, err, "503")
	require.Contains(t, string(ready), "serverless: degraded: ")
	require.Contains(t, string(ready), "fix: set serverless.lifecycle_address to a free port")
	page, err := client.Get(t.Context(), "/v1/status?format=text")
	require.NoError(t, err)
	_, problems, _ := strings.Cut(string(page), "\n\n")
	require.Regexp(t, `^✗ serverless is degraded: .*address already in use.*\n  fix: set serverless`, problems)
	metrics, err := client.Get(t.Context(), "/metrics")
	require.NoError(t, err)
	require.Contains(t, string(metrics), `vigil_agent_component_state{component="serverless",state="degraded"} 1`)
	require.NoError(t, a.Stop(t.Context()))

	var errorLines []map[string]any
	for line := range bytes.Lines(log.Bytes()) {
		var record map[string]any
		require.NoError(t, json.Unmarshal(line, &record))
		if record["level"] == "ERROR" {
			errorLines = append(errorLines, record)
		}
	}
	require.Len(t, errorLines, 1, log.String())
	require.Equal(t, "serverless is degraded, the rest runs", errorLines[0]["msg"])
}

// An agent of which nothing can run says so and ends.
func TestUseless(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, busy.Close()) }()
	a, err := New(loaded(t, map[string]string{"serverless.enabled": "true", "serverless.lifecycle_address": busy.Addr().String()}), io.Discard)
	require.NoError(t, err)
	err = a.Start(t.Context())
	require.ErrorContains(t, err, "no engine can run: serverless: ")
	require.ErrorContains(t, err, "fix: set serverless.lifecycle_address")
}

// What an engine waits for must not end the agent: an endpoint that refuses at the
// moment of the start may take everything a second later.
func TestWaitingIsNotUseless(t *testing.T) {
	failed := health.Report{Name: "debugger", State: health.Degraded, Reason: "not root", Fix: "run as root"}
	waiting := health.Report{Name: "logs", State: health.Degraded, Reason: "connection refused", Running: true}
	other := health.Report{Name: "api", State: health.OK}
	require.Equal(t, "no engine can run: debugger: not root; fix: run as root", useless([]health.Report{other, failed}))
	require.Empty(t, useless([]health.Report{other, failed, waiting}))
	require.Empty(t, useless([]health.Report{failed, {Name: "logs", State: health.OK}}))
}

// Two agents on one socket would answer for each other.
func TestSecondAgent(t *testing.T) {
	l := loaded(t, map[string]string{"intake.enabled": "true", "intake.listen": "127.0.0.1:0", "intake.journal": filepath.Join(t.TempDir(), "journal")})
	first, err := New(l, io.Discard)
	require.NoError(t, err)
	require.NoError(t, first.Start(t.Context()))
	second, err := New(l, io.Discard)
	require.NoError(t, err)
	require.ErrorIs(t, second.Start(t.Context()), api.ErrInUse)
	require.NoError(t, first.Stop(t.Context()))
}

func TestConfigRouteHidesSecrets(t *testing.T) {
	l := loaded(t, map[string]string{"api_key": "0123456789abcdef", "intake.enabled": "true", "intake.listen": "127.0.0.1:0", "intake.journal": filepath.Join(t.TempDir(), "journal")})
	a, err := New(l, io.Discard)
	require.NoError(t, err)
	require.NoError(t, a.Start(t.Context()))
	body, err := api.NewClient(l.Config.API.Socket).Get(t.Context(), "/v1/config")
	require.NoError(t, err)
	require.Contains(t, string(body), `"intake"`)
	require.NotContains(t, string(body), "0123456789abcdef")
	require.NoError(t, a.Stop(t.Context()))
}
