package intake

import (
	"context"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/codec/rows"
)

// bidi is the server's side of one stream.
type bidi = grpc.BidiStreamingServer[statefulpb.StatefulBatch, statefulpb.BatchStatus]

// service is what gRPC calls.
type service struct {
	statefulpb.UnimplementedStatefulLogsServiceServer

	server *Server
}

// LogsStream serves one stream.
func (v *service) LogsStream(stream bidi) error {
	s, ctx := v.server, stream.Context()
	err := s.serve(ctx, stream)
	if err != nil && ctx.Err() == nil {
		code := status.Code(err)
		s.counters.reject(code)
		s.log.Warn("intake ended a stream", "code", code.String(), "error", err)
	}
	return err
}

// serve accepts or refuses a stream before anything is read from it.
func (s *Server) serve(ctx context.Context, stream bidi) error {
	if err := authorize(ctx, s.cfg.APIKey); err != nil {
		return err
	}
	encoding := ""
	if v := metadata.ValueFromIncomingContext(ctx, "dd-content-encoding"); len(v) > 0 {
		encoding = v[0]
	}
	decoder, err := rows.NewDecoder(encoding, s.deps.Limits)
	if err != nil {
		return status.Errorf(codes.Unimplemented, "dd-content-encoding: %v", err)
	}
	sink, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	// At once, so that a client knows before its first batch.
	if err := stream.SendHeader(metadata.Pairs("vigil-profiles", "rows")); err != nil {
		return err
	}
	h := &handler{server: s, stream: stream, decoder: decoder, sink: sink}
	return h.run(ctx)
}

// enter counts a stream in, or says why there is no room for it.
func (s *Server) enter() (SinkStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return nil, status.Error(codes.Unavailable, "the intake stops: try again soon")
	case s.counters.open.Load() >= maxStreams:
		return nil, status.Errorf(codes.Unavailable, "%d streams are open, which is the most: send to another intake", maxStreams)
	}
	s.streams.Add(1)
	s.counters.streams.Add(1)
	s.counters.open.Add(1)
	return s.sink.Stream(), nil
}

func (s *Server) leave() {
	s.counters.open.Add(-1)
	s.streams.Done()
}
