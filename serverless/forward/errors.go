package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// What can go wrong between the agent and the application. The cause is wrapped.
var (
	ErrUnreachable = errors.New("the application does not accept connections on its hook port")
	ErrDeadline    = errors.New("the application did not answer its hook in time")
	ErrBroken      = errors.New("the application's answer is not usable HTTP")

	errInformational = errors.New("status below 200")
)

func unreachable(cause error) error { return fmt.Errorf("%w: %w", ErrUnreachable, cause) }
func broken(cause error) error      { return fmt.Errorf("%w: %w", ErrBroken, cause) }

// classify names the failure. A dial that failed is unreachable even when the
// deadline ended it: nobody has seen the request.
func classify(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return unreachable(err)
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrDeadline, err)
	default:
		return broken(err)
	}
}

// Status is the answer for a hook whose forward failed. A build hook knows only
// 503, "try again": any other status fails the image build. A runtime hook tells
// an absent application (503) from a slow (504) and a broken (502) one.
func Status(err error, build bool) int {
	switch {
	case build, errors.Is(err, ErrUnreachable):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrDeadline):
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}
