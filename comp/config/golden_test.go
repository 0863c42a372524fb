package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite golden and generated files")

// TestLoad runs every case of testdata/load: an archive with the files, the
// environment ("env") and the flags ("flags") of one configuration, and what
// must come of it ("want"): the error, or the values that are no defaults, then
// the warnings. A new case is a new file; -update writes its "want".
func TestLoad(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/load/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
			if i < 0 {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
				i = len(archive.Files) - 1
			}
			got := runCase(t, archive)
			if *update {
				archive.Files[i].Data = []byte(got)
				require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o600))
				return
			}
			require.Equal(t, string(archive.Files[i].Data), got)
		})
	}
}

// runCase loads the archive from a new directory and prints the outcome.
func runCase(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	o := Options{LookupHostname: func() (string, error) { return "host", nil }}
	for _, f := range archive.Files {
		switch f.Name {
		case "want":
		case "env":
			o.Environ = lines(f.Data)
		case "flags":
			o.Flags = map[string]string{}
			for _, line := range lines(f.Data) {
				key, value, ok := strings.Cut(line, "=")
				require.True(t, ok, "a flag is key=value: %q", line)
				o.Flags[key] = value
			}
		default:
			path := filepath.Join(dir, f.Name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, f.Data, 0o600))
			if f.Name == "vigil.yaml" {
				o.File = path
			}
		}
	}
	loaded, err := load(o, filepath.Join(dir, "vigil.yaml"))
	return strings.ReplaceAll(outcome(t, loaded, err), dir+"/", "")
}

func lines(data []byte) []string {
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

func outcome(t *testing.T, loaded *Loaded, err error) string {
	t.Helper()
	var out strings.Builder
	if err != nil {
		require.Nil(t, loaded)
		var problems Problems
		require.ErrorAs(t, err, &problems)
		return err.Error() + "\n"
	}
	for _, s := range table {
		if len(loaded.set[s.key]) > 0 && s.key != "hostname" {
			fmt.Fprintf(&out, "%s = %s # %s\n", s.key, s.format(loaded.value(s)), loaded.origin(s))
		}
	}
	for _, w := range loaded.Warnings {
		fmt.Fprintf(&out, "warning: %s\n", w)
	}
	return out.String()
}
