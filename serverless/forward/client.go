package forward

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Bounds of an answer.
const (
	// MaxBodyBytes caps the mirrored body; the rest is cut off (specification
	// section 9).
	MaxBodyBytes = 1 << 20
	// maxHeaderBytes caps the header of the application's answer.
	maxHeaderBytes = 64 << 10
)

// Request is a hook to pass on.
type Request struct {
	// Target is the path with the query, as received.
	Target string
	// Header holds the headers as received; it is not modified.
	Header http.Header
	Body   []byte
}

// Response is what the platform gets to see.
type Response struct {
	Status int
	// ContentType and ContentEncoding are empty when the application sent none.
	ContentType     string
	ContentEncoding string
	Body            []byte
	// Truncated reports that the application's body was longer than
	// MaxBodyBytes.
	Truncated bool
}

// Client calls the application's hooks.
type Client struct {
	port      string
	transport *http.Transport
}

// New prepares a client for the application's hook port on loopback. It holds
// no connection between calls.
func New(port int) *Client {
	return &Client{
		port: strconv.Itoa(port),
		transport: &http.Transport{
			Proxy:                  nil, // the application is on this machine, whatever HTTP_PROXY says
			DialContext:            dialLoopback,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaderBytes,
		},
	}
}

// Do passes req on and buffers the answer, all before ctx ends. The error is
// ErrUnreachable, ErrDeadline or ErrBroken.
func (c *Client) Do(ctx context.Context, req Request) (Response, error) {
	target, err := url.ParseRequestURI(req.Target)
	if err != nil {
		return Response{}, broken(err)
	}
	target.Scheme, target.Host = "http", net.JoinHostPort("127.0.0.1", c.port)
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(req.Body))
	if err != nil {
		return Response{}, broken(err)
	}
	out.Header = endToEnd(req.Header)
	resp, err := c.transport.RoundTrip(out)
	if err != nil {
		return Response{}, classify(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBodyBytes+1))
	if err != nil {
		return Response{}, classify(ctx, err)
	}
	if resp.StatusCode < http.StatusOK {
		return Response{}, broken(errInformational)
	}
	answer := Response{
		Status:          resp.StatusCode,
		ContentType:     resp.Header.Get("Content-Type"),
		ContentEncoding: resp.Header.Get("Content-Encoding"),
		Body:            body,
	}
	if len(body) > MaxBodyBytes {
		answer.Body, answer.Truncated = body[:MaxBodyBytes], true
	}
	return answer, nil
}
