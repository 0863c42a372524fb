package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// maxPending bounds the batches of one stream that wait for the disk. Beyond it
// the stream is not read, and gRPC's flow control slows the client down.
const maxPending = 32

// maxIdleTextBytes bounds the message memory a stream keeps between batches.
const maxIdleTextBytes = 1 << 20

// handler serves one stream with three goroutines: run decodes, a reader
// receives, and an acknowledger waits for the sink.
type handler struct {
	server  *Server
	stream  bidi
	decoder decoder
	claim   claim
	session *session      // nil without one
	sink    SinkStream    // without a session
	fenced  chan struct{} // closed when a newer stream of the session has taken over
	order   order
	state   int // as it is counted in the server's figures

	// lines and text are used again for each batch; text holds the messages.
	lines []journal.Line
	text  []byte
}

// errState means that all streams together hold too much.
var errState = errors.New("more state than all streams together may have, intake.max_state")

// received is what the reader got: a batch or why there is none.
type received struct {
	batch *statefulpb.StatefulBatch
	err   error
}

// pending is a batch that waits for the sink.
type pending struct {
	id     uint32
	lines  int
	result chan error
}

// run serves until the stream ends and returns its status.
func (h *handler) run(ctx context.Context) error {
	in := make(chan received)
	waiting := make(chan pending, maxPending)
	failed := make(chan error, 1)
	// The reader ends when the stream's context does, just after run returns.
	h.server.streams.Go(func() { h.receive(ctx, in) })
	var acks sync.WaitGroup
	acks.Go(func() {
		if err := h.acknowledge(ctx, waiting); err != nil {
			failed <- err
		}
	})
	err := h.accept(ctx, in, waiting, failed)
	close(waiting)
	acks.Wait()
	h.server.counters.state.Add(int64(-h.state))
	select {
	case ackErr := <-failed:
		return ackErr
	default:
		return err
	}
}

// receive reads the stream. It takes the next batch only when the one before was
// picked up, so at most one is held outside of the bounds.
func (h *handler) receive(ctx context.Context, in chan<- received) {
	for {
		batch, err := h.stream.Recv()
		select {
		case in <- received{batch, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// accept checks, decodes and passes on batches until the client is done, the
// server drains, or something breaks.
func (h *handler) accept(ctx context.Context, in <-chan received, waiting chan<- pending, failed <-chan error) error {
	for {
		select {
		case <-h.server.draining:
			return nil
		default:
		}
		select {
		case r := <-in:
			if errors.Is(r.err, io.EOF) {
				return nil
			}
			if r.err != nil {
				return r.err
			}
			p, err := h.take(r.batch)
			if err != nil {
				return err
			}
			select {
			case waiting <- p:
			case err := <-failed:
				return err
			case <-ctx.Done():
				return status.FromContextError(ctx.Err()).Err()
			}
		case <-h.server.draining:
			return nil
		case <-h.fenced:
			return status.Error(codes.Aborted, errFenced.Error())
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case err := <-failed:
			return err
		}
	}
}

// take decodes one batch and hands its lines to the sink. A batch is all or
// nothing: one that breaks the protocol leaves no line.
func (h *handler) take(batch *statefulpb.StatefulBatch) (pending, error) {
	id, data := batch.GetBatchId(), batch.GetData()
	h.server.counters.data.Add(uint64(len(data)))
	if err := h.decode(id, data); err != nil {
		return pending{}, refusal(err)
	}
	p := pending{id: id, lines: len(h.lines), result: make(chan error, 1)}
	done := func(err error) { p.result <- err }
	switch {
	case h.session != nil && id > 0:
		repeated, err := h.session.take(h, id, h.lines, done)
		if err != nil {
			return pending{}, err
		}
		if repeated {
			h.server.counters.repeated.Add(1)
			p.lines = 0
		}
	case h.session != nil:
		if err := h.session.snapshot(h); err != nil {
			return pending{}, err
		}
		done(nil)
	case len(h.lines) == 0:
		done(nil)
	default:
		h.sink.Append(h.lines, journal.Mark{}, done)
	}
	return p, nil
}

func (h *handler) decode(id uint32, data []byte) error {
	if err := h.order.check(id); err != nil {
		return err
	}
	clear(h.lines)
	h.lines, h.text = h.lines[:0], h.text[:0]
	if cap(h.text) > maxIdleTextBytes {
		h.text = nil
	}
	if len(data) > 0 {
		if err := h.decoder.Decode(id, data, h.keep); err != nil {
			return err
		}
	}
	state := h.decoder.StateBytes()
	total := h.server.counters.state.Add(int64(state - h.state))
	h.state = state
	if total > int64(h.server.cfg.MaxState) {
		return fmt.Errorf("batch %d: %w (%d)", id, errState, h.server.cfg.MaxState)
	}
	return nil
}

// keep copies a decoded line, whose message is valid until the next one only.
// When text grows, lines kept before it stay on the old memory.
func (h *handler) keep(l journal.Line) error {
	from := len(h.text)
	h.text = append(h.text, l.Message...)
	l.Message = h.text[from:len(h.text):len(h.text)]
	h.lines = append(h.lines, l)
	return nil
}

// acknowledge answers batches in order as they become durable, up to the first
// that is not.
func (h *handler) acknowledge(ctx context.Context, waiting <-chan pending) error {
	ack := statefulpb.BatchStatus{Status: statefulpb.BatchStatus_OK}
	for p := range waiting {
		select {
		case err := <-p.result:
			if err != nil {
				return status.Errorf(codes.Unavailable, "batch %d was not stored: %v", p.id, err)
			}
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
		ack.BatchId = p.id
		if err := h.stream.SendMsg(&ack); err != nil {
			return err
		}
		c := &h.server.counters
		c.batches.Add(1)
		c.lines.Add(uint64(p.lines))
		if p.id == 0 {
			c.snapshots.Add(1)
		}
	}
	return nil
}
