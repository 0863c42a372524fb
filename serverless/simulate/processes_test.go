package simulate

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	p, ok := parseStat("42 (a (b) c) S 7 42 41 0 -1 4194560 1\n")
	require.True(t, ok)
	require.Equal(t, process{pid: 42, parent: 7, session: 41, state: 'S', name: "a (b) c"}, p)
	require.Equal(t, "a (b) c (pid 42)", p.String())
	for _, text := range []string{"", "42", "42 (a", "x (a) S 1 2 3", "1 (a) S 1", "1 (a) SS 1 2 3", "1 (a) S x 2 3", ")("} {
		_, ok := parseStat(text)
		require.False(t, ok, text)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	var found bool
	for _, p := range members(os.Getpid(), "none") {
		found = found || p.pid == os.Getpid()
		require.NotEqual(t, 1, p.pid)
	}
	require.True(t, found)
	require.Empty(t, members(noRoot, "none"))
	require.False(t, descends(map[int]process{2: {pid: 2, parent: 3}, 3: {pid: 3, parent: 2}}, process{pid: 2, parent: 3}, 1), "a cycle ends")
}

const procTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:2328 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 0200007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
   4: zz:2328 00000000:0000 0A
`

const procTCP6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:2328 00000000000000000000000000000000:0000 0A 0
   1: 00000000000000000000000001000000:2328 00000000000000000000000000000000:0000 0A 0
   2: 0000000000000000FFFF00000100007F:2328 00000000000000000000000000000000:0000 0A 0
`

func TestListeners(t *testing.T) {
	t.Parallel()
	spell := func(addrs []netip.Addr) (texts []string) {
		for _, a := range addrs {
			texts = append(texts, a.String())
		}
		return texts
	}
	// The fixtures are those of a little-endian machine.
	require.Equal(t, []string{"0.0.0.0", "127.0.0.1"}, spell(parseListeners(procTCP, 9000)))
	require.Equal(t, []string{"::", "::1", "127.0.0.1"}, spell(parseListeners(procTCP6, 9000)))
	require.Empty(t, parseListeners(procTCP, 9001))

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	found := listeners(ln.Addr().(*net.TCPAddr).Port)
	require.Equal(t, []string{"127.0.0.1"}, spell(found))
	require.Equal(t, Listen{Machine: 1, Addresses: []string{"127.0.0.1"}}, listen(1, found))
	require.True(t, listen(0, append(found, netip.IPv6Unspecified())).Outside)
}

// Simulations side by side in one process do not share a port.
func TestFreePort(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 200 {
		port, err := freePort()
		require.NoError(t, err)
		require.False(t, seen[port])
		seen[port] = true
	}
}
