package realworld

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
)

// servers builds all servers once, side by side in one directory: what they have
// in common is compiled once.
var servers = sync.OnceValues(func() (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir = filepath.Join(cache, "vigil-fixtures", "servers") + string(filepath.Separator)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	// Nothing changes in the modules, so go build rewrites what is there only
	// when the toolchain does.
	cmd := exec.Command("go", "build", "-trimpath", "-o", dir, "tool")
	cmd.Dir = filepath.Join("testdata", "servers")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "CGO_ENABLED=0")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return "", &buildError{err, string(text)}
	}
	return dir, nil
})

type buildError struct {
	err  error
	text string
}

func (e *buildError) Error() string { return "build the servers: " + e.err.Error() + "\n" + e.text }

// server opens one of them.
func server(t *testing.T, name string) *binary.Binary {
	t.Helper()
	bin, err := binary.Open(serverPath(t, name))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bin.Close()) })
	return bin
}

func serverPath(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds large programs")
	}
	start := time.Now()
	dir, err := servers()
	require.NoError(t, err)
	if took := time.Since(start); took > time.Second {
		t.Logf("built in %s", took.Round(time.Second))
	}
	return filepath.Join(dir, name)
}
