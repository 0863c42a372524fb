package stream

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxProxyAnswer bounds what a proxy may say before the tunnel begins.
const maxProxyAnswer = 64 << 10

// proxy asks an HTTP proxy for tunnels.
type proxy struct {
	address string
	auth    string // value of Proxy-Authorization
}

// parseProxy reads the URL of a proxy; an empty one is the zero proxy. Errors do
// not show the URL, which may hold a password.
func parseProxy(text string) (proxy, error) {
	if text == "" {
		return proxy{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return proxy{}, fmt.Errorf("the proxy is not a URL like http://host:port")
	}
	p := proxy{address: u.Host}
	if u.User != nil {
		password, _ := u.User.Password()
		p.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	}
	return p, nil
}

// dial opens a tunnel to address.
func (p proxy) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, fmt.Errorf("reach the proxy: %w", err)
	}
	// A proxy that stays silent must not outlive ctx.
	unwatch := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	reader, err := p.connect(ctx, conn, address)
	if !unwatch() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &tunnel{Conn: conn, reader: reader}, nil
}

func (p proxy) connect(ctx context.Context, conn net.Conn, address string) (*bufio.Reader, error) {
	req := (&http.Request{Method: http.MethodConnect, URL: &url.URL{Host: address}, Host: address, Header: http.Header{}}).WithContext(ctx)
	if p.auth != "" {
		req.Header.Set("Proxy-Authorization", p.auth)
	}
	if err := req.Write(conn); err != nil {
		return nil, fmt.Errorf("ask the proxy %s for a tunnel: %w", p.address, err)
	}
	answer := &io.LimitedReader{R: conn, N: maxProxyAnswer}
	reader := bufio.NewReader(answer)
	resp, err := http.ReadResponse(reader, req)
	if err != nil {
		return nil, fmt.Errorf("ask the proxy %s for a tunnel: %w", p.address, err)
	}
	// The body of a successful answer to CONNECT is the tunnel itself.
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("the proxy %s refuses a tunnel to %s: %s", p.address, address, resp.Status)
	}
	answer.N = math.MaxInt64 // the rest is the tunnel's
	return reader, nil
}

// tunnel reads first what came together with the proxy's answer.
type tunnel struct {
	net.Conn

	reader *bufio.Reader
}

// Read implements net.Conn.
func (t *tunnel) Read(p []byte) (int, error) { return t.reader.Read(p) }
