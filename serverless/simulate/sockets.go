package simulate

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// tcpListen is the state of a listening socket in /proc/net/tcp.
const tcpListen = "0A"

// listeners are the addresses on which a TCP port of this machine is open, as
// the kernel lists them. Where it lists none the answer is empty.
func listeners(port int) []netip.Addr {
	var all []netip.Addr
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // no IPv6, or no /proc: the rule about it is then not judged
		}
		all = append(all, parseListeners(string(text), port)...)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// parseListeners reads the text of /proc/net/tcp or tcp6.
func parseListeners(text string, port int) (found []netip.Addr) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != tcpListen {
			continue
		}
		address, number, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(number, 16, 16); err != nil || int(n) != port {
			continue
		}
		if addr, ok := parseKernelAddress(address); ok {
			found = append(found, addr)
		}
	}
	return found
}

// parseKernelAddress reads an address printed as 32-bit words of the host's
// byte order, in hexadecimal.
func parseKernelAddress(text string) (netip.Addr, bool) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		return netip.Addr{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	return addr.Unmap(), ok
}

// listen is what the addresses mean to the platform.
func listen(machine int, addresses []netip.Addr) Listen {
	l := Listen{Machine: machine}
	for _, a := range addresses {
		l.Addresses = append(l.Addresses, a.String())
		l.Outside = l.Outside || !a.IsLoopback()
	}
	return l
}
