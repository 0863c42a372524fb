package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
)

// link is one stream with its own connection, so that a rotation also moves to
// another backend and no reconnect waits for gRPC's own backoff. Three
// goroutines serve it: run, which opens and then receives, the sender, and a
// watcher of the connection.
type link struct {
	gen uint64
	// ctx is the stream's; it is done once the link has ended.
	ctx    context.Context
	cancel context.CancelFunc
	out    *outbox
	// begun is the highest id whose send has begun.
	begun atomic.Uint32
}

// goAwayGrace tells a connection that broke from one that is to be left: in the
// second case its stream lives on.
const goAwayGrace = 50 * time.Millisecond

func newLink(parent context.Context, gen uint64) *link {
	ctx, cancel := context.WithCancel(parent)
	return &link{gen: gen, ctx: ctx, cancel: cancel, out: newOutbox()}
}

// close ends the link: at once, or by half-closing and waiting up to linger for
// the other side to end the stream.
func (l *link) close(graceful bool, linger time.Duration) {
	if !graceful {
		l.cancel()
		return
	}
	l.out.close()
	cut := time.AfterFunc(linger, l.cancel)
	context.AfterFunc(l.ctx, func() { cut.Stop() })
}

// run serves the link until the stream ends and returns why; nil or io.EOF is an
// OK from the other side. events must be read until run has returned.
func (l *link) run(cfg Config, deps Deps, wire *wireCounter, events chan<- event) error {
	defer l.cancel()
	conn, err := dial(cfg, deps, wire)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stream, err := statefulpb.NewStatefulLogsServiceClient(conn).LogsStream(metadata.NewOutgoingContext(l.ctx, headers(cfg, deps.Codec)))
	if err != nil {
		return err
	}
	events <- event{kind: evOpened, gen: l.gen}

	var (
		wg      sync.WaitGroup
		sendErr error
	)
	wg.Go(func() {
		// A send fails with EOF when the stream is over; the receiver learns why.
		if err := l.send(stream); err != nil && !errors.Is(err, io.EOF) {
			sendErr = err
			l.cancel()
		}
	})
	wg.Go(func() {
		if l.toldToGo(conn) {
			select {
			case events <- event{kind: evGoAway, gen: l.gen}:
			case <-l.ctx.Done():
			}
		}
	})
	err = l.receive(stream, events)
	l.cancel()
	wg.Wait()
	if sendErr != nil {
		return sendErr
	}
	return err
}

// connState is the part of *grpc.ClientConn that says how the connection is.
type connState interface {
	GetState() connectivity.State
	WaitForStateChange(ctx context.Context, from connectivity.State) bool
}

// toldToGo waits until the other side wants the connection to end (GOAWAY) and
// reports false when the stream ends first. The connection then leaves READY
// while its stream goes on.
func (l *link) toldToGo(conn connState) bool {
	for {
		if !conn.WaitForStateChange(l.ctx, connectivity.Ready) {
			return false
		}
		grace := time.NewTimer(goAwayGrace)
		select {
		case <-grace.C:
		case <-l.ctx.Done():
			grace.Stop()
			return false
		}
		// A stream may open just before its connection is reported as READY.
		if conn.GetState() != connectivity.Ready {
			return true
		}
	}
}

// send writes what the outbox holds until it is closed or the link ends.
func (l *link) send(stream grpc.ClientStream) error {
	var msg statefulpb.StatefulBatch
	for {
		item, more := l.out.next(l.ctx)
		if !more {
			return nil
		}
		if item.halfClose {
			return stream.CloseSend()
		}
		// Before the send, so that no acknowledgement can overtake it.
		l.begun.Store(item.id)
		msg.BatchId, msg.Data = item.id, item.data
		if err := stream.SendMsg(&msg); err != nil {
			if errors.Is(err, io.EOF) {
				return err
			}
			return fmt.Errorf("send batch %d: %w", item.id, err)
		}
	}
}

// receive passes acknowledgements on until the stream ends.
func (l *link) receive(stream grpc.ClientStream, events chan<- event) error {
	var st statefulpb.BatchStatus
	for {
		if err := stream.RecvMsg(&st); err != nil {
			return err
		}
		if id := st.GetBatchId(); id > l.begun.Load() {
			return &ackError{id: id, why: "that batch was not sent"}
		}
		events <- event{kind: evAck, gen: l.gen, id: st.GetBatchId(), ok: st.GetStatus() == statefulpb.BatchStatus_OK}
	}
}

// headers are the request metadata (logs specification, section 1.6).
func headers(cfg Config, codec Codec) metadata.MD {
	md := metadata.Pairs("dd-content-encoding", codec.ContentEncoding())
	if cfg.APIKey != "" {
		md.Set("dd-api-key", cfg.APIKey)
	}
	return md
}
