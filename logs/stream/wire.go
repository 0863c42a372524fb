package stream

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// wireCounter is a gRPC stats handler that adds up the bytes of messages in
// both directions, with their five bytes of framing, and of received headers.
type wireCounter struct{ sent, received atomic.Uint64 }

var _ stats.Handler = (*wireCounter)(nil)

// HandleRPC implements stats.Handler.
func (c *wireCounter) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s := s.(type) {
	case *stats.OutPayload:
		c.sent.Add(uint64(s.WireLength))
	case *stats.InPayload:
		c.received.Add(uint64(s.WireLength))
	case *stats.InHeader:
		c.received.Add(uint64(s.WireLength))
	case *stats.InTrailer:
		c.received.Add(uint64(s.WireLength))
	}
}

// TagRPC implements stats.Handler.
func (c *wireCounter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn implements stats.Handler.
func (c *wireCounter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (c *wireCounter) HandleConn(context.Context, stats.ConnStats) {}
