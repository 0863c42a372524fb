package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bidi = grpc.BidiStreamingServer[statefulpb.StatefulBatch, statefulpb.BatchStatus]

// peer is a receiving side that follows a script. It decodes wordCodec strictly
// and keeps what it received.
type peer struct {
	statefulpb.UnimplementedStatefulLogsServiceServer

	// script serves stream n, counted from 1; nil acknowledges everything.
	script  func(n int, s *peerStream) error
	options []grpc.ServerOption

	listener *bufconn.Listener
	server   *grpc.Server

	mu      sync.Mutex
	streams int
	logs    []string   // "time message" of every batch received
	batches [][]uint32 // ids by stream
	heads   []metadata.MD
	errs    []error
}

// peerStream is one stream of a peer.
type peerStream struct {
	bidi

	peer  *peer
	n     int
	state wordState
}

// LogsStream serves one stream; gRPC calls it.
func (p *peer) LogsStream(s bidi) error {
	md, _ := metadata.FromIncomingContext(s.Context())
	p.mu.Lock()
	p.streams++
	n := p.streams
	p.batches = append(p.batches, nil)
	p.heads = append(p.heads, md)
	p.mu.Unlock()
	ps := &peerStream{bidi: s, peer: p, n: n}
	if p.script == nil {
		return ps.ackAll()
	}
	return p.script(n, ps)
}

// take receives and decodes one batch.
func (s *peerStream) take() (uint32, error) {
	batch, err := s.Recv()
	if err != nil {
		return 0, err
	}
	logs, err := s.state.decode(string(batch.GetData()))
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	if err != nil {
		s.peer.errs = append(s.peer.errs, err)
		return 0, err
	}
	s.peer.logs = append(s.peer.logs, logs...)
	s.peer.batches[s.n-1] = append(s.peer.batches[s.n-1], batch.GetBatchId())
	return batch.GetBatchId(), nil
}

func (s *peerStream) ack(id uint32) error {
	return s.Send(&statefulpb.BatchStatus{BatchId: id, Status: statefulpb.BatchStatus_OK})
}

// takeAck receives one batch and acknowledges it.
func (s *peerStream) takeAck() error {
	id, err := s.take()
	if err != nil {
		return err
	}
	return s.ack(id)
}

// ackAll acknowledges everything until the client half-closes.
func (s *peerStream) ackAll() error {
	for {
		if err := s.takeAck(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// takeAll receives without acknowledging, until the client ends the stream.
func (s *peerStream) takeAll() error {
	for {
		if _, err := s.take(); err != nil {
			return err
		}
	}
}

// listen starts the peer on an in-memory listener that ends with the test.
func (p *peer) listen(t *testing.T) *peer {
	t.Helper()
	p.listener = bufconn.Listen(1 << 16)
	pings := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second})
	p.server = grpc.NewServer(append([]grpc.ServerOption{grpc.WaitForHandlers(true), pings}, p.options...)...)
	p.register(p.server)
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.server.Serve(p.listener) })
	t.Cleanup(func() {
		p.server.Stop()
		wg.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		require.Empty(t, p.errs, "every batch decodes against the state of its stream")
	})
	return p
}

func (p *peer) register(s *grpc.Server) { statefulpb.RegisterStatefulLogsServiceServer(s, p) }

func (p *peer) dial(ctx context.Context, _ string) (net.Conn, error) {
	return p.listener.DialContext(ctx)
}

func (p *peer) received() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.logs...)
}

// ids are the batch ids that stream n received.
func (p *peer) ids(n int) []uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > len(p.batches) {
		return nil
	}
	return append([]uint32(nil), p.batches[n-1]...)
}

// durables collects what OnDurable was told.
type durables struct {
	mu   sync.Mutex
	ends []int64
}

func (d *durables) add(_ uint64, origins []record.Origin) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range origins {
		d.ends = append(d.ends, o.End)
	}
}

func (d *durables) all() []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]int64(nil), d.ends...)
}

// work starts a worker against p.
func work(t *testing.T, p *peer, cfg Config) (*Worker, *durables) {
	t.Helper()
	return workWith(t, cfg, Deps{Dial: p.dial})
}

func workWith(t *testing.T, cfg Config, deps Deps) (*Worker, *durables) {
	t.Helper()
	d := &durables{}
	if cfg.Endpoints == nil {
		cfg.Endpoints = []Endpoint{{Address: "peer", KeyInClear: true}}
	}
	deps.OnDurable = d.add
	if deps.Codecs == nil && deps.Fallback == nil {
		deps.Codecs = []Codec{wordCodec{}}
	}
	w, err := New(cfg, deps)
	require.NoError(t, err)
	require.NoError(t, w.Start(t.Context()))
	t.Cleanup(func() { _ = w.Stop(expired()) })
	return w, d
}

// expired is a context without any time left.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// within is a context with d left.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// put appends one batch for each message, numbered from "from".
func put(t *testing.T, w *Worker, from int, messages ...string) {
	t.Helper()
	for i, m := range messages {
		require.NoError(t, w.Append(t.Context(), words(from+i, m)))
	}
}

func flush(t *testing.T, w *Worker) {
	t.Helper()
	require.NoError(t, w.Flush(within(t, time.Hour)))
}

func fields(s string) []string { return strings.Fields(s) }
