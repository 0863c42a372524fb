package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/stream"
)

func TestConfigsHideTheirKey(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.APIKey = "s3cr3t"
	sending := stream.Config{Endpoints: []stream.Endpoint{{Address: "a:1"}}, APIKey: c.APIKey}
	require.Contains(t, fmt.Sprintf("%+v", c), "APIKey:********")
	require.Contains(t, fmt.Sprintf("%+v", sending), "APIKey:********")
	require.Contains(t, fmt.Sprintf("%+v", DefaultConfig()), "APIKey: APIKeyFile", "none is set")
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, c, &c, struct{ C Config }{c}, sending)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "config", c, "stream", sending)
	}
	text, err := json.Marshal([]any{c, sending})
	require.NoError(t, err)
	out.Write(text)
	require.NotContains(t, out.String(), "s3cr3t")
	require.NotContains(t, out.String(), "733363723374", "as hexadecimal digits")
}
