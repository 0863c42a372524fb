package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBenchesAreListedByTheirSynopsis(t *testing.T) {
	t.Parallel()
	r := &repo{root: t.TempDir()}
	dir := filepath.Join(r.root, "test", "bench", "echo")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("// Command echo measures echoes: how late they\n// are. And more.\npackage main\n"), 0o600))
	names, err := r.benches()
	require.NoError(t, err)
	require.Equal(t, []string{"echo"}, names)
	what, err := r.benchSynopsis("echo")
	require.NoError(t, err)
	require.Equal(t, "measures echoes: how late they are.", what)
	_, err = r.benchSynopsis("other")
	require.ErrorContains(t, err, "read what other is")

	verb := benchVerb(r)
	verb.SetArgs([]string{"ehco"})
	require.EqualError(t, verb.Execute(), `no benchmark "ehco"; there are echo`)
}

// A benchmark runs in the folder of its caller, whose files it is given.
func TestBenchRunsWhereItIsCalled(t *testing.T) {
	r := &repo{root: t.TempDir()}
	dir := filepath.Join(r.root, "test", "bench", "where")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(r.root, "test", "go.mod"), []byte("module example.com/test\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(`package main

import "os"

func main() {
	if os.WriteFile(os.Args[1], []byte("here"), 0o600) != nil {
		os.Exit(3)
	}
}
`), 0o600))
	t.Setenv("GOWORK", "off")
	t.Chdir(t.TempDir())
	require.NoError(t, r.bench(t.Context(), "where", []string{"file"}))
	text, err := os.ReadFile("file")
	require.NoError(t, err)
	require.Equal(t, "here", string(text))
	require.EqualError(t, r.bench(t.Context(), "where", []string{"no/such/folder/file"}), "bench where: exit status 3")
}
