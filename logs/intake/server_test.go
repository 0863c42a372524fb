package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// serve starts a server on loopback that keeps its journal in a file.
func serve(t *testing.T, cfg Config, deps Deps) (*Server, string) {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	cfg.Journal = filepath.Join(t.TempDir(), "journal")
	s, err := New(cfg, deps)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
	})
	return s, cfg.Journal
}

type client = grpc.BidiStreamingClient[statefulpb.StatefulBatch, statefulpb.BatchStatus]

// connect opens a stream with header pairs.
func connect(t *testing.T, s *Server, headers ...string) client {
	t.Helper()
	conn, err := grpc.NewClient(s.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), headers...), time.Minute)
	t.Cleanup(cancel)
	stream, err := statefulpb.NewStatefulLogsServiceClient(conn).LogsStream(ctx)
	require.NoError(t, err)
	return stream
}

// send sends a batch. A stream that has ended says so with EOF, and why when it
// is read.
func send(t *testing.T, c client, id uint32, data []byte) {
	t.Helper()
	if err := c.Send(&statefulpb.StatefulBatch{BatchId: id, Data: data}); !errors.Is(err, io.EOF) {
		require.NoError(t, err)
	}
}

func wantAck(t *testing.T, c client, id uint32) {
	t.Helper()
	ack, err := c.Recv()
	require.NoError(t, err)
	require.True(t, proto.Equal(&statefulpb.BatchStatus{BatchId: id, Status: statefulpb.BatchStatus_OK}, ack), "got %v", ack)
}

// wantEnd reads the status of a stream and checks its code and text.
func wantEnd(t *testing.T, c client, code codes.Code, texts ...string) {
	t.Helper()
	ack, err := c.Recv()
	require.Nil(t, ack)
	require.Equal(t, code.String(), status.Code(err).String(), "%v", err)
	for _, text := range texts {
		require.ErrorContains(t, err, text)
	}
}

// encode seals messages with e.
func encode(t *testing.T, e *rows.Encoder, messages ...string) rows.Payload {
	t.Helper()
	recs := make([]record.Record, len(messages))
	for i, m := range messages {
		recs[i] = record.Record{Time: int64(1000 + i), Status: "info", Tags: "service:app", Message: []byte(m)}
	}
	p, err := e.Encode(recs)
	require.NoError(t, err)
	return p
}

func newEncoder(t *testing.T, c rows.Compression) *rows.Encoder {
	t.Helper()
	e, err := rows.NewEncoder(rows.Options{Compression: c})
	require.NoError(t, err)
	return e
}

// datums is an uncompressed batch written by hand.
func datums(t *testing.T, ds ...*statefulpb.Datum) []byte {
	t.Helper()
	data, err := proto.Marshal(&statefulpb.DatumSequence{Data: ds})
	require.NoError(t, err)
	return data
}

func rawLog(message string) *statefulpb.Datum {
	return &statefulpb.Datum{Data: &statefulpb.Datum_Logs{Logs: &statefulpb.Log{Timestamp: 5, Content: &statefulpb.Log_Raw{Raw: message}}}}
}

func patternLog(id uint64) *statefulpb.Datum {
	return &statefulpb.Datum{Data: &statefulpb.Datum_Logs{Logs: &statefulpb.Log{Timestamp: 5, Content: &statefulpb.Log_Structured{Structured: &statefulpb.StructuredLog{PatternId: id}}}}}
}

func define(id uint64, template string) *statefulpb.Datum {
	return &statefulpb.Datum{Data: &statefulpb.Datum_PatternDefine{PatternDefine: &statefulpb.PatternDefine{PatternId: id, Template: template}}}
}

func messages(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	for l, err := range journal.Read(path) {
		require.NoError(t, err)
		out = append(out, string(l.Message))
	}
	return out
}

func TestJournalHoldsWhatIsAcknowledged(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	e := newEncoder(t, rows.Zstd)
	c := connect(t, s, "dd-content-encoding", "zstd")
	header, err := c.Header()
	require.NoError(t, err)
	require.Equal(t, []string{"columns,rows"}, header.Get("vigil-profiles"))
	var want []string
	wire := 0.0
	for id := uint32(1); id <= 5; id++ {
		var batch []string
		for i := range 20 {
			batch = append(batch, fmt.Sprintf("batch %d line %d\tdone in %d ms  \r", id, i, i*7))
		}
		p := encode(t, e, batch...)
		wire += float64(len(p.Data))
		send(t, c, id, p.Data)
		wantAck(t, c, id)
		want = append(want, batch...)
		require.Equal(t, want, messages(t, path), "durable before it is acknowledged")
	}
	require.NoError(t, c.CloseSend())
	wantEnd(t, c, codes.Unknown, "EOF")

	sum := 0.0
	for l, err := range journal.Read(path) {
		require.NoError(t, err)
		require.Equal(t, "info", l.Status)
		require.Equal(t, "service:app", l.Tags)
		sum += l.WireBytes
	}
	require.InDelta(t, wire, sum, 0.005*100)
	require.Eventually(t, func() bool { return s.Stats().OpenStreams == 0 && s.Stats().Batches == 5 }, waitFor, tick)
	stats := s.Stats()
	require.EqualValues(t, 100, stats.Lines)
	require.InDelta(t, wire, float64(stats.DataBytes), 1e-6)
	require.EqualValues(t, 100, stats.Journal.Lines)
	require.Zero(t, stats.StateBytes, "state ends with its stream")
}

// TestEmptySnapshotIsTaken: a stream without state starts with 1, or with an empty 0.
func TestEmptySnapshotIsTaken(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	a, b := connect(t, s), connect(t, s)
	send(t, a, 1, datums(t, rawLog("one")))
	wantAck(t, a, 1)
	send(t, b, 0, nil)
	wantAck(t, b, 0)
	send(t, b, 1, datums(t, rawLog("two")))
	wantAck(t, b, 1)
	require.Equal(t, []string{"one", "two"}, messages(t, path))
}

func TestE12Encodings(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	for i, c := range []rows.Compression{rows.Gzip, rows.Zstd} {
		stream := connect(t, s, "dd-content-encoding", c.Encoding())
		send(t, stream, 1, encode(t, newEncoder(t, c), "hello "+c.Encoding()).Data)
		wantAck(t, stream, 1)
		require.Len(t, messages(t, path), i+1)
	}
	plain := connect(t, s, "dd-content-encoding", "identity")
	send(t, plain, 1, datums(t, rawLog("hello identity")))
	wantAck(t, plain, 1)
	require.Equal(t, []string{"hello gzip", "hello zstd", "hello identity"}, messages(t, path))
	stream := connect(t, s, "dd-content-encoding", "lzma")
	wantEnd(t, stream, codes.Unimplemented, "lzma", "unknown content encoding")
}

func TestS1UndefinedID(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	c := connect(t, s)
	send(t, c, 1, datums(t, rawLog("kept")))
	send(t, c, 2, datums(t, rawLog("not kept"), patternLog(77)))
	wantAck(t, c, 1)
	wantEnd(t, c, codes.InvalidArgument, "batch 2", "77")
	require.Equal(t, []string{"kept"}, messages(t, path), "a batch is all or nothing")
	require.Eventually(t, func() bool { return s.Stats().Rejected["InvalidArgument"] == 1 }, waitFor, tick)
}

func TestS2BatchIDs(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{}, Deps{})
	tests := map[string]struct {
		ids  []uint32
		text string
	}{
		"gap":              {[]uint32{1, 3}, "batch 3: batch 2 was expected"},
		"repeat":           {[]uint32{1, 2, 2}, "batch 2: batch 3 was expected"},
		"back":             {[]uint32{0, 1, 0}, "batch 0: batch 2 was expected"},
		"start at 5":       {[]uint32{5}, "batch 5: a stream starts with batch 0"},
		"gap after 0":      {[]uint32{0, 2}, "batch 2: batch 1 was expected"},
		"snapshot repeats": {[]uint32{0, 0}, "batch 0: batch 1 was expected"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, s)
			for i, id := range test.ids {
				data := datums(t, rawLog("x"))
				if id == 0 {
					data = nil
				}
				send(t, c, id, data)
				if i < len(test.ids)-1 {
					wantAck(t, c, id)
				}
			}
			wantEnd(t, c, codes.InvalidArgument, test.text)
		})
	}
}

func TestSnapshotHoldsNoLogs(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	c := connect(t, s)
	send(t, c, 0, datums(t, define(1, "a"), rawLog("x")))
	wantEnd(t, c, codes.InvalidArgument, "batch 0", "log in a snapshot")
	require.Empty(t, messages(t, path))
}

// TestS3Key: the status comes without a single batch being read, and says what
// to do without telling the key.
func TestS3Key(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{APIKey: "secret-key"}, Deps{})
	for name, headers := range map[string][]string{
		"missing": nil, "wrong": {"dd-api-key", "other"}, "prefix": {"dd-api-key", "secret-ke"}, "empty": {"dd-api-key", ""},
		"twice": {"dd-api-key", "secret-key", "dd-api-key", "other"},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, s, headers...)
			_, err := c.Recv()
			require.Equal(t, codes.Unauthenticated, status.Code(err))
			require.NotContains(t, err.Error(), "secret")
		})
	}
	require.Zero(t, s.Stats().Streams)
	c := connect(t, s, "dd-api-key", "secret-key")
	send(t, c, 1, datums(t, rawLog("in")))
	wantAck(t, c, 1)
	require.Equal(t, []string{"in"}, messages(t, path))
}

func TestS4StateCap(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{MaxStreamState: 1000}, Deps{})
	c := connect(t, s)
	send(t, c, 1, datums(t, define(1, strings.Repeat("a", 800)), rawLog("fits")))
	wantAck(t, c, 1)
	require.Greater(t, s.Stats().StateBytes, int64(800))
	send(t, c, 2, datums(t, define(2, strings.Repeat("b", 800)), rawLog("does not")))
	wantEnd(t, c, codes.ResourceExhausted, "batch 2", "MaxStateBytes", "1000")
	require.Eventually(t, func() bool { return s.Stats().StateBytes == 0 }, waitFor, tick, "freed with the stream")
	require.Equal(t, []string{"fits"}, messages(t, path))
}

func TestS5StreamsAreIsolated(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	a, b, c := connect(t, s), connect(t, s), connect(t, s)
	send(t, a, 0, datums(t, define(1, "of a")))
	wantAck(t, a, 0)
	send(t, b, 0, datums(t, define(1, "of b")))
	wantAck(t, b, 0)
	send(t, a, 1, datums(t, patternLog(1)))
	wantAck(t, a, 1)
	send(t, b, 1, datums(t, patternLog(1)))
	wantAck(t, b, 1)
	send(t, c, 1, datums(t, patternLog(1)))
	wantEnd(t, c, codes.InvalidArgument, "batch 1")
	require.Equal(t, []string{"of a", "of b"}, messages(t, path))
}

// TestS6FailingSink: no acknowledgement, UNAVAILABLE, and nothing after it.
func TestS6FailingSink(t *testing.T) {
	t.Parallel()
	var (
		mu     sync.Mutex
		stored []string
	)
	sink := sinkFunc(func(lines []journal.Line) error {
		mu.Lock()
		defer mu.Unlock()
		for _, l := range lines {
			if string(l.Message) == "poison" {
				return errors.New("disk full")
			}
			stored = append(stored, string(l.Message))
		}
		return nil
	})
	s, _ := serve(t, Config{}, Deps{Sink: sink})
	c := connect(t, s)
	for i, m := range []string{"first", "poison", "third", "fourth"} {
		send(t, c, uint32(i+1), datums(t, rawLog(m)))
	}
	wantAck(t, c, 1)
	wantEnd(t, c, codes.Unavailable, "batch 2 was not stored: disk full")
	require.Eventually(t, func() bool { return s.Stats().OpenStreams == 0 }, waitFor, tick)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{"first"}, stored)
	require.EqualValues(t, 1, s.Stats().Batches)
}

// TestS7StopWithOpenStreams: what was received is stored and acknowledged, the
// streams end with OK, and Stop does not wait for clients.
func TestS7StopWithOpenStreams(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	idle, busy := connect(t, s), connect(t, s)
	send(t, idle, 1, datums(t, rawLog("idle")))
	wantAck(t, idle, 1)
	for id := uint32(1); id <= 50; id++ {
		send(t, busy, id, datums(t, rawLog(fmt.Sprint(id))))
	}
	wantAck(t, busy, 1)
	begin := time.Now()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Less(t, time.Since(begin), 30*time.Second)
	wantEnd(t, idle, codes.Unknown, "EOF")
	acked := 1
	for {
		ack, err := busy.Recv()
		if err != nil {
			require.EqualError(t, err, "EOF")
			break
		}
		acked++
		require.EqualValues(t, acked, ack.GetBatchId())
	}
	require.Len(t, messages(t, path), 1+acked, "journal and acknowledgements agree")
	require.NoError(t, s.Stop(t.Context()))
}

// stuckSink never finishes.
type stuckSink struct{}

func (stuckSink) Stream() SinkStream                               { return stuckSink{} }
func (stuckSink) Sessions() []journal.Mark                         { return nil }
func (stuckSink) Append([]journal.Line, journal.Mark, func(error)) {}

// TestStopEndsWithTheDrainTimeout also where nobody else sets an end: the stream is
// cut, and its batch comes again.
func TestStopEndsWithTheDrainTimeout(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Listen: "127.0.0.1:0", DrainTimeout: 50 * time.Millisecond}, Deps{Sink: stuckSink{}})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	c := connect(t, s)
	send(t, c, 1, datums(t, rawLog("x")))
	require.Eventually(t, func() bool { return s.Stats().DataBytes > 0 }, waitFor, tick)
	require.NoError(t, s.Stop(context.WithoutCancel(t.Context())))
	require.Zero(t, s.Stats().Lines)
}

func TestStopWithAStuckSinkEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Listen: "127.0.0.1:0"}, Deps{Sink: stuckSink{}})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	c := connect(t, s)
	send(t, c, 1, datums(t, rawLog("x")))
	require.Eventually(t, func() bool { return s.Stats().DataBytes > 0 }, waitFor, tick)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	require.NoError(t, s.Stop(ctx))
	require.Less(t, time.Since(begin), 30*time.Second)
}

// blockedSink keeps Append until it is let go, as a journal does whose disk or
// pipe takes nothing.
type blockedSink chan struct{}

func (s blockedSink) Stream() SinkStream     { return s }
func (blockedSink) Sessions() []journal.Mark { return nil }

func (s blockedSink) Append(_ []journal.Line, _ journal.Mark, done func(error)) {
	<-s
	done(nil)
}

func TestStopDoesNotWaitForABlockedDisk(t *testing.T) {
	t.Parallel()
	sink := make(blockedSink)
	s, err := New(Config{Listen: "127.0.0.1:0"}, Deps{Sink: sink})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	c := connect(t, s)
	send(t, c, 1, datums(t, rawLog("x")))
	require.Eventually(t, func() bool { return s.Stats().DataBytes > 0 }, waitFor, tick)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(ctx) }()
	select {
	case err = <-stopped:
	case <-time.After(waitFor):
		close(sink)
		require.Fail(t, "Stop waits for the disk")
	}
	require.ErrorContains(t, err, "does not take what was received")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(sink)
	s.streams.Wait()
	s.serving.Wait()
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	path := filepath.Join(t.TempDir(), "journal")
	s, err := New(Config{Listen: taken.Addr().String(), Journal: path}, Deps{})
	require.NoError(t, err)
	err = s.Start(t.Context())
	require.ErrorIs(t, err, ErrPortTaken)
	require.EqualError(t, err, "intake: listen on "+taken.Addr().String()+": the address is in use: stop the program that listens there, or set intake.listen to another one")
	require.NoFileExists(t, path)
	require.NoError(t, s.Stop(t.Context()))
}

func TestJournalInUse(t *testing.T) {
	t.Parallel()
	_, path := serve(t, Config{}, Deps{})
	s, err := New(Config{Listen: "127.0.0.1:0", Journal: path}, Deps{})
	require.NoError(t, err)
	require.ErrorIs(t, s.Start(t.Context()), journal.ErrInUse)
	require.NoError(t, s.Stop(t.Context()))
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Listen: "nowhere"}, Deps{})
	require.ErrorContains(t, err, `listen address "nowhere"`)

	s, err := New(Config{Listen: "127.0.0.1:0"}, Deps{Sink: stuckSink{}})
	require.NoError(t, err)
	require.Nil(t, s.Addr())
	require.NoError(t, s.Stop(t.Context()), "without Start")
	require.NoError(t, s.Start(t.Context()), "after Stop it does nothing")
	require.Nil(t, s.Addr())

	var log strings.Builder
	s, err = New(Config{Listen: "127.0.0.1:0"}, Deps{Sink: stuckSink{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
	require.Equal(t, 1, strings.Count(log.String(), "intake listens"))
}

func TestManyStreamsAtOnce(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	const streams, batches = 8, 30
	var wg sync.WaitGroup
	for n := range streams {
		c := connect(t, s, "dd-content-encoding", "zstd")
		e := newEncoder(t, rows.Zstd)
		var payloads [][]byte
		for b := range batches {
			payloads = append(payloads, encode(t, e, fmt.Sprintf("stream %d batch %d", n, b)).Data)
		}
		wg.Go(func() {
			for b, data := range payloads {
				if err := c.Send(&statefulpb.StatefulBatch{BatchId: uint32(b + 1), Data: data}); err != nil {
					t.Error(err)
				}
			}
			for b := range payloads {
				if ack, err := c.Recv(); err != nil || int(ack.GetBatchId()) != b+1 {
					t.Error(ack, err)
				}
			}
		})
	}
	wg.Wait()
	next := map[int]int{}
	for _, m := range messages(t, path) {
		var n, b int
		_, err := fmt.Sscanf(m, "stream %d batch %d", &n, &b)
		require.NoError(t, err)
		require.Equal(t, next[n], b)
		next[n]++
	}
	require.Len(t, next, streams)
	require.Less(t, s.Stats().Journal.Commits, uint64(streams*batches), "batches share syncs")
}

// TestStreamsAreBounded: the memory of a stream is bounded, and so is their
// number.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{}, Deps{})
	s.counters.open.Add(DefaultMaxStreams - 1)
	defer s.counters.open.Add(1 - DefaultMaxStreams)
	c := connect(t, s)
	send(t, c, 1, datums(t, rawLog("the last that fits")))
	wantAck(t, c, 1)
	wantEnd(t, connect(t, s), codes.Unavailable, "1024 streams are open")
	require.Equal(t, map[string]uint64{"Unavailable": 1}, s.Stats().Rejected)
}

// TestHugeHeadersAreRefused: they are read before the key is checked.
func TestHugeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{APIKey: "key"}, Deps{})
	conn, err := grpc.NewClient(s.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := statefulpb.NewStatefulLogsServiceClient(conn).LogsStream(metadata.AppendToOutgoingContext(ctx, "filler", strings.Repeat("x", maxHeaderBytes)))
	if err == nil {
		_, err = stream.Recv()
	}
	require.Equal(t, codes.Internal.String(), status.Code(err).String(), "%v", err)
	require.ErrorContains(t, err, "header list size to send violates the maximum size")
	require.Zero(t, s.Stats().Streams)
}

// TestClientThatNeverReads: what it sends is stored up to a bound, others are
// served, and a stop does not wait for it.
func TestClientThatNeverReads(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{}, Deps{})
	deaf := connect(t, s)
	var sent atomic.Int64
	var sending sync.WaitGroup
	sending.Go(func() {
		for id := uint32(1); deaf.Send(&statefulpb.StatefulBatch{BatchId: id}) == nil; id++ {
			sent.Store(int64(id))
		}
	})
	// Acknowledgements fill the window of the client, and then its batches wait.
	last := int64(-1)
	require.Eventually(t, func() bool {
		now := sent.Load()
		same := now == last && now > 0
		last = now
		return same
	}, 30*time.Second, time.Second)
	other := connect(t, s)
	send(t, other, 1, encode(t, newEncoder(t, rows.Identity), "heard").Data)
	wantAck(t, other, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
	sending.Wait()
}
