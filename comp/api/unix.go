package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrInUse means that another process answers on the socket.
var ErrInUse = errors.New("another agent answers on the socket")

// socketMode lets only the agent's own user connect: the API shows the
// configuration and profiles.
const socketMode = 0o600

// listenUnix binds the socket at path. A socket file that nobody answers on is
// what a killed agent leaves behind, and is replaced.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("create the directory of the api socket: %w; set api.socket to a path you may write", err)
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close() //nolint:errcheck // nothing was written
		return nil, fmt.Errorf("%w %s; stop it, or set api.socket to another path", ErrInUse, path)
	} else if errors.Is(err, unix.ECONNREFUSED) {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("replace the stale api socket: %w", err)
		}
	}
	// The umask closes the moment between bind and chmod. It is the process's,
	// so a file created just now elsewhere gets stricter permissions, no others.
	mask := unix.Umask(0o777 &^ socketMode)
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", path)
	unix.Umask(mask)
	if err != nil {
		return nil, fmt.Errorf("listen on the api socket: %w; set api.socket to a path you may write", err)
	}
	return listener, nil
}
