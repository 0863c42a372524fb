package realworld

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/test/harness"
)

// live is how a server is started, and a request that runs a function.
type live struct {
	args     func(dir, address, other string) []string
	path     string
	function string
	captured string
}

var lives = map[string]live{
	"nats-server": {
		args: func(_, address, other string) []string {
			return []string{"--addr", "127.0.0.1", "--port", port(other), "--http_port", port(address)}
		},
		path: "/varz", function: "server.(*Server).HandleVarz", captured: `"RequestURI":{"type":"string","value":"/varz"}`,
	},
	"server": { // etcd
		args: func(dir, address, other string) []string {
			return []string{
				"--data-dir", dir, "--listen-client-urls", "http://" + address, "--advertise-client-urls", "http://" + address,
				"--listen-peer-urls", "http://" + other, "--initial-advertise-peer-urls", "http://" + other, "--initial-cluster", "default=http://" + other,
			}
		},
		path: "/version", function: "net/http.HandlerFunc.ServeHTTP", captured: `"RequestURI":{"type":"string","value":"/version"}`,
	},
	"caddy": {
		args: func(_, address, _ string) []string {
			return []string{"respond", "--listen", address, "--body", "hello"}
		},
		path: "/greet", function: "caddyhttp.(*Server).ServeHTTP", captured: `"RequestURI":{"type":"string","value":"/greet"}`,
	},
}

func port(address string) string { return address[len("127.0.0.1:"):] }

// TestTraceServers watches a function of each server while it answers a request:
// the snapshot has the request.
func TestTraceServers(t *testing.T) {
	for program, l := range lives {
		t.Run(program, func(t *testing.T) {
			path := serverPath(t, program)
			addresses, err := harness.FreePorts(2)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, path, l.args(t.TempDir(), addresses[0], addresses[1])...)
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
			require.NoError(t, cmd.Start())
			defer func() { _ = cmd.Wait() }() // it is killed
			defer func() { require.NoError(t, cmd.Process.Kill()) }()
			url := "http://" + addresses[0] + l.path
			require.Eventually(t, func() bool { return get(ctx, url) == nil }, 50*time.Second, 50*time.Millisecond)

			var snapshot string
			asked := make(chan error, 1)
			_, err = debugger.Trace(ctx, debugger.TraceOptions{
				PID: cmd.Process.Pid, Function: l.function, Limit: 1,
				OnReady:    func(debugger.TraceInfo) { go func() { asked <- get(ctx, url) }() },
				OnSnapshot: func(hit debugger.Hit) { snapshot = string(hit.JSON) },
			})
			if errors.Is(err, debugger.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
				t.Skip(err)
			}
			require.NoError(t, err)
			require.NoError(t, <-asked, "the server still answers")
			require.Contains(t, snapshot, l.captured)
			require.NoError(t, get(ctx, url))
		})
	}
}

func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
