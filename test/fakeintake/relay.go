package fakeintake

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/vigil-agent/vigil/logs/record"
)

type (
	down = grpc.BidiStreamingServer[statefulpb.StatefulBatch, statefulpb.BatchStatus]
	up   = grpc.BidiStreamingClient[statefulpb.StatefulBatch, statefulpb.BatchStatus]
)

// relay is one stream of a sender and its twin to the intake.
type relay struct {
	intake *Intake
	n      int
	down   down
	// reader decodes batches for steps that look inside; nil when there are none.
	reader *reader
	// late are acknowledgements held back by Reorder; the goroutine of
	// acknowledgements owns it.
	late []*statefulpb.BatchStatus

	// sending guards what goes to the sender: one thing at a time, headers first,
	// and nothing after the handler.
	sending sync.Mutex
	headed  bool
	over    bool
}

// LogsStream serves one stream; gRPC calls it.
func (f *Intake) LogsStream(stream down) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	r := &relay{intake: f, n: f.enter(md), down: stream}
	if f.looks() {
		r.reader = newReader(md)
	}
	if err := r.serve(stream.Context(), md); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// serve relays until either side ends, or the script does. Its error is the
// stream's status; io.EOF and nil are OK.
func (r *relay) serve(ctx context.Context, md metadata.MD) error {
	if err := r.play(ctx, atOpen, 0, nil, &moment{relay: r}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := r.intake.client.LogsStream(metadata.NewOutgoingContext(ctx, forwarded(md)))
	if err != nil {
		return err
	}
	batches, acks := make(chan error, 1), make(chan error, 1)
	// The first ends when the sender's stream does, which is just after serve
	// returns; the second with ctx.
	r.intake.wg.Go(func() { batches <- r.batches(ctx, stream) })
	r.intake.wg.Go(func() { acks <- r.acks(ctx, stream) })
	defer r.end()
	select {
	case err := <-acks:
		return err
	case err := <-batches:
		if err == nil {
			return <-acks
		}
		cancel()
		<-acks //nolint:errcheck // the batches' error is the cause
		return err
	}
}

// forwarded are the headers that the intake is to see.
func forwarded(md metadata.MD) metadata.MD {
	out := metadata.MD{}
	for key, values := range md {
		if strings.HasPrefix(key, ":") || strings.HasPrefix(key, "grpc-") || key == "content-type" || key == "user-agent" {
			continue // the transport's own
		}
		out[key] = values
	}
	return out
}

// batches hands the sender's batches to the intake until the sender half-closes.
func (r *relay) batches(ctx context.Context, stream up) error {
	for {
		batch, err := r.down.Recv()
		if errors.Is(err, io.EOF) {
			return stream.CloseSend()
		}
		if err != nil {
			return err
		}
		var records []record.Record
		if r.reader != nil {
			records = r.reader.read(batch)
		}
		if err := r.play(ctx, atBatch, batch.GetBatchId(), records, &moment{relay: r}); err != nil {
			return err
		}
		if err := stream.Send(batch); err != nil {
			return nil // why, is what the intake answers
		}
	}
}

// acks hands the intake's headers and acknowledgements to the sender, and in the
// end its status.
func (r *relay) acks(ctx context.Context, stream up) error {
	if header, err := stream.Header(); err == nil && header != nil {
		if err := r.head(forwarded(header)); err != nil {
			return err
		}
	}
	for {
		ack, err := stream.Recv()
		if err != nil {
			r.down.SetTrailer(forwarded(stream.Trailer()))
		}
		if errors.Is(err, io.EOF) {
			return r.send(r.late...)
		}
		if err != nil {
			return err
		}
		m := &moment{relay: r, acks: []*statefulpb.BatchStatus{ack}}
		late := r.late
		r.late = nil
		if err := r.play(ctx, atAck, ack.GetBatchId(), nil, m); err != nil {
			return err
		}
		if err := r.send(append(m.acks, late...)...); err != nil {
			return err
		}
	}
}

// head sends headers, unless a forged acknowledgement was faster.
func (r *relay) head(header metadata.MD) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	if r.headed || r.over {
		return nil
	}
	r.headed = true
	return r.down.SendHeader(header)
}

func (r *relay) send(acks ...*statefulpb.BatchStatus) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	for _, a := range acks {
		if r.over {
			return net.ErrClosed
		}
		r.headed = true
		if err := r.down.Send(a); err != nil {
			return err
		}
	}
	return nil
}

// end is after the last Send.
func (r *relay) end() {
	r.sending.Lock()
	defer r.sending.Unlock()
	r.over = true
}

// play does what the script says for a moment.
func (r *relay) play(ctx context.Context, kind momentKind, batch uint32, records []record.Record, m *moment) error {
	for _, action := range r.intake.due(kind, r.n, batch, records) {
		if err := action.do(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// link is the sender's connection.
func (r *relay) link() *link {
	p, ok := peer.FromContext(r.down.Context())
	if !ok {
		return nil
	}
	return r.intake.proxy.from(p.Addr.String())
}
