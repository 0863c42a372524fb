package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// TestEveryCodeHasItsClass pins the taxonomy: all codes of gRPC, in order.
func TestEveryCodeHasItsClass(t *testing.T) {
	t.Parallel()
	want := map[codes.Code]Class{
		codes.OK: Planned, codes.Canceled: Transient, codes.Unknown: Transient, codes.InvalidArgument: Poison,
		codes.DeadlineExceeded: Transient, codes.NotFound: Transient, codes.AlreadyExists: Transient,
		codes.PermissionDenied: Credentials, codes.ResourceExhausted: Throttle, codes.FailedPrecondition: Capability,
		codes.Aborted: Transient, codes.OutOfRange: Poison, codes.Unimplemented: Capability, codes.Internal: Transient,
		codes.Unavailable: Transient, codes.DataLoss: Poison, codes.Unauthenticated: Credentials,
	}
	require.Len(t, want, int(codes.Unauthenticated)+1)
	for code, class := range want {
		require.Equal(t, class, Of(status.Error(code, "x")), code)
	}
}

func TestOtherErrors(t *testing.T) {
	t.Parallel()
	large := status.Error(codes.ResourceExhausted, "grpc: received message larger than max (5242887 vs. 4194304)")
	for err, want := range map[error]Class{
		io.EOF:                           Planned,
		errors.New("plain"):              Transient,
		large:                            Size,
		New(Stall, errors.New("silent")): Stall,
		fmt.Errorf("wrapped: %w", New(Poison, io.ErrUnexpectedEOF)): Poison,
	} {
		require.Equal(t, want, Of(err), err)
	}
	for text, want := range map[string]struct {
		code  codes.Code
		class Class
		limit int
	}{
		"CLIENT: Received message larger than max (5242887 vs. 4194304)":                            {codes.ResourceExhausted, Size, 4194304},
		"Received message larger than max (5242887 vs 4194304)":                                     {codes.ResourceExhausted, Size, 4194304},
		"gRPC message exceeds maximum size 4194304: 5242887":                                        {codes.ResourceExhausted, Size, 4194304},
		"Error, decoded message length too large: found 5242887 bytes, the limit is: 4194304 bytes": {codes.OutOfRange, Size, 4194304},
		"Received message exceeds the maximum configured message size.":                             {codes.ResourceExhausted, Size, 0},
		"message length too large":                                                                  {codes.OutOfRange, Size, 0},
		"batch 3 is larger than max (9 vs. 4), the journal says":                                    {codes.InvalidArgument, Poison, 0},
		"the state exceeds maximum size 4":                                                          {codes.ResourceExhausted, Throttle, 0},
	} {
		err := status.Error(want.code, text)
		require.Equal(t, want.class, Of(err), text)
		require.Equal(t, want.limit, SizeLimit(err), text)
	}
	require.Equal(t, Planned, Of(nil))
	require.Equal(t, 4194304, SizeLimit(large))
	require.Zero(t, SizeLimit(status.Error(codes.ResourceExhausted, "larger than max")))
	require.Zero(t, SizeLimit(nil))
	require.True(t, TooManyPings(errors.New(`code = Unavailable desc = closing transport due to: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`)))
	require.False(t, TooManyPings(nil))
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	require.NoError(t, err)
	require.Equal(t, 7*time.Second, RetryAfter(st.Err()))
	require.Equal(t, time.Minute, RetryAfter(fmt.Errorf("post: %w", &Error{Class: Throttle, RetryAfter: time.Minute, Err: io.EOF})))
	require.Zero(t, RetryAfter(errors.New("plain")))
	require.Zero(t, RetryAfter(nil))
}

func TestText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "closed by the receiving side", Text(io.EOF))
	require.Equal(t, "Aborted: gap", Text(status.Error(codes.Aborted, "gap")))
	require.Equal(t, "no route", Text(New(Transient, errors.New("no route"))))
}

func TestTableIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[Class]bool{}
	for _, r := range Table {
		require.False(t, seen[r.Class], r.Class)
		seen[r.Class] = true
		require.NotZero(t, r.Wait)
		require.NotZero(t, r.Cure)
		require.NotEmpty(t, r.Sentence)
		require.Equal(t, r.Sentence, RuleOf(r.Class).Sentence)
	}
	require.Len(t, seen, 9)
	require.Equal(t, Transient, RuleOf("unheard of").Class)
}
