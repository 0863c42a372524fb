package stream

import (
	"context"
	"strings"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
)

// connect waits until conn is up. Only a call learns why it does not come up.
func connect(ctx context.Context, conn *grpc.ClientConn, client statefulpb.StatefulLogsServiceClient) error {
	conn.Connect()
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure:
			try, cancel := context.WithCancel(ctx)
			_, err := client.LogsStream(try)
			cancel()
			if err != nil {
				return err
			}
		case connectivity.Idle:
			conn.Connect()
		default:
		}
		if !conn.WaitForStateChange(ctx, state) {
			return ctx.Err()
		}
	}
}

// ask opens a stream that carries nothing and waits a moment for the profiles that
// the receiving side announces; a plain one sends its headers only with its first
// message and so announces none.
func (l *link) ask(client statefulpb.StatefulLogsServiceClient, endpoint Endpoint) ([]string, error) {
	md, err := l.w.headers(endpoint, effect{})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(l.ctx, md), announceWait)
	defer cancel()
	stream, err := client.LogsStream(ctx)
	if err != nil {
		return nil, err
	}
	head, err := stream.Header()
	if head == nil && ctx.Err() == nil {
		// The stream is over: a refusal, whose reason comes with the next read.
		if err == nil {
			err = stream.RecvMsg(&statefulpb.BatchStatus{})
		}
		return nil, err
	}
	if l.ctx.Err() != nil {
		return nil, l.ctx.Err()
	}
	profiles := []string{}
	for _, v := range head.Get(headerProfiles) {
		for p := range strings.SplitSeq(v, ",") {
			if p = strings.TrimSpace(p); p != "" {
				profiles = append(profiles, p)
			}
		}
	}
	if l.w.deps.Store != nil {
		l.w.saving.Lock()
		err := l.w.deps.Store.SaveProfiles(endpoint.Address, profiles, time.Now())
		l.w.saving.Unlock()
		if err != nil {
			l.w.log.Warn("the profiles of a receiving side cannot be remembered; it is asked again at the next start", "error", err)
		}
	}
	return profiles, nil
}
