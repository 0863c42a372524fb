package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// house writes a small workspace: app requires lib.
func house(t *testing.T, files map[string]string) *repo {
	t.Helper()
	root := t.TempDir()
	all := map[string]string{
		"go.work":            "go 1.26.0\n\nuse (\n\t./comp\n\t./logs\n)\n",
		"logs/go.mod":        "module " + modulePrefix + "logs\n\ngo 1.26.0\n",
		"comp/go.mod":        "module " + modulePrefix + "comp\n\ngo 1.26.0\n\nrequire " + modulePrefix + "logs v0.0.0\n\nreplace " + modulePrefix + "logs => ../logs\n",
		"tasks/tools/go.mod": "module tools\n\ngo 1.26.0\n",
	}
	maps.Copy(all, files)
	for name, text := range all {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	r, err := readRepo(root)
	require.NoError(t, err)
	return r
}

func TestModules(t *testing.T) {
	t.Parallel()
	r := house(t, nil)
	require.Equal(t, []string{"comp", "logs"}, r.names())
	require.Equal(t, []string{"comp", "logs"}, r.dependants("logs"))
	require.Equal(t, []string{"comp"}, r.dependants("comp"))
	_, err := r.pick([]string{"loggs"})
	require.EqualError(t, err, `no module "loggs"; the modules are comp, logs`)
	picked, err := r.pick([]string{"./logs/"})
	require.NoError(t, err)
	require.Equal(t, "logs", picked[0].dir)
}

func TestAffected(t *testing.T) {
	t.Parallel()
	r := house(t, nil)
	require.Equal(t, []string{"comp", "logs"}, r.affected([]string{"logs/a.go"}))
	require.Equal(t, []string{"comp"}, r.affected([]string{"comp/a.go", "README.md"}))
	require.Equal(t, []string{}, r.affected([]string{"README.md"}))
	require.Equal(t, []string{"comp", "logs"}, r.affected([]string{"go.work"}))
}

func TestFuzzTargets(t *testing.T) {
	t.Parallel()
	r := house(t, map[string]string{"logs/x/a_test.go": "package x\n\nfunc FuzzDecode(f *testing.F) {}\n", "logs/x/a.go": "package x\n"})
	targets, err := r.fuzzTargets()
	require.NoError(t, err)
	require.Equal(t, []fuzzTarget{{dir: "logs/x", name: "FuzzDecode"}}, targets)
}

// The real checkout obeys what is cheap to check.
func TestThisCheckout(t *testing.T) {
	t.Parallel()
	r, err := openRepo()
	require.NoError(t, err)
	require.Equal(t, []string{"comp", "debugger", "logs", "serverless", "tasks", "test"}, r.names())
	for _, c := range checks[:4] {
		broken, err := c.run(t.Context(), r)
		require.NoError(t, err)
		require.Empty(t, broken, c.name)
	}
}
