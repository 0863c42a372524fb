package serverlessfx

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/metrics"
	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// What was emitted before terminate is answered is on the wire by then, although
// the interval in which the client collects is still open.
func TestCase25TerminateIsOnTheWireBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	log := slog.New(slog.DiscardHandler)
	out, err := metrics.New(metrics.Config{StatsdAddress: server.LocalAddr().String(), Tags: []string{"team:shop"}}, log)
	require.NoError(t, err)
	require.NoError(t, out.Start(t.Context()))
	defer func() { require.NoError(t, out.Stop(t.Context())) }()
	cfg := serverless.DefaultConfig()
	cfg.Enabled, cfg.LifecycleAddress, cfg.IdentityAddress = true, "127.0.0.1:0", "127.0.0.1:0"
	c, err := New(Deps{Config: cfg, Log: log, Metrics: out})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	defer func() { require.NoError(t, c.Stop(t.Context())) }()

	hook := func(name, body string) {
		url := "http://" + c.engine.Addr().String() + lifecycle.BasePath + name
		resp, err := http.Post(url, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	hook("run", `{"microvmId":"vm-1"}`)
	time.Sleep(1100 * time.Millisecond)
	begin := time.Now()
	hook("terminate", "")
	require.Less(t, time.Since(begin), cfg.HookBudget)
	var arrived strings.Builder
	buffer := make([]byte, 64<<10)
	require.NoError(t, server.SetReadDeadline(time.Now().Add(100*time.Millisecond))) // loopback: what was sent is here
	for {
		n, err := server.Read(buffer)
		if err != nil {
			break
		}
		arrived.Write(buffer[:n])
		arrived.WriteByte('\n')
	}
	require.Contains(t, arrived.String(), "aws.lambda.enhanced.microvm.terminate:1|d")
	require.Contains(t, arrived.String(), "aws.lambda.enhanced.microvm.active_instances:1|g")
	require.Contains(t, arrived.String(), "aws.lambda.enhanced.microvm.active_seconds:1|c")
}
