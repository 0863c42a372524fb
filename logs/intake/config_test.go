package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfigHidesItsKey(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	require.Equal(t, "{Enabled:false Listen:127.0.0.1:9092 TLS:{CertFile: KeyFile: ClientCAFile:} APIKey: APIKeyFile: Journal: JournalFsync:batch "+
		"JournalSegmentSize:1073741824 JournalMaxSize:0 MaxMessageSize:4194304 MaxBatchLines:131072 MaxStreamState:33554432 MaxState:1073741824 "+
		"MaxStreams:1024 MaxSessions:65536 MinPingInterval:10s DrainTimeout:5s}", fmt.Sprintf("%+v", c))
	c.APIKey = "s3cr3t"
	require.Contains(t, fmt.Sprintf("%+v", c), " APIKey:******** ")
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, c, &c, struct{ C Config }{c})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", c)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", c)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	require.NotContains(t, string(text), "s3cr3t")
	require.NotContains(t, out.String(), "s3cr3t")
	require.NotContains(t, out.String(), "733363723374", "as hexadecimal digits")
}
