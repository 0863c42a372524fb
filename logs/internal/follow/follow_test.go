package follow

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const waitFor, tick = 5 * time.Second, 5 * time.Millisecond

func TestChangesAreRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "value")
	put := func(text string) {
		require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
	errEmpty := errors.New("empty")
	var failures atomic.Int64
	read := func() (string, error) {
		text, err := os.ReadFile(path)
		if err == nil && len(text) == 0 {
			err = errEmpty
		}
		return string(text), err
	}
	put("")
	_, err := Open(path, read, nil)
	require.ErrorIs(t, err, errEmpty, "the first read must succeed")
	put("a")
	f, err := Open(path, read, func(error) { failures.Add(1) })
	require.NoError(t, err)
	f.Start()
	f.Start()
	require.Equal(t, "a", f.Value())
	put("b")
	require.Eventually(t, func() bool { return f.Value() == "b" }, waitFor, tick)
	put("")
	require.Eventually(t, func() bool { return failures.Load() == 1 }, waitFor, tick)
	time.Sleep(3 * Interval)
	require.EqualValues(t, 1, failures.Load(), "told once")
	require.Equal(t, "b", f.Value())
	require.NoError(t, os.Remove(path))
	put("c")
	require.Eventually(t, func() bool { return f.Value() == "c" }, waitFor, tick)
	f.Stop(t.Context())
	f.Stop(t.Context())
}

// TestADiskThatHangs holds up neither Value nor Stop.
func TestADiskThatHangs(t *testing.T) {
	t.Parallel()
	reads, disk := 0, make(chan struct{})
	hangs := make(chan struct{})
	f, err := Open(filepath.Join(t.TempDir(), "value"), func() (int, error) {
		if reads++; reads == 2 {
			close(hangs)
			<-disk
		}
		return reads, nil
	}, nil)
	require.NoError(t, err)
	f.Start()
	<-hangs
	require.Equal(t, 1, f.Value())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f.Stop(ended)
	require.Equal(t, 1, f.Value())
	close(disk)
	f.Stop(t.Context())
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	f, err := Open("", func() (int, error) { return 1, nil }, nil)
	require.NoError(t, err)
	f.Stop(t.Context())
	f.Start()
	f.Stop(t.Context())
}
