package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamedFileMustExist(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vigil.yaml")
	loaded, err := Load(Options{File: path})
	require.Nil(t, loaded)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, path+": cannot be read: open: no such file or directory\n    hint: vigil looks for /etc/vigil/vigil.yaml when no file is named")
}

func TestDefaultFileMayBeMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, confD), 0o700))
	extra := filepath.Join(dir, confD, "a.yaml")
	require.NoError(t, os.WriteFile(extra, []byte("env: from-conf.d\n"), 0o600))
	loaded, err := load(Options{}, filepath.Join(dir, "vigil.yaml"))
	require.NoError(t, err)
	require.Equal(t, []string{extra}, loaded.Files)
	require.Equal(t, "from-conf.d", loaded.Config.Env)
}

func TestFilesInTheOrderTheyAreRead(t *testing.T) {
	t.Parallel()
	main := writeFile(t, "vigil.yaml", "env: a\n")
	dir := filepath.Join(filepath.Dir(main), confD)
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, name := range []string{"20.yaml", "10.yaml", "ignored.json", "30.yaml"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("env: "+name+"\n"), 0o600))
	}
	loaded, err := Load(Options{File: main})
	require.NoError(t, err)
	require.Equal(t, []string{main, filepath.Join(dir, "10.yaml"), filepath.Join(dir, "20.yaml"), filepath.Join(dir, "30.yaml")}, loaded.Files)
	require.Equal(t, "30.yaml", loaded.Config.Env)
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Load(Options{File: dir})
	require.EqualError(t, err, dir+": cannot be read: read: is a directory")

	main := filepath.Join(dir, "vigil.yaml")
	require.NoError(t, os.WriteFile(main, []byte("bogus: 1\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, confD), nil, 0o600))
	_, err = Load(Options{File: main})
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 2, "a directory that cannot be read does not hide what is wrong with the file")
	require.Contains(t, problems[1].Error(), "conf.d: cannot be read: ")
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "vigil.yaml", strings.Repeat("# a log file, perhaps\n", maxFileBytes/20))
	_, err := Load(Options{File: path})
	require.EqualError(t, err, path+": cannot be read: larger than 1MiB, so hardly a configuration")
}

func TestHostname(t *testing.T) {
	t.Parallel()
	loaded, err := load(Options{LookupHostname: func() (string, error) { return "os", nil }}, "none.yaml")
	require.NoError(t, err)
	require.Equal(t, "os", loaded.Config.Hostname)
	require.Equal(t, "os", loaded.Config.Logs.Hostname)

	loaded, err = load(Options{Environ: []string{"DD_HOSTNAME=env"}, LookupHostname: func() (string, error) { return "os", nil }}, "none.yaml")
	require.NoError(t, err)
	require.Equal(t, "env", loaded.Config.Hostname)

	loaded, err = load(Options{LookupHostname: func() (string, error) { return "", errors.New("no uname") }}, "none.yaml")
	require.NoError(t, err, "a missing host name does not keep the agent from running")
	require.Empty(t, loaded.Config.Hostname)
	require.Equal(t, []Problem{{Key: "hostname", Origin: "default", Message: "the operating system gives no host name: no uname", Hint: "set hostname"}}, loaded.Warnings)

	loaded, err = load(Options{}, "none.yaml")
	require.NoError(t, err)
	want, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, want, loaded.Config.Hostname)
}
