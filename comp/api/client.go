package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotRunning means that no agent answers on the socket.
var ErrNotRunning = errors.New("no agent is running")

// Client asks the agent on a unix socket.
type Client struct {
	socket string
	http   http.Client
}

// NewClient returns a client of the agent that listens on socket.
func NewClient(socket string) *Client {
	c := &Client{socket: socket}
	c.http.Transport = &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}
	return c
}

// Get reads a path of the API. Errors match ErrNotRunning when nobody answers.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://vigil"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("build the request for %s: %w", path, err)
	}
	response, err := c.http.Do(request)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return nil, fmt.Errorf("%w on %s; start it with `vigil run`, or name its socket with --socket or --config", ErrNotRunning, c.socket)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("open %s: %w; the socket belongs to the agent's user, ask as that user", c.socket, os.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("ask the agent on %s: %w", c.socket, err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end or failed already
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the agent's answer for %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return body, fmt.Errorf("the agent answered %s with %s", path, response.Status)
	}
	return body, nil
}
