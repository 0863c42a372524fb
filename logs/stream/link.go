package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"

	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// link is one stream with its own connection, so that a rotation also moves to
// another backend and no reconnect waits for gRPC's own backoff. Three
// goroutines serve it: run, which connects and then receives, the sender, and a
// watcher of the connection.
type link struct {
	gen uint64
	w   *Worker
	how effect // how to connect
	// order says how to begin the stream; it comes once, after the link reported
	// that it is connected.
	order chan effect
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

func newLink(parent context.Context, w *Worker, how effect) *link {
	ctx, cancel := context.WithCancel(parent)
	return &link{gen: how.gen, w: w, how: how, order: make(chan effect, 1), ctx: ctx, cancel: cancel, out: newOutbox()}
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
// OK from the other side.
func (l *link) run() error {
	defer l.cancel()
	if l.how.fallback {
		return l.post()
	}
	endpoint := l.w.cfg.Endpoints[l.how.endpoint]
	conn, err := l.w.dial(endpoint, l.how.keepalive)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := statefulpb.NewStatefulLogsServiceClient(conn)
	if err := connect(l.ctx, conn, client); err != nil {
		return err
	}
	up := event{kind: evOpened, gen: l.gen, asked: l.how.ask}
	if l.how.ask {
		if up.announced, err = l.ask(client, endpoint); err != nil {
			return err
		}
	}
	order, err := l.begin(up)
	if err != nil {
		return err
	}
	md, err := l.w.headers(endpoint, order)
	if err != nil {
		return err
	}
	stream, err := client.LogsStream(metadata.NewOutgoingContext(l.ctx, md))
	if err != nil {
		return err
	}
	return l.serve(conn, stream)
}

// begin reports the connection and waits for the order to begin, whose session is
// saved before anything is sent in it.
func (l *link) begin(up event) (effect, error) {
	l.w.events <- up
	select {
	case order := <-l.order:
		if !l.w.cfg.durable || order.session.ID == "" {
			return order, nil
		}
		l.w.saving.Lock()
		defer l.w.saving.Unlock()
		if err := l.w.deps.Store.SaveSession(order.session); err != nil {
			return effect{}, fmt.Errorf("save the stream's session, without which a crash would deliver lines twice: %w", err)
		}
		return order, nil
	case <-l.ctx.Done():
		return effect{}, l.ctx.Err()
	}
}

func (l *link) serve(conn connState, stream grpc.ClientStream) error {
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
			case l.w.events <- event{kind: evGoAway, gen: l.gen}:
			case <-l.ctx.Done():
			}
		}
	})
	err := l.receive(stream)
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
		from := time.Now()
		err := stream.SendMsg(&msg)
		l.w.blocked.Add(int64(time.Since(from)))
		if err != nil {
			if errors.Is(err, io.EOF) {
				return err
			}
			return fmt.Errorf("send batch %d: %w", item.id, err)
		}
	}
}

// receive passes acknowledgements on until the stream ends.
func (l *link) receive(stream grpc.ClientStream) error {
	var st statefulpb.BatchStatus
	for {
		if err := stream.RecvMsg(&st); err != nil {
			return err
		}
		if id := st.GetBatchId(); id > l.begun.Load() {
			return protocolError(id, 0, "that batch was not sent")
		}
		l.w.events <- event{kind: evAck, gen: l.gen, id: st.GetBatchId(), ok: st.GetStatus() == statefulpb.BatchStatus_OK}
	}
}

// headers are the request metadata (logs specification, sections 1.6 and 14); an
// order without a codec is that of a stream that carries nothing.
func (w *Worker) headers(endpoint Endpoint, order effect) (metadata.MD, error) {
	md := metadata.New(w.cfg.Headers)
	if w.cfg.Shadow {
		md.Set("dd-shadow-only", "true")
	}
	md.Delete("dd-api-key")
	if key := *w.key.Load(); key != "" {
		if !endpoint.mayCarryKey() {
			return nil, fault.New(fault.Credentials, keyInClear(endpoint.Address))
		}
		if !printable(key) {
			return nil, fault.New(fault.Credentials, errors.New("the API key has a character that no header can carry: use printable ASCII only"))
		}
		md.Set("dd-api-key", key)
	}
	if order.codec == nil {
		return md, nil
	}
	md.Set("dd-content-encoding", order.codec.ContentEncoding())
	md.Set(headerProfile, order.codec.Profile())
	md.Set(headerSession, order.session.ID)
	md.Set(headerEpoch, strconv.FormatUint(order.session.Epoch, 10))
	md.Set(headerFirstSeq, strconv.FormatUint(order.firstSeq, 10))
	return md, nil
}
