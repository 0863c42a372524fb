package fakeintake

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// Action is what a step does.
type Action struct {
	text string
	// ack says that it needs an acknowledgement.
	ack bool
	do  func(ctx context.Context, m *moment) error
}

// String is the action as it is logged.
func (a Action) String() string { return a.text }

// moment is where an action acts: a stream, and at an Ack what is about to be
// sent. The error of an action ends the stream with its status.
type moment struct {
	relay *relay
	acks  []*statefulpb.BatchStatus
}

// Fail ends the stream with a status, which may carry details like a RetryInfo.
func Fail(code codes.Code, text string, details ...protoadapt.MessageV1) Action {
	return Action{text: "fail " + code.String(), do: func(context.Context, *moment) error {
		s := status.New(code, text)
		if len(details) > 0 {
			var err error
			if s, err = s.WithDetails(details...); err != nil {
				return fmt.Errorf("add details to the status: %w", err)
			}
		}
		return s.Err()
	}}
}

// End ends the stream as a server does that wants the sender to go elsewhere: OK
// trailers, which the sender sees as EOF.
func End() Action {
	return Action{text: "end", do: func(context.Context, *moment) error { return io.EOF }}
}

// Kill resets the connection: RST, without a word of HTTP/2.
func Kill() Action {
	return Action{text: "kill", do: func(_ context.Context, m *moment) error {
		m.relay.link().reset()
		return status.Error(codes.Unavailable, "killed")
	}}
}

// Delay waits, with all that follows in its direction on this stream.
func Delay(d time.Duration) Action {
	return Action{text: "delay " + d.String(), do: func(ctx context.Context, _ *moment) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}}
}

// Hang is Delay without an end.
func Hang() Action {
	return Action{text: "hang", do: func(ctx context.Context, _ *moment) error {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}}
}

// GoAway sends the frame that ends a connection politely, and closes the
// connection when the grace is over. See Proxy.GoAway.
func GoAway(reason Reason, grace time.Duration) Action {
	return Action{text: "goaway " + reason.Text, do: func(_ context.Context, m *moment) error {
		return m.relay.link().goAway(reason, grace)
	}}
}

// Swallow never sends the acknowledgement.
func Swallow() Action {
	return Action{text: "swallow", ack: true, do: func(_ context.Context, m *moment) error {
		m.acks = nil
		return nil
	}}
}

// Duplicate sends the acknowledgement n more times.
func Duplicate(n int) Action {
	return Action{text: fmt.Sprintf("duplicate %d times", n), ack: true, do: func(_ context.Context, m *moment) error {
		for _, a := range m.acks {
			for range n {
				m.acks = append(m.acks, a)
			}
		}
		return nil
	}}
}

// Reorder sends the acknowledgement after the next one.
func Reorder() Action {
	return Action{text: "reorder", ack: true, do: func(_ context.Context, m *moment) error {
		m.relay.late = append(m.relay.late, m.acks...)
		m.acks = nil
		return nil
	}}
}

// Inject sends n acknowledgements of an id before what was to be sent.
func Inject(id uint32, n int) Action {
	return Action{text: fmt.Sprintf("inject %d times ack %d", n, id), do: func(_ context.Context, m *moment) error {
		for range n {
			if err := m.relay.send(&statefulpb.BatchStatus{BatchId: id, Status: statefulpb.BatchStatus_OK}); err != nil {
				return err
			}
		}
		return nil
	}}
}

// AckAs changes the id of the acknowledgement.
func AckAs(id uint32) Action {
	return Action{text: fmt.Sprintf("ack as %d", id), ack: true, do: func(_ context.Context, m *moment) error {
		m.acks = []*statefulpb.BatchStatus{{BatchId: id, Status: statefulpb.BatchStatus_OK}}
		return nil
	}}
}

// AckUnknown changes the status of the acknowledgement to UNKNOWN.
func AckUnknown() Action {
	return Action{text: "ack UNKNOWN", ack: true, do: func(_ context.Context, m *moment) error {
		for i, a := range m.acks {
			m.acks[i] = &statefulpb.BatchStatus{BatchId: a.GetBatchId(), Status: statefulpb.BatchStatus_UNKNOWN}
		}
		return nil
	}}
}

// Net changes the network for a while; see Proxy.Set. 0 is for good.
func Net(c Conditions, d time.Duration) Action {
	text := "net " + c.String()
	if d > 0 {
		text += " for " + d.String()
	}
	return Action{text: text, do: func(_ context.Context, m *moment) error {
		return m.relay.intake.proxy.SetFor(c, d)
	}}
}

// Cut resets all connections when n more bytes have passed in a direction, which
// is somewhere inside of a message; see Proxy.CutAfter.
func Cut(d Direction, n int64) Action {
	return Action{text: fmt.Sprintf("cut after %d bytes", n), do: func(_ context.Context, m *moment) error {
		m.relay.intake.proxy.CutAfter(d, n)
		return nil
	}}
}

// Call runs f in the middle of things: to restart a server, or to tell a test
// that the moment has come.
func Call(text string, f func()) Action {
	return Action{text: text, do: func(context.Context, *moment) error {
		f()
		return nil
	}}
}
