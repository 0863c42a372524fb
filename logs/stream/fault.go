package stream

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Class says why a stream ended, and thereby what happens next (logs
// specification, section 2.5).
type Class string

// The classes of a stream's end.
const (
	// ClassPlanned is a close that is nobody's fault: reconnect soon.
	ClassPlanned Class = "planned"
	// ClassTransient is anything that another try may cure.
	ClassTransient Class = "transient"
	// ClassSize is a message above the receiving side's limit: split first.
	ClassSize Class = "size"
	// ClassThrottle is a receiving side short of room: start without state.
	ClassThrottle Class = "throttle"
	// ClassCredentials is a refused API key: retry slowly.
	ClassCredentials Class = "credentials"
	// ClassPoison is data the receiving side cannot read: start without state.
	ClassPoison Class = "poison"
	// ClassCapability is a receiving side without this protocol: retry slowly.
	ClassCapability Class = "capability"
	// ClassProtocol is an acknowledgement that breaks the protocol.
	ClassProtocol Class = "protocol"
	// ClassStall is a receiving side that stopped acknowledging.
	ClassStall Class = "stall"
)

// Faults that the core itself finds.
var (
	errOpenTimeout = errors.New("the receiving side did not accept the stream in time: check address, port and TLS")
	errAckTimeout  = errors.New("no acknowledgement in time though batches wait for one: the receiving side stalls")
)

// ackError is an acknowledgement that breaks the protocol.
type ackError struct {
	id   uint32
	want uint32 // 0: none is outstanding
	why  string
}

func (e *ackError) Error() string {
	if e.want == 0 {
		return fmt.Sprintf("acknowledgement of batch %d: %s", e.id, e.why)
	}
	return fmt.Sprintf("acknowledgement of batch %d where %d is the oldest outstanding: %s", e.id, e.want, e.why)
}

// classify sorts the error a stream ended with.
func classify(err error) Class {
	var ack *ackError
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return ClassPlanned
	case errors.As(err, &ack):
		return ClassProtocol
	case errors.Is(err, errAckTimeout):
		return ClassStall
	}
	st, _ := status.FromError(err)
	switch st.Code() {
	case codes.OK:
		return ClassPlanned
	case codes.Unauthenticated, codes.PermissionDenied:
		return ClassCredentials
	case codes.ResourceExhausted:
		// The text is gRPC's own for a message above the receive limit.
		if strings.Contains(st.Message(), "larger than max") {
			return ClassSize
		}
		return ClassThrottle
	case codes.InvalidArgument, codes.OutOfRange, codes.DataLoss:
		return ClassPoison
	case codes.FailedPrecondition, codes.Unimplemented:
		return ClassCapability
	default:
		return ClassTransient
	}
}

// tooManyPings says that the receiving side ended the connection because it was
// probed more often than it allows. gRPC reports the reason in text only.
func tooManyPings(err error) bool {
	return err != nil && strings.Contains(err.Error(), "too_many_pings")
}

// retryAfter is the wait the receiving side asked for, 0 without a wish.
func retryAfter(err error) time.Duration {
	st, ok := status.FromError(err)
	if !ok {
		return 0
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// describe is err for a person: what happened and what to do.
func describe(class Class, err error) string {
	if err == nil {
		return "closed by the receiving side"
	}
	text := err.Error()
	if st, ok := status.FromError(err); ok {
		text = st.Code().String() + ": " + st.Message()
	}
	switch class {
	case ClassCredentials:
		return "suspended, the receiving side refuses the API key (" + text + "): check api_key"
	case ClassCapability:
		return "suspended, the receiving side does not speak this protocol (" + text + "): check the endpoint's address and profile"
	default:
		return text
	}
}
