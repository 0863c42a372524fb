package harness

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range that kernels give to outgoing
// connections (32768 and up on Linux by default): such a port could be lent
// out between our look and the bind of the program it is meant for. It also
// ends below the range that `vigil microvm simulate` draws from.
const (
	firstPort = 10000
	portsEnd  = 20000
)

// portTries bounds the search, for each port.
const portTries = 1000

// FreePorts finds n different addresses on loopback that nobody listens on.
// Random choice keeps programs that are played at the same time apart.
func FreePorts(n int) ([]string, error) {
	var addresses []string
	for range portTries * n {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(portsEnd-firstPort)))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue // taken
		}
		defer listener.Close() //nolint:errcheck // held only so that the next one differs
		if addresses = append(addresses, address); len(addresses) == n {
			return addresses, nil
		}
	}
	return nil, errors.New("find free ports: every one tried is in use; end programs that listen on loopback")
}
