package intake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	require.NoError(t, DefaultConfig().Validate())
	require.NoError(t, Config{Listen: ":0"}.Validate(), "zero means the default")
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	cert, key := writePair(t, dir, "server")
	for want, change := range map[string]func(c *Config){
		`listen: "nine" is not host:port`:                                                                   func(c *Config) { c.Listen = "nine" },
		"api_key_file: is set as well as api_key: keep one of them":                                         func(c *Config) { c.APIKey, c.APIKeyFile = "a", "b" },
		"api_key_file: " + empty + " is empty: write the API key into it":                                   func(c *Config) { c.APIKeyFile = empty },
		"api_key_file: " + dir + "/no cannot be read: open " + dir + "/no: no such file or directory":       func(c *Config) { c.APIKeyFile = dir + "/no" },
		"tls.cert_file: must be set together with key_file":                                                 func(c *Config) { c.TLS.KeyFile = key },
		"tls.key_file: must be set together with cert_file":                                                 func(c *Config) { c.TLS.CertFile = cert },
		"tls.cert_file: cannot be used with key_file: tls: failed to find any PEM data in key input":        func(c *Config) { c.TLS = TLSConfig{CertFile: cert, KeyFile: empty} },
		"tls.client_ca_file: has no meaning without cert_file: in plain text no client shows a certificate": func(c *Config) { c.TLS.ClientCAFile = cert },
		"tls.client_ca_file: " + empty + " has no PEM certificate":                                          func(c *Config) { c.TLS = TLSConfig{cert, key, empty} },
		"tls.client_ca_file: cannot be read: open /no: no such file or directory":                           func(c *Config) { c.TLS = TLSConfig{cert, key, "/no"} },
		`journal_fsync: must be batch, interval or off, not "never"`:                                        func(c *Config) { c.JournalFsync = "never" },
		"journal_segment_size: must be from 1048576 to 1125899906842624, not 1":                             func(c *Config) { c.JournalSegmentSize = 1 },
		"journal_max_size: must be at least twice journal_segment_size (1073741824 bytes), or 0 to keep everything, not 1073741824": func(c *Config) {
			c.JournalMaxSize = 1 << 30
		},
		"max_message_size: must be from 65536 to 67108864, not -1":    func(c *Config) { c.MaxMessageSize = -1 },
		"max_batch_lines: must be from 1 to 1048576, not 1048577":     func(c *Config) { c.MaxBatchLines = 1<<20 + 1 },
		"max_stream_state: must be from 1048576 to 1073741824, not 5": func(c *Config) { c.MaxStreamState = 5 },
		"max_state: must be at least max_stream_state (33554432 bytes), not 1048576: it is for all streams together": func(c *Config) {
			c.MaxState = 1 << 20
		},
		"max_streams: must be from 1 to 65536, not -1":         func(c *Config) { c.MaxStreams = -1 },
		"max_sessions: must be from 16 to 1048576, not 2":      func(c *Config) { c.MaxSessions = 2 },
		"min_ping_interval: must be from 1s to 20s, not 30s":   func(c *Config) { c.MinPingInterval = 30 * time.Second },
		"drain_timeout: must be from 1ms to 10m0s, not 1h0m0s": func(c *Config) { c.DrainTimeout = time.Hour },
	} {
		c := DefaultConfig()
		c.Enabled = true
		change(&c)
		require.EqualError(t, c.Validate(), want)
	}
	c := Config{Listen: "x", MaxStreams: -1}
	require.Len(t, strings.Split(c.Validate().Error(), "\n"), 2, "all that is wrong at once")
	c = DefaultConfig()
	c.APIKeyFile = "/no"
	require.NoError(t, c.Validate(), "files are read when it is on")
}
