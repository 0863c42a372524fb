package metrics

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/comp/metrics/series"
	"github.com/vigil-agent/vigil/comp/version"
)

// Bounds of a request.
const (
	requestTimeout = 10 * time.Second
	dialTimeout    = 5 * time.Second
	// idleTimeout is below what servers and middleboxes usually allow.
	idleTimeout = 45 * time.Second
	// maxAnswer is how much of an answer is read, maxExcerpt how much is shown.
	maxAnswer  = 16 << 10
	maxExcerpt = 200
)

// client posts bodies to the API.
type client struct {
	http    *http.Client
	base    string
	key     string
	lastUse atomic.Int64 // Unix seconds
}

// newTransport speaks HTTP/1.1 alone: there is one request at a time, and a
// connection that died during a freeze is noticed by the first write.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	}
}

func newClient(base, key string, transport http.RoundTripper) *client {
	return &client{base: strings.TrimRight(base, "/"), key: key, http: &http.Client{
		Transport: transport,
		// The key must not follow a redirect to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what the API said.
type answer struct {
	status int
	header http.Header
	text   string // the start of the body
}

// post sends one body and reads the answer. A pooled connection that turns out
// to be dead is replaced at once by a new one, once.
func (c *client) post(ctx context.Context, e series.Endpoint, body []byte) (answer, error) {
	now := time.Now().Unix()
	if idle := now - c.lastUse.Swap(now); idle < 0 || idle > int64(idleTimeout/time.Second) {
		// The transport measures idleness by the monotonic clock, which may not
		// count the time that a virtual machine was frozen.
		c.closeIdle()
	}
	a, reused, err := c.try(ctx, e, body)
	if err != nil && reused && ctx.Err() == nil {
		c.closeIdle()
		a, _, err = c.try(ctx, e, body)
	}
	return a, err
}

func (c *client) closeIdle() { c.http.CloseIdleConnections() }

func (c *client) try(ctx context.Context, e series.Endpoint, body []byte) (a answer, reused bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, c.base+e.Path, bytes.NewReader(body))
	if err != nil {
		return a, false, fmt.Errorf("build the request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", e.Encoding)
	request.Header.Set("User-Agent", "vigil/"+version.Number())
	request.Header.Set("DD-API-KEY", c.key)
	response, err := c.http.Do(request)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err // the caller names the URL
		}
		return a, reused, err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	// The status alone decides: a body that is cut off changes nothing.
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return answer{status: response.StatusCode, header: response.Header, text: c.excerpt(text)}, reused, nil
}

// excerpt is the start of an answer, on one line and without the key.
func (c *client) excerpt(text []byte) string {
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "?")), " ")
	if c.key != "" {
		line = strings.ReplaceAll(line, c.key, "***")
	}
	if len(line) > maxExcerpt {
		line = strings.ToValidUTF8(line[:maxExcerpt], "") + "..."
	}
	return line
}
