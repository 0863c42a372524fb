package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// retryEvery is the pause between two calls of a build hook that answered 503.
const retryEvery = 100 * time.Millisecond

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// platform calls hooks. Each call uses a new connection, as after a restore.
type platform struct {
	client *http.Client
	begin  time.Time
}

func newPlatform(begin time.Time) *platform {
	return &platform{begin: begin, client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect is an answer, and not 200
		},
	}}
}

// send sends c once and fills in the answer.
func (p *platform) send(ctx context.Context, port int, c *Call, body []byte) {
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	begin := time.Now()
	c.Sent = begin.Sub(p.begin)
	err := p.exchange(ctx, port, c, body)
	c.Took = time.Since(begin)
	c.Tries++
	c.Err = ""
	if err != nil {
		c.Status, c.Err = 0, p.explain(ctx, err, c.Limit)
	}
}

func (p *platform) exchange(ctx context.Context, port int, c *Call, body []byte) error {
	url := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) + c.Path
	request, err := http.NewRequestWithContext(ctx, c.Method, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	c.Status = response.StatusCode
	return nil
}

func (p *platform) explain(ctx context.Context, err error, limit time.Duration) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "the platform gives up after " + limit.String()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on the hook port"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was cut"
	default:
		return err.Error()
	}
}

// insist calls a build hook until it answers anything but 503, as the platform
// does, within the call's limit. A port on which nothing listens yet is taken
// for a machine that is still starting. ended cuts it short.
func (p *platform) insist(ctx context.Context, port int, c *Call, body []byte, ended <-chan struct{}) {
	limit := c.Limit
	begin := time.Now()
	for {
		c.Limit = limit - time.Since(begin)
		p.send(ctx, port, c, body)
		again := c.Status == http.StatusServiceUnavailable || (c.Status == 0 && c.Hook == lifecycle.Ready)
		if !again || ctx.Err() != nil || limit-time.Since(begin) <= retryEvery {
			break
		}
		select {
		case <-ended:
			c.Err = "the entrypoint ended"
			begin = begin.Add(-limit) // no further try
		default:
			sleep(ctx, retryEvery)
		}
		if limit-time.Since(begin) <= 0 {
			break
		}
	}
	c.Limit = limit
}
