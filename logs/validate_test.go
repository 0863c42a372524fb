package logs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// valid is a configuration that everything else is a change of.
func valid() Config {
	c := DefaultConfig()
	c.Enabled = true
	c.RunPath = "/run/vigil"
	c.Sources = []SourceConfig{{Type: SourceFile, Path: "/var/log/*.log", StartAt: StartAtEnd}}
	c.Endpoint.Address = "127.0.0.1:9092"
	c.Endpoint.TLS.Insecure = true
	return c
}

func TestValidate(t *testing.T) {
	t.Parallel()
	require.NoError(t, valid().Validate())
	require.NoError(t, DefaultConfig().Validate())
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // all problems
	}{
		"run path":  {func(c *Config) { c.RunPath = "" }, "run_path: must be set: the offsets are kept there"},
		"no source": {func(c *Config) { c.Sources = nil }, "sources: must have an entry, or logs.enabled be false"},
		"type":      {func(c *Config) { c.Sources[0].Type = "tcp" }, `sources[0].type: must be file or app, not "tcp"`},
		"no path":   {func(c *Config) { c.Sources[0].Path = "" }, "sources[0].path: path is empty"},
		"relative":  {func(c *Config) { c.Sources[0].Path = "app.log" }, `sources[0].path: "app.log" is not an absolute path`},
		"pattern": {
			func(c *Config) { c.Sources[0].Path = "/var/[a" },
			`sources[0].path: "/var/[a" is not a valid pattern: a [ needs its ], and a literal one is written \[`,
		},
		"start_at": {
			func(c *Config) {
				c.Sources = append(c.Sources, SourceConfig{Type: SourceFile, Path: "/a", StartAt: "middle"})
			},
			`sources[1].start_at: must be beginning or end, not "middle"`,
		},
		"same path": {
			func(c *Config) { c.Sources = append(c.Sources, c.Sources[0]) },
			"sources[1].path: is the same as that of sources[0]",
		},
		"tags": {
			func(c *Config) {
				c.Hostname, c.Tags = "a,b", []string{"ok:1", ""}
				c.Sources[0].Service, c.Sources[0].Source, c.Sources[0].Tags = "a\n", "b,", []string{"x,y"}
			},
			`sources[0].service: "a\n" must not have a comma or a line break: tags are joined by commas
sources[0].source: "b," must not have a comma or a line break: tags are joined by commas
sources[0].tags[0]: "x,y" must not have a comma or a line break: tags are joined by commas
hostname: "a,b" must not have a comma or a line break: tags are joined by commas
tags[1]: is empty`,
		},
		"batch": {
			func(c *Config) { c.Batch = BatchConfig{MaxWait: -time.Second} },
			"batch.max_lines: must be at least 1, not 0\nbatch.max_bytes: must be at least 1, not 0\nbatch.max_wait: must be more than 0, not -1s",
		},
		"large batch": {
			func(c *Config) { c.Batch = BatchConfig{MaxLines: 100_001, MaxBytes: 64_000_001, MaxWait: time.Second} },
			"batch.max_lines: must be at most 100000, not 100001\nbatch.max_bytes: must be at most 64000000, not 64000001",
		},
		"profile": {func(c *Config) { c.Endpoint.Profile = "column" }, `endpoint.profile: must be auto or columns or rows or http, not "column"`},
		"application with a path": {
			func(c *Config) { c.Sources[0] = SourceConfig{Type: SourceApp, Path: "/a"} },
			"sources[0].path: has no meaning for the output of the application",
		},
		"two applications": {
			func(c *Config) { c.Sources = []SourceConfig{{Type: SourceApp}, {Type: SourceApp}} },
			"sources[1].type: is the same as that of sources[0]: there is one application",
		},
		"no address": {func(c *Config) { c.Endpoint.Address = "" }, "endpoint.address: must be set, as host:port"},
		"no port":    {func(c *Config) { c.Endpoint.Address = "host" }, `endpoint.address: "host" is not host:port`},
		"url":        {func(c *Config) { c.Endpoint.Address = "http://host:80/x" }, `endpoint.address: "http://host:80/x" is a URL, not host:port, which profile http alone takes`},
		"no url": {
			func(c *Config) { c.Endpoint = EndpointConfig{Profile: ProfileHTTP, Address: "host:80"} },
			`endpoint.address: "host:80" is not a URL such as https://http-intake.logs.datadoghq.com`,
		},
		"further endpoints": {
			func(c *Config) { c.Endpoints = []string{"", "host"} },
			"endpoints[0]: is empty\nendpoints[1]: \"host\" is not host:port",
		},
		"fallback": {
			func(c *Config) { c.APIKey, c.Endpoint.Fallback = "secret", "http://intake.example.com" },
			`endpoint.fallback: "http://intake.example.com" would send the API key unencrypted: use https, or a loopback address, or no api_key`,
		},
		"fallback of http": {
			func(c *Config) {
				c.Endpoint = EndpointConfig{Profile: ProfileHTTP, Address: "https://a", Fallback: "https://user@a"}
			},
			"endpoint.fallback: must not have a user name or a password in it\nendpoint.fallback: has no meaning for profile http: write its URL into endpoint.address, or into endpoints",
		},
		"secondary": {
			func(c *Config) {
				c.APIKey, c.Secondary = "secret", SecondaryConfig{Address: "intake.example.com:1", TLS: TLSConfig{Insecure: true}}
			},
			"secondary.tls.insecure: would send the API key unencrypted to intake.example.com: use TLS, or a loopback address, or no api_key",
		},
		"spool": {
			func(c *Config) {
				c.Spool = SpoolConfig{Enabled: true, MaxSize: 1 << 20, Fsync: "never", WhenFull: "newest"}
			},
			`spool.fsync: must be batch or interval or off, not "never"
spool.when_full: must be block or oldest, not "newest"
spool.max_size: must be at least four times batch.max_bytes (5000000 bytes), not 1048576`,
		},
		"small spool":  {func(c *Config) { c.Spool.Enabled, c.Spool.MaxSize = true, 1 }, "spool.max_size: must be at least 1048576 bytes, not 1"},
		"memory limit": {func(c *Config) { c.MemoryLimit = 1 << 20 }, "memory_limit: must be at least 33554432 bytes, not 1048576"},
		"two keys":     {func(c *Config) { c.APIKey, c.APIKeyFile = "secret", "/key" }, "api_key_file: is set as well as api_key: keep one of them"},
		"key file":     {func(c *Config) { c.APIKeyFile = "/nowhere" }, "api_key_file: cannot be read: open /nowhere: no such file or directory"},
		"no host":      {func(c *Config) { c.Endpoint.Address = ":80" }, `endpoint.address: ":80" has no host`},
		"large port": {
			func(c *Config) { c.Endpoint.Address = "host:65536" },
			`endpoint.address: "host:65536" has no port from 1 to 65535`,
		},
		"key in the clear": {
			func(c *Config) { c.APIKey, c.Endpoint.Address = "secret", "intake.example.com:443" },
			"endpoint.tls.insecure: would send the API key unencrypted to intake.example.com: use TLS, or a loopback address, or no api_key",
		},
		"insecure and TLS": {
			func(c *Config) { c.Endpoint.TLS.ServerName = "x" },
			"endpoint.tls.insecure: means plaintext: remove it, or the other keys of tls",
		},
		"certificate without key": {
			func(c *Config) { c.Endpoint.TLS = TLSConfig{CertFile: "/c.pem"} },
			"endpoint.tls.key_file: must be set together with cert_file",
		},
		"key without certificate": {
			func(c *Config) { c.Endpoint.TLS = TLSConfig{KeyFile: "/k.pem"} },
			"endpoint.tls.cert_file: must be set together with key_file",
		},
		"CA file": {
			func(c *Config) { c.Endpoint.TLS = TLSConfig{CAFile: "/nowhere.pem"} },
			"endpoint.tls.ca_file: cannot be read: open /nowhere.pem: no such file or directory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := valid()
			c.change(&cfg)
			err := cfg.Validate()
			require.EqualError(t, err, c.want)
			var field *FieldError
			require.ErrorAs(t, err, &field)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestKeyInTheClearToLoopback(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:1": true, "127.8.8.8:1": true, "[::1]:1": true, "localhost:1": true, "LOCALHOST:1": true,
		"10.0.0.1:1": false, "[::]:1": false, "0.0.0.0:1": false, "localhost.example.com:1": false,
	} {
		cfg := valid()
		cfg.APIKey, cfg.Endpoint.Address = "secret", address
		require.Equal(t, ok, cfg.Validate() == nil, address)
		cfg.Endpoint.TLS.Insecure = false
		require.NoError(t, cfg.Validate(), address)
	}
}

func TestSwitchedOffNeedsNothing(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Endpoint.TLS.CAFile = "/nowhere.pem"
	require.NoError(t, cfg.Validate(), "files are read when the engine is on")
	cfg.Sources = []SourceConfig{{Type: "x", Path: "/a"}}
	require.EqualError(t, cfg.Validate(), `sources[0].type: must be file or app, not "x"`, "what is written is checked")
	_, err := New(cfg, Deps{})
	require.EqualError(t, err, `logs: sources[0].type: must be file or app, not "x"`)
}

func TestTLSFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.pem")
	require.NoError(t, os.WriteFile(junk, []byte("junk"), 0o600))
	for want, c := range map[string]TLSConfig{
		"endpoint.tls.ca_file: " + junk + " has no PEM certificate":                                                   {CAFile: junk},
		"endpoint.tls.cert_file: cannot be used with key_file: tls: failed to find any PEM data in certificate input": {CertFile: junk, KeyFile: junk},
	} {
		_, err := tlsConfig("endpoint.tls", c)
		require.EqualError(t, err, want)
		var field *FieldError
		require.ErrorAs(t, err, &field)
	}
	got, err := tlsConfig("endpoint.tls", TLSConfig{Insecure: true})
	require.NoError(t, err)
	require.Nil(t, got)
	got, err = tlsConfig("endpoint.tls", TLSConfig{ServerName: "intake"})
	require.NoError(t, err)
	require.Equal(t, "intake", got.ServerName)
	require.Equal(t, uint16(0x0303), got.MinVersion)
	require.Nil(t, got.RootCAs)
}
