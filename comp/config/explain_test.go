package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// golden compares text with testdata/<name>; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

const layered = `tags: [team:a]
api_key: abcdefgh
serverless:
  heartbeat_interval: 1m
logs:
  sources:
    - {path: /a.log, tags: ["x y:z"]}
debugger:
  probes:
    - {id: a, where: {methodName: main.f}}
`

func loadLayered(t *testing.T) (loaded *Loaded, dir string) {
	t.Helper()
	path := writeFile(t, "vigil.yaml", layered)
	loaded, err := Load(Options{
		File:           path,
		Flags:          map[string]string{"log_level": "debug", "serverless.heartbeat_interval": "2m"},
		Environ:        []string{"DD_AWS_MICROVM_HEARTBEAT_INTERVAL_MS=30000", "VIGIL_SERVERLESS_HEARTBEAT_INTERVAL=90s", "AWS_LAMBDA_MICROVM_IMAGE_ARN=x", "DD_SITE=bad"},
		LookupHostname: func() (string, error) { return "host", nil },
	})
	require.NoError(t, err)
	return loaded, filepath.Dir(path) + "/"
}

func TestExplain(t *testing.T) {
	t.Parallel()
	loaded, dir := loadLayered(t)
	var out strings.Builder
	for _, key := range []string{"serverless.heartbeat_interval", "serverless.enabled", "log_level", "api_key", "hostname", "logs.sources", "logs.sources[].start_at", "debugger.probes"} {
		e, err := loaded.Explain(key)
		require.NoError(t, err)
		out.WriteString(e.String() + "----\n")
	}
	golden(t, "explain.txt", strings.ReplaceAll(out.String(), dir, ""))
}

func TestExplainLayers(t *testing.T) {
	t.Parallel()
	loaded, dir := loadLayered(t)
	e, err := loaded.Explain("serverless.heartbeat_interval")
	require.NoError(t, err)
	require.Equal(t, []LayerValue{
		{Layer: "flag", Where: "serverless.heartbeat_interval", Value: "2m", Winner: true},
		{Layer: "environment", Where: "VIGIL_SERVERLESS_HEARTBEAT_INTERVAL", Value: "1m30s"},
		{Layer: "environment", Where: "DD_AWS_MICROVM_HEARTBEAT_INTERVAL_MS", Value: "30s"},
		{Layer: "file", Where: dir + "vigil.yaml:4:23", Value: "1m"},
		{Layer: "default", Value: "5m"},
	}, e.Layers)
	require.Equal(t, "2m", e.Value)
	require.Equal(t, []string{"10s", "15m"}, []string{e.Min, e.Max})
}

func TestDescribeEverything(t *testing.T) {
	t.Parallel()
	for _, key := range Keys() {
		e, err := Describe(key)
		require.NoError(t, err)
		require.Equal(t, key, e.Key)
		require.Contains(t, e.String(), key+"\n")
		require.Empty(t, e.Layers, "nothing was loaded")
		_, err = json.Marshal(e)
		require.NoError(t, err)
	}
}

func TestExplainUnknown(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"serverless.hartbeat_interval": `"serverless.hartbeat_interval" is no setting; did you mean serverless.heartbeat_interval?`,
		"heartbeat_interval":           `"heartbeat_interval" is no setting; did you mean serverless.heartbeat_interval?`,
		"intake.tls":                   `"intake.tls" is a section; ask for one of: intake.tls.cert_file, intake.tls.client_ca_file, intake.tls.key_file`,
		"logs.sources[].pth":           `"logs.sources[].pth" is no setting; did you mean logs.sources[].path?`,
		"logs.sources.zzz":             `"logs.sources.zzz" is no setting; did you mean logs.sources[].type or logs.sources[].path or logs.sources[].start_at or logs.sources[].service or logs.sources[].source or logs.sources[].tags?`,
		"enabled":                      `"enabled" is no setting; did you mean serverless.enabled or debugger.enabled or logs.enabled or logs.spool.enabled or intake.enabled?`,
		"zzzzzzzz":                     "\"zzzzzzzz\" is no setting; `vigil config` lists them",
		"":                             "\"\" is no setting; `vigil config` lists them",
	} {
		_, err := Describe(key)
		var unknown *UnknownKeyError
		require.ErrorAs(t, err, &unknown)
		require.EqualError(t, err, want)
		_, err = (&Loaded{}).Explain(key)
		require.EqualError(t, err, want)
	}
}

func TestDump(t *testing.T) {
	t.Parallel()
	loaded, dir := loadLayered(t)
	var out strings.Builder
	require.NoError(t, loaded.Dump(&out, DumpYAML))
	out.WriteString("----\n")
	require.NoError(t, loaded.Dump(&out, DumpSources))
	golden(t, "dump.txt", strings.ReplaceAll(out.String(), dir, ""))
}

func TestLoadedAsJSON(t *testing.T) {
	t.Parallel()
	loaded, dir := loadLayered(t)
	text, err := json.MarshalIndent(loaded, "", "  ")
	require.NoError(t, err)
	golden(t, "loaded.json", strings.ReplaceAll(string(text), dir, "")+"\n")
}

// failingWriter is a closed pipe.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestDumpReportsWriteErrors(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, (&Loaded{}).Dump(failingWriter{}, DumpYAML), os.ErrClosed)
}

func TestWrap(t *testing.T) {
	t.Parallel()
	require.Equal(t, "  one two\n  three\n", wrap("one two three", "  ", 10))
	require.Equal(t, "# averyverylongword\n# x\n", wrap("averyverylongword x", "# ", 10))
}
