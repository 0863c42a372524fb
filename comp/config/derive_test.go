package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// loadText loads one file under a fixed host name.
func loadText(t *testing.T, text string, environ ...string) *Loaded {
	t.Helper()
	loaded, err := Load(Options{
		File: writeFile(t, "vigil.yaml", text), Environ: environ,
		LookupHostname: func() (string, error) { return "host", nil },
	})
	require.NoError(t, err)
	return loaded
}

func TestUnifiedTags(t *testing.T) {
	t.Parallel()
	c := loadText(t, "tags: [team:a]\nservice: shop\nenv: prod\nversion: '1'\n").Config
	require.Equal(t, []string{"team:a", "env:prod", "service:shop", "version:1"}, c.Tags)
	require.Equal(t, []string{"team:a", "env:prod", "version:1"}, c.Logs.Tags, "the service of a line is that of its source")

	c = loadText(t, "tags: [env:mine, version:]\nenv: prod\nversion: '1'\n").Config
	require.Equal(t, []string{"env:mine", "version:"}, c.Tags, "the user's own tag wins")

	c = loadText(t, "").Config
	require.Empty(t, c.Tags)
	require.Empty(t, c.Logs.Tags)
}

func TestLogsInherit(t *testing.T) {
	t.Parallel()
	c := loadText(t, `
api_key: platform-key
run_path: /data
hostname: web-1
service: shop
logs:
  sources: [{path: /a}, {path: /b, service: own, tags: [x:y]}]
`).Config
	require.Equal(t, "platform-key", c.Logs.APIKey)
	require.Equal(t, "/data", c.Logs.RunPath)
	require.Equal(t, "web-1", c.Logs.Hostname)
	require.Equal(t, "shop", c.Logs.Sources[0].Service)
	require.Equal(t, "own", c.Logs.Sources[1].Service)
	require.Equal(t, []string{"x:y"}, c.Logs.Sources[1].Tags)
	require.Equal(t, "end", c.Logs.Sources[0].StartAt)
	require.Equal(t, "file", c.Logs.Sources[0].Type)
}

// TestInheritedSourcesAreNotWrittenBack: the values that a dump shows are the
// user's, not those that engines took over.
func TestInheritedSourcesAreNotWrittenBack(t *testing.T) {
	t.Parallel()
	loaded := loadText(t, "service: shop\nenv: prod\nlogs: {sources: [{path: /a}]}\n")
	e, err := loaded.Explain("logs.sources")
	require.NoError(t, err)
	require.Equal(t, "[{type: file, path: /a, start_at: end}]", e.Value)
	e, err = loaded.Explain("tags")
	require.NoError(t, err)
	require.Equal(t, "[]", e.Value)
}

func TestEmbeddedIntake(t *testing.T) {
	t.Parallel()
	const base = "logs: {enabled: true, sources: [{path: /a}]}\n"
	c := loadText(t, base+"api_key: platform\nintake: {enabled: true, api_key: own-key}\n").Config
	require.Equal(t, "127.0.0.1:9092", c.Logs.Endpoint.Address)
	require.True(t, c.Logs.Endpoint.TLS.Insecure)
	require.Equal(t, "own-key", c.Logs.APIKey, "the embedded intake accepts no other")

	c = loadText(t, base+"api_key: platform\nintake: {enabled: true}\n").Config
	require.Equal(t, "platform", c.Logs.APIKey)

	c = loadText(t, "logs: {enabled: true, sources: [{path: /a}], endpoint: {address: 'x:1'}}\nintake: {enabled: true, api_key: own-key}\n").Config
	require.Equal(t, "x:1", c.Logs.Endpoint.Address, "an address that is set stays")
	require.False(t, c.Logs.Endpoint.TLS.Insecure)
	require.Empty(t, c.Logs.APIKey)
}

func TestDialAddress(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		":9092": "127.0.0.1:9092", "0.0.0.0:9092": "127.0.0.1:9092", "[::]:9092": "127.0.0.1:9092", "127.0.0.1:1": "127.0.0.1:1", "[::1]:1": "[::1]:1", "host:1": "host:1", "nonsense": "nonsense",
	} {
		require.Equal(t, want, dialAddress(listen), listen)
	}
}

func TestProbesRememberTheirPlace(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "vigil.yaml", "debugger:\n  probes:\n    - {id: a}\n    -\n      id: b\n")
	loaded, err := Load(Options{File: path, LookupHostname: func() (string, error) { return "host", nil }})
	require.NoError(t, err)
	probes := loaded.Config.Debugger.Probes
	require.Len(t, probes, 2)
	require.Equal(t, path+":3:7", probes[0].Where)
	require.Equal(t, path+":5:7", probes[1].Where)
	require.JSONEq(t, `{"id":"b"}`, string(probes[1].JSON))

	loaded = loadText(t, "", `VIGIL_DEBUGGER_PROBES=[{"id":"a"}]`)
	require.Equal(t, "VIGIL_DEBUGGER_PROBES:1:2", loaded.Config.Debugger.Probes[0].Where)
}

// TestEnvironmentTakesTheFirst: as os.Getenv does.
func TestEnvironmentTakesTheFirst(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a", loadText(t, "", "VIGIL_ENV=a", "VIGIL_ENV=b", "garbage").Config.Env)
}
