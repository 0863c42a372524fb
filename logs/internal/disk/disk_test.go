package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockHasOneOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := LockFile(path)
	require.NoError(t, err)
	_, err = LockFile(path)
	var locked *LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, LockedError{Path: path, PID: os.Getpid()}, *locked)
	require.EqualError(t, locked, fmt.Sprintf("%s is held by the process with pid %d", path, os.Getpid()))
	require.NoError(t, first.Close())
	again, err := LockFile(path)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestLockWithoutPID(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, os.WriteFile(path, []byte("some text"), 0o600))
	first, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, first.Close()) }()
	require.NoError(t, Lock(first))
	_, err = LockFile(path)
	require.EqualError(t, err, path+" is held by another process")
}

func TestReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"one", "a longer text", ""} {
		require.NoError(t, Replace(path, []byte(text)))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		require.NoFileExists(t, path+".tmp")
	}
	require.ErrorContains(t, Replace(filepath.Join(path, "x"), nil), "not a directory")
}
