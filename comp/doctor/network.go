package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/comp/health"
)

// dialTimeout bounds a reachability check: a person is waiting.
const dialTimeout = 3 * time.Second

// runningComponents are the components that do their job in an agent that runs
// already; there are none when no agent answers on the socket.
func runningComponents(ctx context.Context, socket string) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	body, err := api.NewClient(socket).Get(ctx, "/health")
	if err != nil && len(body) == 0 {
		return nil
	}
	var answer struct{ Components []health.Report }
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	running := map[string]bool{}
	for _, report := range answer.Components {
		running[report.Name] = report.State == health.OK
	}
	return running
}

// port says whether the address can be listened on, or is by the running agent.
func port(ctx context.Context, key, address string, held bool) Finding {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if held && errors.Is(err, unix.EADDRINUSE) {
		return good(key, address+" is held by the running agent", true)
	}
	if err != nil {
		_, number, _ := net.SplitHostPort(address)
		return bad(key, err.Error(), fmt.Sprintf("find who holds it with `ss -ltnp 'sport = :%s'`, or set %s to a free port", number, key), true)
	}
	listener.Close() //nolint:errcheck // nothing was accepted
	return good(key, address+" is free", true)
}

func reachable(ctx context.Context, key, address string) Finding {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var dialer net.Dialer
	begin := time.Now()
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return bad(key, err.Error(), fmt.Sprintf("start the receiving side (`vigil intake`), open the way to %s, or correct %s", address, key), true)
	}
	conn.Close() //nolint:errcheck // nothing was written
	return good(key, fmt.Sprintf("%s answers in %s", address, time.Since(begin).Round(time.Microsecond)), true)
}

// statsd says whether datagrams have a way to go. UDP cannot be asked: a
// datagram to nobody looks like one to somebody.
func statsd(address string, needed bool) Finding {
	const key = "metrics.statsd_address"
	path, isUnix := strings.CutPrefix(address, "unix://")
	if !isUnix {
		return good(key, address+" (UDP: whether somebody listens cannot be seen)", needed)
	}
	info, err := os.Stat(path)
	if err != nil {
		return bad(key, err.Error(), "start the DogStatsD server, or correct "+key, needed)
	}
	if info.Mode()&os.ModeSocket == 0 {
		return bad(key, path+" is not a socket", "correct "+key, needed)
	}
	return good(key, address, needed)
}

func socket(path string) Finding {
	const key = "api.socket"
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close() //nolint:errcheck // nothing was written
		return good(key, path+" (an agent is running)", true)
	}
	finding := writable(key, filepath.Dir(path), true)
	if finding.OK && len(path) >= len(unix.RawSockaddrUnix{}.Path) {
		return bad(key, fmt.Sprintf("%s has %d characters, a unix socket takes %d", path, len(path), len(unix.RawSockaddrUnix{}.Path)-1), "set api.socket to a shorter path", true)
	}
	if finding.OK {
		finding.Detail = path + " can be created"
	}
	return finding
}
