package fakeintake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake starts a receiving side whose journal is a file.
func fake(t *testing.T, o Options) *Intake {
	t.Helper()
	if o.Config.Journal == "" {
		o.Config.Journal = filepath.Join(t.TempDir(), "journal")
	}
	f, err := Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Stop(within(t, time.Minute))) })
	return f
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// stored are the lines of the journal, in order.
func (f *Intake) stored(t *testing.T) string {
	t.Helper()
	var lines []string
	for l, err := range journal.Read(f.options.Config.Journal) {
		require.NoError(t, err)
		lines = append(lines, string(l.Message))
	}
	return strings.Join(lines, " ")
}

// sender is a client that sends one line in each batch.
type sender struct {
	t      *testing.T
	conn   *grpc.ClientConn
	stream up
	enc    *rows.Encoder
	n      int
}

func connect(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func open(t *testing.T, conn *grpc.ClientConn, headers ...string) *sender {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(within(t, time.Minute), append(headers, "dd-content-encoding", "zstd")...)
	stream, err := statefulpb.NewStatefulLogsServiceClient(conn).LogsStream(ctx)
	require.NoError(t, err)
	enc, err := rows.NewEncoder(rows.Options{})
	require.NoError(t, err)
	return &sender{t: t, conn: conn, stream: stream, enc: enc}
}

// send sends one batch for each line. A stream that has ended takes no more.
func (s *sender) send(lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		p, err := s.enc.Encode([]record.Record{{Time: 1, Message: []byte(line)}})
		require.NoError(s.t, err)
		s.n++
		if err := s.stream.Send(&statefulpb.StatefulBatch{BatchId: uint32(s.n), Data: p.Data}); !errors.Is(err, io.EOF) {
			require.NoError(s.t, err)
		}
	}
}

// acks reads n acknowledgements, or fewer and why the stream ended.
func (s *sender) acks(n int) string {
	s.t.Helper()
	var got []string
	for range n {
		ack, err := s.stream.Recv()
		if errors.Is(err, io.EOF) {
			return strings.Join(append(got, "EOF"), " ")
		}
		if err != nil {
			s.t.Logf("the stream ended: %v", err)
			return strings.Join(append(got, status.Code(err).String()), " ")
		}
		text := fmt.Sprint(ack.GetBatchId())
		if ack.GetStatus() != statefulpb.BatchStatus_OK {
			text += ack.GetStatus().String()
		}
		got = append(got, text)
	}
	return strings.Join(got, " ")
}

// rest half-closes and reads to the end.
func (s *sender) rest() string {
	require.NoError(s.t, s.stream.CloseSend())
	return s.acks(1 << 20)
}

func TestWithoutAScriptItIsTheIntake(t *testing.T) {
	t.Parallel()
	f := fake(t, Options{Config: intake.Config{APIKey: "secret"}})
	conn := connect(t, f.Addr())
	session := strings.Repeat("0a", 16)
	s := open(t, conn, "dd-api-key", "secret", "vigil-session", session, "vigil-epoch", "1", "vigil-first-seq", "1")
	header, err := s.stream.Header()
	require.NoError(t, err)
	require.Contains(t, header.Get("vigil-profiles")[0], "rows")
	s.send("a", "b", "c")
	require.Equal(t, "1 2 3 EOF", s.rest())
	require.Equal(t, "a b c", f.stored(t))
	require.Equal(t, "Unauthenticated", open(t, conn, "dd-api-key", "wrong").acks(1))
	require.Len(t, f.Streams(), 2)
	require.Equal(t, []string{session}, f.Streams()[0].Get("vigil-session"))
	require.Empty(t, f.Played())
	require.EqualValues(t, 3, f.Server().Stats().Lines)
	require.NoError(t, f.Stop(t.Context()), "may be called many times")
}

// Every action at every moment it is for: what the sender sees, and what is
// durable then.
func TestActions(t *testing.T) {
	t.Parallel()
	unavailable := Fail(codes.Unavailable, "not now")
	for name, c := range map[string]struct {
		at     Moment
		do     Action
		acks   string // of batches 1 to 3
		stored string
	}{
		"fail at open":      {Open(), unavailable, "Unavailable", ""},
		"fail at batch":     {Batch(2), Fail(codes.InvalidArgument, "poison"), "1 InvalidArgument", "a"},
		"fail at ack":       {Ack(2), unavailable, "1 Unavailable", "a b"},
		"end at open":       {Open(), End(), "EOF", ""},
		"end at batch":      {Batch(2), End(), "1 EOF", "a"},
		"end at ack":        {Ack(2), End(), "1 EOF", "a b"},
		"kill at open":      {Open(), Kill(), "Unavailable", ""},
		"kill at batch":     {Batch(2), Kill(), "1 Unavailable", "a"},
		"kill at ack":       {Ack(2), Kill(), "1 Unavailable", "a b"},
		"delay at open":     {Open(), Delay(50 * time.Millisecond), "1 2 3 EOF", "a b c"},
		"delay at batch":    {Batch(2), Delay(50 * time.Millisecond), "1 2 3 EOF", "a b c"},
		"delay at ack":      {Ack(2), Delay(50 * time.Millisecond), "1 2 3 EOF", "a b c"},
		"swallow":           {Ack(2), Swallow(), "1 3 EOF", "a b c"},
		"duplicate":         {Ack(2), Duplicate(2), "1 2 2 2 3 EOF", "a b c"},
		"reorder":           {Ack(2), Reorder(), "1 3 2 EOF", "a b c"},
		"reorder the last":  {Ack(3), Reorder(), "1 2 3 EOF", "a b c"},
		"ack of another id": {Ack(2), AckAs(17), "1 17 3 EOF", "a b c"},
		"unknown status":    {Ack(2), AckUnknown(), "1 2UNKNOWN 3 EOF", "a b c"},
		"inject at ack":     {Ack(2), Inject(0, 3), "1 0 0 0 2 3 EOF", "a b c"},
		"inject at batch":   {Batch(2), Inject(9, 1), "1 9 2 3 EOF", "a b c"},
		"never":             {Batch(4), Kill(), "1 2 3 EOF", "a b c"},
		"goaway":            {Batch(2), GoAway(MaxAge, time.Minute), "1 2 3 EOF", "a b c"},
		"goaway, no grace":  {Batch(2), GoAway(TooManyPings, 0), "1 Unavailable", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := Step{At: c.at, Do: c.do}
			f := fake(t, Options{Script: []Step{step}})
			s := open(t, connect(t, f.Addr()))
			// One after the other, so that what is durable is known.
			got := ""
			for i, line := range []string{"a", "b", "c"} {
				s.send(line)
				if i == 0 && c.at.kind != atOpen {
					got = s.acks(1) + " "
				}
				if i == 1 && !strings.Contains(c.acks, "3") {
					break // the third may overtake what happens to the second
				}
			}
			if strings.Contains(c.acks, "EOF") && c.do.text != "end" {
				got += s.rest()
			} else {
				got += s.acks(9)
			}
			require.Equal(t, c.acks, got)
			if name == "goaway, no grace" {
				return // whether the batch arrives before the end is a race
			}
			require.Equal(t, c.stored, f.stored(t))
			if name == "never" {
				require.Equal(t, []string{"batch 4: kill"}, f.Left())
				return
			}
			require.Equal(t, []string{"stream 1, " + c.at.String() + ": " + c.do.text}, f.Played())
			require.Empty(t, f.Left())
		})
	}
}

func TestDelayDelays(t *testing.T) {
	t.Parallel()
	f := fake(t, Options{Script: []Step{{At: Ack(1), Do: Delay(200 * time.Millisecond)}}})
	s := open(t, connect(t, f.Addr()))
	begin := time.Now()
	s.send("a")
	require.Equal(t, "1", s.acks(1))
	require.GreaterOrEqual(t, time.Since(begin), 200*time.Millisecond)
}

func TestHangEndsWithTheSender(t *testing.T) {
	t.Parallel()
	f := fake(t, Options{Script: []Step{{At: Open(), Do: Hang()}}})
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := statefulpb.NewStatefulLogsServiceClient(connect(t, f.Addr())).LogsStream(ctx)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(f.Played()) == 1 }, time.Minute, time.Millisecond)
	cancel()
	_, err = stream.Recv()
	require.Equal(t, codes.Canceled, status.Code(err))
}

func TestDetailsOfAStatus(t *testing.T) {
	t.Parallel()
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)}
	f := fake(t, Options{Script: []Step{{At: Batch(1), Do: Fail(codes.ResourceExhausted, "busy", retry)}}})
	s := open(t, connect(t, f.Addr()))
	s.send("a")
	_, err := s.stream.Recv()
	require.EqualError(t, err, "rpc error: code = ResourceExhausted desc = busy")
	got, ok := status.Convert(err).Details()[0].(*errdetails.RetryInfo)
	require.True(t, ok)
	require.Equal(t, 3*time.Second, got.GetRetryDelay().AsDuration())
}

func TestStepsOfAStream(t *testing.T) {
	t.Parallel()
	f := fake(t, Options{Script: []Step{
		{At: Ack(1), Stream: 2, Do: Duplicate(1)},
		{At: AnyAck(), Times: 2, Do: Inject(0, 1)},
		{At: AnyBatch(), Stream: 3, Times: Always, Do: Inject(7, 1)},
		{At: Open(), Stream: 9, Do: Kill()},
	}})
	conn := connect(t, f.Addr())
	for _, want := range []string{"0 1 0 2 EOF", "1 1 2 EOF"} {
		s := open(t, conn)
		s.send("a", "b")
		require.Equal(t, want, s.rest())
	}
	s := open(t, conn)
	s.send("a")
	require.Equal(t, "7 1", s.acks(2))
	s.send("b")
	require.Equal(t, "7 2 EOF", s.rest())
	require.Equal(t, []string{
		"stream 1, ack 1: inject 1 times ack 0", "stream 1, ack 2: inject 1 times ack 0",
		"stream 2, ack 1: duplicate 1 times",
		"stream 3, batch 1: inject 1 times ack 7", "stream 3, batch 2: inject 1 times ack 7",
	}, f.Played())
	require.Equal(t, []string{"open: kill"}, f.Left())
}

// The batch that holds a record is refused whatever its id is.
func TestPoison(t *testing.T) {
	t.Parallel()
	poison := func(r record.Record) bool { return string(r.Message) == "poison" }
	f := fake(t, Options{Script: []Step{{At: BatchWith(poison), Times: Always, Do: Fail(codes.InvalidArgument, "poison")}}})
	conn := connect(t, f.Addr())
	for range 2 {
		s := open(t, conn)
		s.send("fine")
		require.Equal(t, "1", s.acks(1))
		s.send("poison")
		require.Equal(t, "InvalidArgument", s.acks(1))
	}
	s := open(t, conn)
	s.send("poison")
	require.Equal(t, "InvalidArgument", s.acks(1))
	require.Equal(t, "fine fine", f.stored(t))
	s = open(t, conn)
	require.NoError(t, s.stream.Send(&statefulpb.StatefulBatch{BatchId: 1, Data: []byte("nonsense")}))
	require.Equal(t, "InvalidArgument", s.acks(1), "refused by the intake, not by the script")
	require.Len(t, f.Played(), 3)
}

func TestReaderOfColumns(t *testing.T) {
	t.Parallel()
	enc, err := columns.NewEncoder(columns.Options{})
	require.NoError(t, err)
	r := newReader(metadata.Pairs("vigil-profile", "columns"))
	for i, line := range []string{"a 1", "a 2"} {
		data, _, err := enc.Encode(nil, []record.Record{{Time: 5, Message: []byte(line)}})
		require.NoError(t, err)
		require.Equal(t, []record.Record{{Time: 5, Message: []byte(line)}}, r.read(&statefulpb.StatefulBatch{BatchId: uint32(i + 1), Data: data}))
	}
	require.Empty(t, r.read(&statefulpb.StatefulBatch{BatchId: 3, Data: []byte{0xff}}))
	require.True(t, newReader(metadata.Pairs("dd-content-encoding", "br")).broken)
}

func TestGoAwayMovesNewStreamsElsewhere(t *testing.T) {
	t.Parallel()
	f := fake(t, Options{Script: []Step{{At: Batch(1), Stream: 1, Do: GoAway(MaxAge, time.Minute)}}})
	conn := connect(t, f.Addr())
	old := open(t, conn)
	old.send("a")
	require.Equal(t, "1", old.acks(1))
	require.Equal(t, 1, f.Network().Connections())
	require.Eventually(t, func() bool {
		s := open(t, conn)
		require.Equal(t, "EOF", s.rest())
		return f.Network().Connections() == 2
	}, time.Minute, 10*time.Millisecond, "a new stream takes a new connection")
	old.send("b")
	require.Equal(t, "2 EOF", old.rest(), "the old stream goes on")
}

func TestRestart(t *testing.T) {
	t.Parallel()
	f := fake(t, Options{})
	conn := connect(t, f.Addr())
	s := open(t, conn)
	s.send("a")
	require.Equal(t, "1", s.acks(1))
	require.NoError(t, f.Restart(within(t, time.Minute)))
	require.Equal(t, "EOF", s.acks(1))
	require.Eventually(t, func() bool {
		s = open(t, conn)
		s.send("b")
		return s.acks(1) == "1"
	}, time.Minute, 10*time.Millisecond)
	require.Equal(t, "a b", f.stored(t))
}

// An intake of another process is reached over TCP; it has options of its own.
func TestUpstream(t *testing.T) {
	t.Parallel()
	real := fake(t, Options{})
	f := fake(t, Options{Upstream: real.Addr(), Script: []Step{{At: Ack(1), Do: Duplicate(1)}}, Server: []grpc.ServerOption{
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: time.Second, MaxConnectionAgeGrace: 50 * time.Millisecond}),
		grpc.MaxRecvMsgSize(1000),
	}})
	require.Nil(t, f.Server())
	require.EqualError(t, f.Restart(t.Context()), "restart: the intake runs elsewhere")
	s := open(t, connect(t, f.Addr()))
	s.send("a")
	require.Equal(t, "1 1 Unavailable", s.acks(3), "the connection is too old")
	require.Equal(t, "a", real.stored(t))
	s = open(t, connect(t, f.Addr()))
	require.NoError(t, s.stream.Send(&statefulpb.StatefulBatch{BatchId: 1, Data: make([]byte, 1001)}))
	require.Equal(t, "ResourceExhausted", s.acks(1))
}

func TestActionsOnTheSurroundings(t *testing.T) {
	t.Parallel()
	called := make(chan struct{})
	f := fake(t, Options{Script: []Step{
		{At: Batch(1), Do: Call("tell", func() { close(called) })},
		{At: Ack(1), Do: Net(Conditions{Refuse: true}, 0)},
		{At: Ack(1), Do: Kill()},
	}})
	s := open(t, connect(t, f.Addr()))
	s.send("a")
	<-called
	require.Equal(t, "Unavailable", s.acks(1))
	require.Equal(t, []string{"stream 1, batch 1: tell", "stream 1, ack 1: net refuse", "stream 1, ack 1: kill"}, f.Played())
	_, err := net.Dial("tcp", f.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, f.Network().Set(Conditions{}))
	s = open(t, connect(t, f.Addr()))
	s.send("b")
	require.Equal(t, "1", s.acks(1))
}

func TestMistakesInAScript(t *testing.T) {
	t.Parallel()
	for want, step := range map[string]Step{
		"no moment: use Open, Batch or Ack":                                                 {Do: Kill()},
		"any batch: no action: use Fail, Kill, Delay …":                                     {At: AnyBatch()},
		"open: swallow is about an acknowledgement: use Ack or AnyAck":                      {At: Open(), Do: Swallow()},
		"any ack: Stream is 0 and Times is -2: use Always or a number that is not negative": {At: AnyAck(), Do: Kill(), Times: -2},
	} {
		_, err := Start(Options{Script: []Step{{At: Open(), Do: Kill()}, step}})
		require.EqualError(t, err, "step 2 of the script: "+want)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Start(Options{Config: intake.Config{Journal: filepath.Join(file, "journal")}})
	require.ErrorContains(t, err, "not a directory")
}
