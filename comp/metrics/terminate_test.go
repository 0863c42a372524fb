package metrics_test

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/agent"
	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/config"
)

// TestTerminateIsOnTheWire is case 25 of the serverless specification with the
// whole agent: when terminate is answered, its event has reached the API,
// although the bucket is still open; and case 27: an API that hangs does not
// hold up the answer beyond the budget.
func TestTerminateIsOnTheWire(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	var hang atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if hang.Load() {
			<-r.Context().Done()
			return
		}
		mu.Lock()
		bodies = append(bodies, inflate(t, r.Header.Get("Content-Encoding"), body))
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()

	dir, err := os.MkdirTemp("", "vigil-metrics-") //nolint:usetesting // t.TempDir may be too long for a unix socket
	require.NoError(t, err)
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	file := filepath.Join(dir, "vigil.yaml")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	loaded, err := config.Load(config.Options{File: file, LookupHostname: func() (string, error) { return "host", nil }, Flags: map[string]string{
		"run_path": dir, "api.socket": filepath.Join(dir, "vigil.sock"), "api_key": "0123456789abcdef",
		"metrics.output": "datadog", "metrics.api_url": server.URL,
		"serverless.enabled": "true", "serverless.lifecycle_address": "127.0.0.1:0", "serverless.hook_budget": "2500ms",
	}})
	require.NoError(t, err)
	a, err := agent.New(loaded, io.Discard)
	require.NoError(t, err)
	require.NoError(t, a.Start(t.Context()))
	defer func() { require.NoError(t, a.Stop(t.Context())) }()

	page, err := api.NewClient(loaded.Config.API.Socket).Get(t.Context(), "/v1/status")
	require.NoError(t, err)
	var status struct {
		Sections struct {
			Serverless struct {
				Address string `json:"address"`
			} `json:"serverless"`
		} `json:"sections"`
	}
	require.NoError(t, json.Unmarshal(page, &status))
	hook := func(name, body string) time.Duration {
		t.Helper()
		begin := time.Now()
		response, err := http.Post("http://"+status.Sections.Serverless.Address+"/aws/lambda-microvms/runtime/v1/"+name, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		return time.Since(begin)
	}
	sent := func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(bodies, "\n")
	}
	hook("run", `{"microvmId":"vm-1"}`)
	hook("suspend", "")
	require.Contains(t, sent(), `"metric":"aws.lambda.enhanced.microvm.suspend"`)
	require.Contains(t, sent(), `"metric":"aws.lambda.enhanced.microvm.active_instances","type":3`)

	rows := regexp.MustCompile(`"metric":"aws.lambda.enhanced.microvm.(?:run|suspend|active_instances)"[^\n]*?"tags":\[[^\]]*\]`).FindAllString(sent(), -1)
	require.GreaterOrEqual(t, len(rows), 3)
	for _, row := range rows {
		require.Equal(t, 1, strings.Count(row, `"lambda_microvm_id:vm-1"`), row)
	}

	hook("resume", "")
	hang.Store(true)
	require.Less(t, hook("suspend", ""), 3500*time.Millisecond)
	hang.Store(false)
	hook("resume", "")
	hook("terminate", "")
	require.Contains(t, sent(), `"metric":"aws.lambda.enhanced.microvm.terminate"`)
	require.Equal(t, 2, strings.Count(sent(), `"metric":"aws.lambda.enhanced.microvm.suspend"`), "what the hanging API did not take went with the next flush")
}

func inflate(t *testing.T, encoding string, body []byte) string {
	t.Helper()
	if encoding == "zstd" {
		d, err := zstd.NewReader(nil)
		if err != nil {
			return err.Error()
		}
		defer d.Close()
		text, err := d.DecodeAll(body, nil)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
