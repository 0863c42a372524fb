package stream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// maxHeaderBytes bounds the headers of a receiving side, parts of which are kept;
// gRPC's own bound is 16 MiB.
const maxHeaderBytes = 64 << 10

// dial makes a connection to e that is not connected yet. It is probed only while
// a stream is open.
func (w *Worker) dial(e Endpoint, probe time.Duration) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if e.TLS != nil {
		secure := e.TLS.Clone()
		secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
		creds = credentials.NewTLS(secure)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent(w.cfg.UserAgent),
		grpc.WithStatsHandler(&w.wire),
		grpc.WithMaxHeaderListSize(maxHeaderBytes),
		// Replays are the core's business, and gRPC would keep copies for its own.
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: w.cfg.OpenTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: probe, Timeout: w.cfg.KeepaliveTimeout}),
	}
	target := "dns:///" + e.Address
	switch {
	case w.deps.Dial != nil:
		target = "passthrough:///" + e.Address
		options = append(options, grpc.WithContextDialer(w.deps.Dial))
	case w.cfg.Proxy != "":
		proxy, err := parseProxy(w.cfg.Proxy)
		if err != nil {
			return nil, err
		}
		// The proxy resolves the name.
		target = "passthrough:///" + e.Address
		options = append(options, grpc.WithContextDialer(proxy.dial))
	}
	conn, err := grpc.NewClient(target, append(options, w.cfg.dialOptions...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", e.Address, err)
	}
	return conn, nil
}

// mayCarryKey says whether the API key is safe on the way to e, or sent in clear
// on purpose.
func (e Endpoint) mayCarryKey() bool {
	if e.TLS != nil || e.KeyInClear {
		return true
	}
	host, _, err := net.SplitHostPort(e.Address)
	if err != nil {
		host = e.Address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

var errKeyInClear = errors.New("would send the API key unencrypted")

func keyInClear(address string) error {
	return fmt.Errorf("%w to %s: use TLS, or a loopback address, or allow it", errKeyInClear, address)
}
