package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGenerated keeps the committed reference equal to the table; -update
// writes it.
func TestGenerated(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{
		"config.md":          ReferenceMarkdown(),
		"vigil.schema.json":  Schema(),
		"vigil.example.yaml": Example(),
	} {
		path := filepath.Join("..", "docs", name)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, content, 0o644))
			continue
		}
		committed, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(content), string(committed), "run: go test ./config -update")
	}
}

// TestExampleIsTheDefault: a user who copies the example changes nothing.
func TestExampleIsTheDefault(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "vigil.yaml", string(Example()))
	host := func() (string, error) { return "host", nil }
	fromExample, err := Load(Options{File: path, LookupHostname: host})
	require.NoError(t, err)
	require.Empty(t, fromExample.Warnings)
	fromNothing, err := load(Options{LookupHostname: host}, filepath.Join(t.TempDir(), "none.yaml"))
	require.NoError(t, err)
	// An empty list and no list are the same to everyone who reads them.
	require.Equal(t, fmt.Sprint(fromNothing.Config), fmt.Sprint(fromExample.Config))
	for _, s := range table {
		require.Contains(t, fromExample.set, s.key, "the example has every setting")
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
