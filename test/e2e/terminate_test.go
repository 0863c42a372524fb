package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was written before the platform ends the instance is out before the hook
// is answered: the lines are in the journal of a receiver that syncs before it
// acknowledges, and the event of the still-open interval is on the wire.
func TestTerminateFlushes(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	f, hooks, address := newFolder(t), freePort(t), freePort(t)
	f.configure(t, fmt.Sprintf(`metrics: {statsd_address: %q}
serverless: {enabled: true, lifecycle_address: %q, identity_address: ""}
logs:
  enabled: true
  sources: [{type: file, path: DIR/app.log, start_at: beginning}]
  endpoint: {address: %q, tls: {insecure: true}}
  batch: {max_wait: 1m}
intake: {listen: %q, journal: DIR/journal.ndjson}
`, conn.LocalAddr().String(), hooks, address, address))
	f.start(t, "intake")
	const printed = 300
	f.run(t, "--", "/bin/sh", "-c", fmt.Sprintf(`trap 'exit 0' TERM; i=0; while [ $i -lt %d ]; do echo printed $i; i=$((i+1)); done
		echo complaint >&2; touch %s; sleep 60 & wait`, printed, f.path("printed")))
	require.Eventually(t, func() bool {
		_, err := os.Stat(f.path("printed"))
		return err == nil
	}, 10*time.Second, time.Millisecond)
	callHook(t, hooks, "run")
	const lines = 500
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "last words %d of %d\n", i, lines)
	}
	require.NoError(t, os.WriteFile(f.path("app.log"), []byte(text.String()), 0o600))
	callHook(t, hooks, "terminate")

	// Neither is waited for: the answer came last.
	journal := readJournal(t, f.path("journal.ndjson"))
	require.Len(t, journal, lines+printed+1)
	require.Contains(t, journal, fmt.Sprintf("printed %d", printed-1))
	require.Contains(t, journal, "complaint")
	var metrics strings.Builder
	buffer := make([]byte, 64<<10)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			break
		}
		metrics.Write(append(buffer[:n:n], '\n'))
	}
	require.Contains(t, metrics.String(), "aws.lambda.enhanced.microvm.terminate:1|d|")
	require.Contains(t, metrics.String(), "aws.lambda.enhanced.microvm.active_instances:1|g|")
}
