package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// secretFiles hold SECRET where a key belongs, in every way YAML has to write a
// text, beside all kinds of mistakes.
var secretFiles = []string{
	"api_key: SECRET\nsite: 5\nbogus: 1\n",
	"api_key: 'SECRET'\napi_key: SECRET\n",
	"api_key: \"SECRET\nsite: x\n",
	"\"api_key\": \"SECRET\"\n'site': [\n",
	"api_key: |\n  SECRET\nlog_level: loud\n\tx: 1\n",
	"api_key: >-\n    SECRET\n  SECRET\n",
	"api_key:\n  SECRET\n  SECRET: x\n",
	"api_key: [SECRET]\n",
	"api_key: {SECRET: SECRET}\n",
	"api_key: {a: SECRET\n",
	"api_key: &a SECRET\nservice: *b\n",
	"api_key: !SECRET SECRET\n",
	"api_key: @SECRET\n",
	"api_key SECRET\n",
	"api_key = SECRET\n",
	"api-key: SECRET\nAPIKEY: SECRET\n",
	"api_ky: SECRET\napikeyy: SECRET\ndd_api_key: SECRET\n",
	"intake: {api_key: SECRET, listn: SECRET}\n",
	"intake: {api_key:\nSECRET, x: 1}\n",
	"intake:\n  api_key: SECRET SECRET\n  listen: 1\n",
	"intake:\n api_key: SECRET: x\n",
	"api: {key: SECRET, socket: 5}\n",
	"api_key: SECRET # the operator's\nservice: &x [1\n",
	"logs: {sources: [{path: /a, api_key: SECRET}]}\n",
	"serverless: {api_key: SECRET, enabled: maybe}\n",
	"? api_key\n: SECRET\nsite: 1\n",
	"a: {<<: {api_key: SECRET}, b: 1}\n",
	"tags: [SECRET, 5]\napi_key: SECRET\n",
	"service: [SECRET]\napi_key: SECRET\n",
	"SECRET: 1\napi_key: SECRET\n",
	"service: &a SECRET\napi_key: *a\nintake: {api_key: *b}\n",
	"api_key: *a\nlog_level: loud\nintake: {api_key: SECRET}\n",
}

// TestNoSecretInAnyError loads broken files, broken further at random, with a
// random secret in them: no text that comes out shows it.
func TestNoSecretInAnyError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.StringMatching(`[a-zA-Z0-9]{8,40}`).Draw(rt, "secret")
		text := rapid.SampledFrom(secretFiles).Draw(rt, "file")
		// Text of the user's around it, and one line that is broken.
		before := rapid.SampledFrom([]string{"", "# a comment\n", "env: prod\n\n", "\ufeff", "logs:\n  enabled: yes\n"}).Draw(rt, "before")
		after := rapid.SampledFrom([]string{"", "x: [\n", "  y: 1\n", "\"\n", "\t\n", "---\na: 1\n", "}\n"}).Draw(rt, "after")
		text = before + strings.ReplaceAll(text, "SECRET", secret) + after
		path := filepath.Join(dir, "vigil.yaml")
		require.NoError(rt, os.WriteFile(path, []byte(text), 0o600))
		loaded, err := Load(Options{File: path, LookupHostname: func() (string, error) { return "h", nil }})
		if err != nil {
			require.NotContains(rt, err.Error(), secret)
			asJSON, err := json.Marshal(err)
			require.NoError(rt, err)
			require.NotContains(rt, string(asJSON), secret)
			return
		}
		requireHidden(rt, loaded, secret)
	})
}

// TestNoSecretFromTheEnvironment: a key from the environment is not shown where
// a file repeats it, nor by its own mistakes.
func TestNoSecretFromTheEnvironment(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "vigil.yaml", "site: s3cr3t-k3y\nlog_level: s3cr3t-k3y\n")
	for _, environ := range [][]string{
		{"DD_API_KEY=s3cr3t-k3y"},
		{"VIGIL_API_KEY=s3cr3t-k3y"},
		{"VIGIL_INTAKE_API_KEY=s3cr3t-k3y"},
		{"VIGIL_API_KEY=s3cr3t-k3y with a space"},
		{"DD_API_KEY=s3cr3t-k3y with a space"},
	} {
		_, err := Load(Options{File: path, Environ: environ})
		require.ErrorContains(t, err, "log_level")
		if !strings.Contains(environ[0], " ") {
			require.NotContains(t, err.Error(), "s3cr3t-k3y")
		}
	}
	loaded, err := load(Options{Environ: []string{"DD_API_KEY=s3cr3t k3y"}}, "none.yaml")
	require.NoError(t, err)
	require.Len(t, loaded.Warnings, 1)
	require.NotContains(t, loaded.Warnings[0].Error(), "s3cr3t")
	_, err = load(Options{Flags: map[string]string{"intake.api_key": "s3cr3t k3y"}}, "none.yaml")
	require.ErrorContains(t, err, "flag intake.api_key")
	require.NotContains(t, err.Error(), "s3cr3t")
}

// TestNoSecretInAnyOutput: nothing that prints a configuration prints a key.
func TestNoSecretInAnyOutput(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "vigil.yaml", "api_key: s3cr3t-k3y\nintake: {enabled: true, api_key: s3cr3t-k3y}\nlogs: {enabled: true, sources: [{path: /a}]}\n")
	loaded, err := Load(Options{File: path, Environ: []string{"DD_API_KEY=s3cr3t-k3y"}, Flags: map[string]string{"api_key": "s3cr3t-k3y"}})
	require.NoError(t, err)
	require.Equal(t, "s3cr3t-k3y", loaded.Config.APIKey, "the secret is there for those who need it")
	require.Equal(t, "s3cr3t-k3y", loaded.Config.Logs.APIKey)
	requireHidden(t, loaded, "s3cr3t-k3y")
}

func requireHidden(t require.TestingT, loaded *Loaded, secret string) {
	var out bytes.Buffer
	c := loaded.Config
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", &c)
		fmt.Fprintf(&out, verb+"\n", c.Redacted())
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", c)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", c, "loaded", loaded)
	for _, format := range []DumpFormat{DumpYAML, DumpSources} {
		require.NoError(t, loaded.Dump(&out, format))
	}
	for _, v := range []any{c, loaded, c.Redacted().Logs, c.Redacted().Intake} {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		out.Write(text)
	}
	for _, key := range Keys() {
		if key == "service" || key == "tags" {
			continue // what is written there is shown
		}
		e, err := loaded.Explain(key)
		require.NoError(t, err)
		fmt.Fprintln(&out, e)
	}
	fmt.Fprintln(&out, loaded.Warnings)
	require.NotContains(t, out.String(), secret)
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	c := Default()
	require.Equal(t, Default(), c.Redacted(), "nothing to hide")
	c.APIKey, c.Intake.APIKey, c.Logs.APIKey = "a", "b", "c"
	r := c.Redacted()
	require.Equal(t, []string{hidden, hidden, hidden}, []string{r.APIKey, r.Intake.APIKey, r.Logs.APIKey})
	require.Equal(t, "a", c.APIKey, "the original is untouched")
}

func TestSecretNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"api_key", "apikey", "API-KEY", "api_ky", "aip_key", "dd_api_key", "intake_apikey", "key", "client_secret", "password", "auth_token"} {
		require.True(t, secretish(name), name)
	}
	for _, name := range []string{"site", "service", "key_file", "log_level", "hostname", "run_path", "sources", "enabled", "max_bytes"} {
		require.False(t, secretish(name), name)
	}
}

func TestMaskLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[int]int{
		"site: x\nenv: y":                      {},
		"api_key: abc\nenv: y":                 {0: 9},
		"  api_key: abc":                       {0: 11},
		`{"api_key": "abc", x: 1}`:             {0: 13},
		"api_key: |\n  abc\n\n  def\nenv: y":   {0: 9, 1: 0, 2: 0, 3: 0},
		"api_key:\nabc\nenv: y":                {0: 8, 1: 0},
		"api_key: \"abc\ndef\nghi\"\nenv: y":   {0: 10, 1: 0, 2: 0},
		"api_key: 'it''s'\nenv: y":             {0: 10},
		"api_key: x # isn't shown\nenv: y":     {0: 9},
		"a:\n  api_key: x\n  y: 1\n   z: 1":    {1: 11},
		"é_api_key: x":                         {0: 11},
		"api_key: [\nabc,\ndef]":               {0: 9, 1: 0},
		"api_key: x\n\n\nenv: y":               {0: 9, 1: 0, 2: 0},
		"intake:\n  api_key: x\nsite: y\nz: 1": {1: 11},
	} {
		require.Equal(t, want, maskLines(strings.Split(text, "\n")), text)
	}
}

func TestRedactor(t *testing.T) {
	t.Parallel()
	hide := redactor([]string{"", "ab", "abcd", "abcdefgh", `qu"ote`})
	require.Equal(t, "ab ******** ******** x", hide("ab abcd abcdefgh x"), "the longest first, short ones stay")
	require.Equal(t, `got "********"`, hide(`got "qu\"ote"`))
}
