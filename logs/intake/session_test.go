package intake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/record"
)

const sessionID = "000102030405060708090a0b0c0d0e0f"

func claims(epoch, first int) []string {
	return []string{sessionHeader, sessionID, epochHeader, strconv.Itoa(epoch), firstSeqHeader, strconv.Itoa(first)}
}

// number sends the payload of a number as a batch; the same number always holds the
// same line.
func number(t *testing.T, c client, id uint32, n int) {
	t.Helper()
	send(t, c, id, datums(t, rawLog(fmt.Sprint("payload ", n))))
}

// numbers are the lines of a journal that holds the payloads from 1 to n.
func numbers(n int) (out []string) {
	for i := 1; i <= n; i++ {
		out = append(out, fmt.Sprint("payload ", i))
	}
	return out
}

// TestReplayIsStoredOnce: the connection ends after batches were stored and before
// the client knew; it sends them again on the next stream, also after a restart.
func TestReplayIsStoredOnce(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	a := connect(t, s, claims(1, 1)...)
	for n := 1; n <= 3; n++ {
		number(t, a, uint32(n), n)
		wantAck(t, a, uint32(n))
	}
	b := connect(t, s, claims(2, 2)...)
	send(t, b, 0, nil)
	wantAck(t, b, 0)
	for id := uint32(1); id <= 3; id++ {
		number(t, b, id, int(id)+1)
		wantAck(t, b, id)
	}
	require.Equal(t, numbers(4), messages(t, path))
	stats := s.Stats()
	require.EqualValues(t, 2, stats.Repeated)
	require.EqualValues(t, 4, stats.Lines)
	require.EqualValues(t, 1, stats.Fenced)
	require.Equal(t, 1, stats.Sessions)
	require.NoError(t, s.Stop(t.Context()))

	s, err := New(Config{Listen: "127.0.0.1:0", Journal: path}, Deps{})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	wantEndOf(t, s, claims(2, 5), codes.Aborted, "epoch 2, but 2 was seen")
	c := connect(t, s, claims(3, 3)...)
	for id := uint32(1); id <= 3; id++ {
		number(t, c, id, int(id)+2)
		wantAck(t, c, id)
	}
	require.Equal(t, numbers(5), messages(t, path))
}

// wantEndOf checks how a stream ends whose first batch is sent.
func wantEndOf(t *testing.T, s *Server, headers []string, code codes.Code, texts ...string) {
	t.Helper()
	c := connect(t, s, headers...)
	number(t, c, 1, 1)
	wantEnd(t, c, code, texts...)
}

// TestRepeatedBatchesTeach: what is left out of the journal is still read for its
// state.
func TestRepeatedBatchesTeach(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	first := datums(t, define(1, "from a define"), patternLog(1))
	a := connect(t, s, claims(1, 1)...)
	send(t, a, 1, first)
	wantAck(t, a, 1)
	b := connect(t, s, claims(2, 1)...)
	send(t, b, 1, first)
	send(t, b, 2, datums(t, patternLog(1)))
	wantAck(t, b, 1)
	wantAck(t, b, 2)
	require.Equal(t, []string{"from a define", "from a define"}, messages(t, path))
}

// TestEmptyBatchesHaveNumbers: a batch without lines counts, also across a restart.
func TestEmptyBatchesHaveNumbers(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	a := connect(t, s, claims(1, 1)...)
	send(t, a, 1, nil)
	wantAck(t, a, 1)
	require.NoError(t, s.Stop(t.Context()))
	j, err := journal.Open(path, journal.Options{}, s.log)
	require.NoError(t, err)
	require.Equal(t, []journal.Mark{{Session: sessionID, Epoch: 1, Seq: 1}}, j.Sessions())
	require.NoError(t, j.Close())
}

func TestGapsAreRefused(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	wantEndOf(t, s, claims(1, 2), codes.Aborted, "batch 1 has number 2, but 1 is the next one")
	require.Eventually(t, func() bool { return s.Stats().Sessions == 0 }, waitFor, tick, "nothing of it was kept")
	a := connect(t, s, claims(2, 57)...)
	number(t, a, 1, 57)
	wantAck(t, a, 1)
	wantEndOf(t, s, claims(3, 59), codes.Aborted, "batch 1 has number 59, but 58 is the next one")
	b := connect(t, s, claims(4, 58)...)
	number(t, b, 1, 58)
	wantAck(t, b, 1)
	require.Equal(t, []string{"payload 57", "payload 58"}, messages(t, path))
}

// TestFencing: the first batch of a higher epoch ends the older stream, whatever the
// batch is, and not before; a lower epoch has no chance.
func TestFencing(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	a := connect(t, s, claims(1, 1)...)
	number(t, a, 1, 1)
	wantAck(t, a, 1)
	b := connect(t, s, claims(2, 2)...)
	_, err := b.Header()
	require.NoError(t, err)
	number(t, a, 2, 2)
	wantAck(t, a, 2)
	send(t, b, 0, nil)
	wantAck(t, b, 0)
	wantEnd(t, a, codes.Aborted, "a newer stream of the session has taken over")
	number(t, b, 1, 2)
	wantAck(t, b, 1)
	wantEndOf(t, s, claims(1, 1), codes.Aborted, "epoch 1, but 2 was seen")
	wantEndOf(t, s, claims(2, 1), codes.Aborted, "epoch 2, but 2 was seen")
	other := append([]string{sessionHeader, strings.Repeat("f", 32)}, claims(1, 1)[2:]...)
	c := connect(t, s, other...)
	number(t, c, 1, 3)
	wantAck(t, c, 1)
	number(t, b, 2, 4)
	wantAck(t, b, 2)
	require.Equal(t, numbers(4), messages(t, path))
}

func TestSessionHeaders(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{}, Deps{})
	good := claims(1, 1)
	with := func(i int, v string) []string {
		out := append([]string(nil), good...)
		out[i] = v
		return out
	}
	for want, headers := range map[string][]string{
		"belong together": good[:4],
		"vigil-session: want 128 bits as lower-case hexadecimal digits": with(1, strings.ToUpper(strings.Repeat("a", 32))),
		"vigil-session: want 128 bits":                                  with(1, "abc"),
		"vigil-epoch: want a decimal number from 1":                     with(3, "0"),
		"vigil-first-seq: want a decimal number from 1":                 with(5, "+1"),
		"vigil-first-seq: want":                                         with(5, "9999999999999999999"),
		"vigil-epoch: given 2 times":                                    append([]string{epochHeader, "2"}, good...),
	} {
		c := connect(t, s, headers...)
		wantEnd(t, c, codes.InvalidArgument, want)
	}
	require.Zero(t, s.Stats().Streams)
}

// gatedSink stores a batch when it is told to.
type gatedSink struct {
	mu     sync.Mutex
	queue  []func(error)
	stored []string
}

func (s *gatedSink) Stream() SinkStream     { return s }
func (*gatedSink) Sessions() []journal.Mark { return nil }

func (s *gatedSink) Append(lines []journal.Line, _ journal.Mark, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := make([]string, len(lines))
	for i := range lines {
		texts[i] = string(lines[i].Message)
	}
	s.queue = append(s.queue, func(err error) {
		if err == nil {
			s.stored = append(s.stored, texts...)
		}
		done(err)
	})
}

// settle ends the oldest batch that waits.
func (s *gatedSink) settle(t *testing.T, err error) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.queue) == 0 {
			return false
		}
		s.queue[0](err)
		s.queue = s.queue[1:]
		return true
	}, waitFor, tick)
}

func (s *gatedSink) waiting(n int) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.queue) == n
	}
}

// TestReplayOfWhatIsOnItsWay: the new stream sends again what the old one sent and
// the disk has not taken yet.
func TestReplayOfWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	sink := &gatedSink{}
	s, _ := serve(t, Config{}, Deps{Sink: sink})
	a := connect(t, s, claims(1, 1)...)
	number(t, a, 1, 1)
	number(t, a, 2, 2)
	require.Eventually(t, sink.waiting(2), waitFor, tick)
	b := connect(t, s, claims(2, 1)...)
	for id := uint32(1); id <= 3; id++ {
		number(t, b, id, int(id))
	}
	require.Eventually(t, sink.waiting(3), waitFor, tick, "only what is new is appended")
	for range 3 {
		sink.settle(t, nil)
	}
	for id := uint32(1); id <= 3; id++ {
		wantAck(t, b, id)
	}
	wantAck(t, a, 1)
	wantAck(t, a, 2)
	wantEnd(t, a, codes.Aborted, errFenced.Error())
	require.Equal(t, numbers(3), sink.stored)
}

// TestFailureOfASession: no number after the one that failed is stored before it
// came again.
func TestFailureOfASession(t *testing.T) {
	t.Parallel()
	sink := &gatedSink{}
	s, _ := serve(t, Config{}, Deps{Sink: sink})
	a := connect(t, s, claims(1, 1)...)
	for n := 1; n <= 3; n++ {
		number(t, a, uint32(n), n)
	}
	require.Eventually(t, sink.waiting(3), waitFor, tick)
	sink.settle(t, nil)
	wantAck(t, a, 1)
	sink.settle(t, errors.New("disk full"))
	wantEnd(t, a, codes.Unavailable, "batch 2 was not stored: disk full")
	wantEndOf(t, s, claims(2, 2), codes.Unavailable, "disk full")
	sink.settle(t, errors.New("one before it failed"))
	c := connect(t, s, claims(3, 2)...)
	number(t, c, 1, 2)
	number(t, c, 2, 3)
	sink.settle(t, nil)
	sink.settle(t, nil)
	wantAck(t, c, 1)
	wantAck(t, c, 2)
	require.Equal(t, numbers(3), sink.stored)
}

// TestABlockedSessionBlocksNoOther: while the disk takes nothing of one session,
// others come and go, and the server tells how it stands.
func TestABlockedSessionBlocksNoOther(t *testing.T) {
	t.Parallel()
	sink := make(blockedSink)
	s, _ := serve(t, Config{}, Deps{Sink: sink})
	a := connect(t, s, claims(1, 1)...)
	number(t, a, 1, 1)
	require.Eventually(t, func() bool { return s.Stats().DataBytes > 0 }, waitFor, tick)
	b := connect(t, s, claims(2, 1)...)
	_, err := b.Header()
	require.NoError(t, err)
	require.NoError(t, b.CloseSend()) // leaves, and waits
	c := connect(t, s)
	send(t, c, 1, nil)
	wantAck(t, c, 1)
	require.NoError(t, c.CloseSend())
	wantEnd(t, c, codes.Unknown, "EOF")
	require.Equal(t, 1, s.Stats().Sessions)
	close(sink)
	wantAck(t, a, 1)
	wantEnd(t, b, codes.Unknown, "EOF")
}

func TestStateOfAllStreamsIsBounded(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{MaxState: 1000}, Deps{})
	for _, want := range []codes.Code{codes.OK, codes.ResourceExhausted} {
		c := connect(t, s)
		send(t, c, 1, datums(t, define(1, strings.Repeat("a", 600)), rawLog("x")))
		if want == codes.OK {
			wantAck(t, c, 1)
			continue
		}
		wantEnd(t, c, want, "batch 1", "all streams", "1000")
	}
}

// sender is the least client that is delivered exactly once: it sends from the
// oldest batch that is not acknowledged.
type sender struct {
	t     *testing.T
	epoch int
	acked int
}

// run sends numbers up to "to" over one stream, until all are acknowledged or the
// stream ends.
func (c *sender) run(address string, to int, cut func(acked int) bool) {
	c.epoch++
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(c.t, err)
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(context.Background(), claims(c.epoch, c.acked+1)...), waitFor)
	defer cancel()
	stream, err := statefulpb.NewStatefulLogsServiceClient(conn).LogsStream(ctx)
	if err != nil {
		return
	}
	first := c.acked + 1
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		for n := first; n <= to; n++ {
			if err := stream.Send(&statefulpb.StatefulBatch{BatchId: uint32(n - first + 1), Data: datums(c.t, rawLog(fmt.Sprint("payload ", n)))}); err != nil {
				return
			}
		}
	})
	for c.acked < to {
		ack, err := stream.Recv()
		if err != nil {
			code := status.Code(err)
			require.Contains(c.t, []codes.Code{codes.Unavailable, codes.Canceled, codes.Aborted}, code, "%v", err)
			require.NotContains(c.t, err.Error(), "is the next one", "there was no gap")
			return
		}
		require.Equal(c.t, c.acked+1, first+int(ack.GetBatchId())-1)
		c.acked++
		if cut(c.acked) {
			return
		}
	}
}

// TestExactlyOnceThroughCuts: streams are cut at random, and the next one does not
// wait for the end of the one before.
func TestExactlyOnceThroughCuts(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	random := rand.New(rand.NewPCG(1, 2))
	c := &sender{t: t}
	const total = 3000
	for c.acked < total {
		left := random.IntN(120)
		c.run(s.Addr().String(), total, func(int) bool { left--; return left < 0 })
	}
	require.Equal(t, numbers(total), messages(t, path))
	require.Positive(t, s.Stats().Repeated)
}

const childEnv = "VIGIL_TEST_INTAKE_JOURNAL"

// child is an intake that serves until it is killed.
func child(path string) {
	s, err := New(Config{Listen: "127.0.0.1:0", Journal: path}, Deps{})
	if err == nil {
		err = s.Start(context.Background())
	}
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent ends
}

// TestExactlyOnceThroughKillNine: the intake is a process that is killed again and
// again; in the end its journal holds every line once and in order.
func TestExactlyOnceThroughKillNine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	c := &sender{t: t}
	const total = 4000
	random := rand.New(rand.NewPCG(3, 4))
	for rounds := 0; c.acked < total; rounds++ {
		require.Less(t, rounds, 1000)
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+path)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		left := 100 + random.IntN(400)
		c.run(lines.Text(), total, func(int) bool {
			if left--; left == 0 {
				_ = cmd.Process.Kill()
			}
			return false
		})
		_ = cmd.Process.Kill()
		require.Error(t, cmd.Wait())
		_ = in.Close()
	}
	j, err := journal.Open(path, journal.Options{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, total, int(j.Sessions()[0].Seq))
	require.NoError(t, j.Close())
	require.Equal(t, numbers(total), messages(t, path))
}

// TestE12Columns: the columns profile is served as announced, and brings its own
// compression.
func TestE12Columns(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	e, err := columns.NewEncoder(columns.Options{})
	require.NoError(t, err)
	c := connect(t, s, append(claims(1, 1), profileHeader, profileColumns)...)
	var want []string
	for id := uint32(1); id <= 3; id++ {
		var recs []record.Record
		for i := range 50 {
			m := fmt.Sprintf("batch %d line %d took %d ms \xff\x00\r", id, i, i*7)
			want = append(want, m)
			recs = append(recs, record.Record{Time: int64(i), Status: "info", Tags: "service:app", Message: []byte(m)})
		}
		data, _, err := e.Encode(nil, recs)
		require.NoError(t, err)
		send(t, c, id, data)
		wantAck(t, c, id)
	}
	require.Equal(t, want, messages(t, path))
	for _, test := range []struct {
		headers []string
		code    codes.Code
		text    string
	}{
		{[]string{profileHeader, "pictures"}, codes.Unimplemented, `vigil-profile: "pictures" is not one of columns,rows`},
		{[]string{profileHeader, profileColumns, encodingHeader, "zstd"}, codes.Unimplemented, "use identity"},
	} {
		wantEnd(t, connect(t, s, test.headers...), test.code, test.text)
	}
	bad := connect(t, s, profileHeader, profileColumns)
	send(t, bad, 1, []byte("nonsense"))
	wantEnd(t, bad, codes.InvalidArgument, "batch 1")
	bad = connect(t, s, profileHeader, profileColumns)
	send(t, bad, 0, []byte("nonsense"))
	wantEnd(t, bad, codes.InvalidArgument, "batch 0", "no snapshot")
	small, _ := serve(t, Config{MaxBatchLines: 1}, Deps{})
	bad = connect(t, small, profileHeader, profileColumns)
	two, err := columns.NewEncoder(columns.Options{})
	require.NoError(t, err)
	data, _, err := two.Encode(nil, make([]record.Record, 2))
	require.NoError(t, err)
	send(t, bad, 1, data)
	wantEnd(t, bad, codes.ResourceExhausted, "MaxLines")
}

// TestQ4FailedSnapshot: it is not acknowledged, and its stream ends.
func TestQ4FailedSnapshot(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{}, Deps{})
	for _, data := range [][]byte{[]byte("\xff\xff\xff"), datums(t, define(0, "id 0")), datums(t, rawLog("a log"))} {
		c := connect(t, s)
		send(t, c, 0, data)
		send(t, c, 1, datums(t, rawLog("after it")))
		wantEnd(t, c, codes.InvalidArgument, "batch 0")
	}
	require.Eventually(t, func() bool { return s.Stats().Rejected["InvalidArgument"] == 3 }, waitFor, tick)
	require.Zero(t, s.Stats().Batches)
}

// TestQ5OnlyOK: the intake has one acknowledgement, OK; what is not stored gets none,
// but a status that ends the stream.
func TestQ5OnlyOK(t *testing.T) {
	t.Parallel()
	fail := false
	s, _ := serve(t, Config{}, Deps{Sink: sinkFunc(func([]journal.Line) error {
		if fail {
			return errors.New("no room")
		}
		return nil
	})})
	c := connect(t, s)
	number(t, c, 1, 1)
	ack, err := c.Recv()
	require.NoError(t, err)
	require.Equal(t, statefulpb.BatchStatus_OK, ack.GetStatus())
	fail = true
	number(t, c, 2, 2)
	wantEnd(t, c, codes.Unavailable, "batch 2 was not stored: no room")
}

// TestMessageCap: a message above gRPC's default limit ends its stream.
func TestMessageCap(t *testing.T) {
	t.Parallel()
	s, path := serve(t, Config{}, Deps{})
	c := connect(t, s)
	send(t, c, 1, make([]byte, DefaultMaxMessageSize+1))
	wantEnd(t, c, codes.ResourceExhausted, "larger than max")
	require.Empty(t, messages(t, path))
}

// TestD11Keepalive: a client that pings all the time is told to calm down.
func TestD11Keepalive(t *testing.T) {
	t.Parallel()
	s, _ := serve(t, Config{}, Deps{})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	settings, ping := "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x08\x06\x00\x00\x00\x00\x00pingping"
	_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+settings+strings.Repeat(ping, 10))
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(waitFor)))
	answer, err := io.ReadAll(conn)
	if !errors.Is(err, syscall.ECONNRESET) {
		require.NoError(t, err, "the connection was not closed")
	}
	require.Contains(t, string(answer), "\x00\x00\x00\x0btoo_many_pings")
}
