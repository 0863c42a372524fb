package intake

import (
	"context"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
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
	if err := authorize(ctx, s.accepted()); err != nil {
		return err
	}
	claim, err := readClaim(ctx)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	decoder, err := newDecoder(ctx, s.cfg)
	if err != nil {
		return err
	}
	h := &handler{server: s, stream: stream, decoder: decoder, claim: claim, fenced: make(chan struct{})}
	if err := s.enter(h); err != nil {
		return err
	}
	defer s.leave(h)
	// At once, so that a client knows before its first batch.
	if err := stream.SendHeader(metadata.Pairs(profilesHeader, profiles)); err != nil {
		return err
	}
	return h.run(ctx)
}

// enter counts a stream in, or says why there is no room for it.
func (s *Server) enter(h *handler) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return status.Error(codes.Unavailable, "the intake stops: try again soon")
	case s.counters.open.Load() >= int64(s.cfg.MaxStreams):
		return status.Errorf(codes.Unavailable, "%d streams are open, which is the most: send to another intake, or raise intake.max_streams of this one", s.cfg.MaxStreams)
	}
	s.streams.Add(1)
	s.counters.streams.Add(1)
	s.counters.open.Add(1)
	if h.claim == (claim{}) {
		h.sink = s.sink.Stream()
	} else {
		h.session = s.sessions.join(h.claim.session)
	}
	return nil
}

func (s *Server) leave(h *handler) {
	if h.session != nil {
		s.sessions.leave(h)
	}
	s.counters.open.Add(-1)
	s.streams.Done()
}
