package forward

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// ProbeTimeout bounds the dial that precedes a forwarded build hook: an
// application that is not listening yet gets a fast 503 (specification section
// 4.2).
const ProbeTimeout = 200 * time.Millisecond

// Probe reports, within ProbeTimeout, whether the application listens. The error
// is ErrUnreachable.
func (c *Client) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ProbeTimeout)
	defer cancel()
	conn, err := dialLoopback(ctx, "tcp", net.JoinHostPort("127.0.0.1", c.port))
	if err != nil {
		return unreachable(err)
	}
	_ = conn.Close()
	return nil
}

// dialLoopback tries the IPv4 loopback and, when that refuses, the IPv6 one:
// "localhost" is only ::1 for some runtimes.
func dialLoopback(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, addr)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	_, port, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		return nil, err
	}
	if conn, err6 := dialer.DialContext(ctx, network, net.JoinHostPort("::1", port)); err6 == nil {
		return conn, nil
	}
	return nil, err
}
