package stream

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/quarantine"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// TestC10KeyRotated: a new key is in use within a second, and the stream with the
// old one ends in order.
func TestC10KeyRotated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		var key atomic.Value
		key.Store("old")
		w, d := workWith(t, Config{}, Deps{Dial: p.dial, APIKey: func() string { return key.Load().(string) }})
		put(t, w, 1, "a")
		time.Sleep(time.Minute)
		key.Store("new")
		time.Sleep(time.Second)
		synctest.Wait()
		put(t, w, 2, "b")
		flush(t, w)
		require.Len(t, p.heads, 2)
		require.Equal(t, []string{"old"}, p.heads[0].Get("dd-api-key"))
		require.Equal(t, []string{"new"}, p.heads[1].Get("dd-api-key"))
		require.Equal(t, []string{"1 a", "2 b"}, p.received())
		require.Equal(t, []int64{1, 2}, d.all())
		require.Zero(t, w.Stats().StreamErrors)
		key.Store("bad\n")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, p.heads, 2, "a key that cannot be sent changes nothing")
		require.Equal(t, StateActive, w.Stats().State)
	})
}

// TestF14ResumesOnNewKey: suspended with at most one probe per interval, and back
// as soon as the key changes.
func TestF14ResumesOnNewKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		p.script = func(n int, s *peerStream) error {
			p.mu.Lock()
			key := p.heads[n-1].Get("dd-api-key")[0]
			p.mu.Unlock()
			if key != "right" {
				return status.Error(codes.Unauthenticated, "unknown key")
			}
			return s.ackAll()
		}
		var key atomic.Value
		key.Store("wrong")
		w, d := workWith(t, Config{}, Deps{Dial: p.dial, APIKey: func() string { return key.Load().(string) }})
		put(t, w, 1, "a")
		time.Sleep(30 * time.Minute)
		require.True(t, w.Stats().Suspended)
		require.LessOrEqual(t, len(p.heads), 30*5/4+1)
		key.Store("right")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []int64{1}, d.all())
		require.False(t, w.Stats().Suspended)
	})
}

// TestKeyStaysOutOfPlaintext: neither a configured nor a changed key leaves in
// clear.
func TestKeyStaysOutOfPlaintext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		w, _ := workWith(t, Config{Endpoints: []Endpoint{{Address: "far.example:1"}}}, Deps{Dial: p.dial, APIKey: func() string { return "secret" }})
		put(t, w, 1, "a")
		time.Sleep(time.Minute)
		require.Empty(t, p.heads)
		require.Equal(t, "would send the API key unencrypted to far.example:1: use TLS, or a loopback address, or allow it", w.Stats().LastError)
	})
	for address, want := range map[string]bool{
		"localhost:1": true, "127.1.2.3:1": true, "[::1]:1": true, "10.0.0.1:1": false, "localhost.example:1": false, "example": false,
	} {
		require.Equal(t, want, Endpoint{Address: address}.mayCarryKey(), address)
	}
}

// TestF15RefusedByOneOfTwo: the other endpoint goes on.
func TestF15RefusedByOneOfTwo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := (&peer{}).listen(t)
		bad := (&peer{script: func(int, *peerStream) error { return status.Error(codes.PermissionDenied, "no") }}).listen(t)
		w, d := workWith(t, Config{Endpoints: []Endpoint{{Address: "bad"}, {Address: "good"}}}, Deps{Dial: func(ctx context.Context, a string) (net.Conn, error) {
			if a == "bad" {
				return bad.dial(ctx, a)
			}
			return good.dial(ctx, a)
		}})
		begin := time.Now()
		put(t, w, 1, "a")
		flush(t, w)
		require.Zero(t, time.Since(begin))
		require.Equal(t, []int64{1}, d.all())
		require.Equal(t, "good", w.Stats().Endpoint)
		require.EqualValues(t, 1, w.Stats().Failovers)
	})
}

// TestF17BatchAboveTheServersLimit: split on this side, and never a loop.
func TestF17BatchAboveTheServersLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{options: []grpc.ServerOption{grpc.MaxRecvMsgSize(64 << 10)}}).listen(t)
		w, d := work(t, p, Config{MaxInflightBytes: 1 << 30})
		var recs []record.Record
		for i := range 100 {
			recs = append(recs, words(i+1, strings.Repeat(fmt.Sprintf("%02d", i), 4<<10))...)
		}
		require.NoError(t, w.Append(t.Context(), recs))
		flush(t, w)
		require.Len(t, p.received(), 100)
		ends := d.all()
		require.EqualValues(t, 100, ends[len(ends)-1])
		require.Equal(t, Ends{fault.Size: 1}, w.Stats().Ends)
	})
}

// TestPoisonGoesToQuarantine through the whole worker, with the real file.
func TestPoisonGoesToQuarantine(t *testing.T) {
	t.Parallel()
	file := quarantine.NewWriter(filepath.Join(t.TempDir(), "quarantine"), 0)
	p := &peer{}
	p.script = func(_ int, s *peerStream) error {
		for {
			batch, err := s.Recv()
			if err != nil {
				return err
			}
			if strings.Contains(string(batch.GetData()), "poison") {
				return status.Error(codes.InvalidArgument, "cannot read it")
			}
			logs, err := s.state.decode(string(batch.GetData()))
			if err != nil {
				return err
			}
			p.mu.Lock()
			p.logs = append(p.logs, logs...)
			p.mu.Unlock()
			if err := s.ack(batch.GetBatchId()); err != nil {
				return err
			}
		}
	}
	p.listen(t)
	w, d := workWith(t, Config{}, Deps{Dial: p.dial, Quarantine: func(r Rejected) error {
		return file.Put(r.Record, string(r.Reason), r.Err)
	}})
	messages := make([]string, 64)
	for i := range messages {
		messages[i] = fmt.Sprintf("m%d", i)
	}
	messages[17] = "poison"
	require.NoError(t, w.Append(t.Context(), words(1, messages...)))
	put(t, w, 65, "behind")
	flush(t, w)
	require.Len(t, p.received(), 64)
	ends := d.all()
	require.EqualValues(t, 65, ends[len(ends)-1])
	require.Equal(t, Reasons{ReasonPoison: 1}, w.Stats().LinesQuarantined)
	for e, err := range quarantine.Read(file.Path()) {
		require.NoError(t, err)
		require.Equal(t, "poison", string(e.Message))
		require.Contains(t, e.Error, "cannot read it")
	}
}

// TestASlowQuarantineHoldsUpNoAcknowledgement: the loop of the worker goes on while
// the disk takes its time, Stop loses nothing, and a disk that does not return ends
// with Stop's context.
func TestASlowQuarantineHoldsUpNoAcknowledgement(t *testing.T) {
	t.Parallel()
	for name, returns := range map[string]bool{"slow": true, "never": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := (&peer{}).listen(t)
				answer := make(chan struct{})
				p.script = func(_ int, s *peerStream) error {
					<-answer
					return s.ackAll()
				}
				disk, kept := make(chan struct{}), make(chan string, 1)
				w, d := workWith(t, Config{}, Deps{Dial: p.dial, Codecs: []Codec{wordCodec{maxData: 40}}, Quarantine: func(r Rejected) error {
					<-disk
					kept <- string(r.Record.Message[:4])
					return nil
				}})
				put(t, w, 1, "a")
				put(t, w, 2, "huge"+strings.Repeat("x", 64))
				synctest.Wait()
				close(answer)
				synctest.Wait()
				require.Equal(t, []int64{1}, d.all(), "acknowledged while the quarantine is written")
				if returns {
					put(t, w, 3, "b")
					time.AfterFunc(time.Minute, func() { close(disk) })
					require.NoError(t, w.Stop(t.Context()))
					require.Equal(t, []int64{1, 2, 3}, d.all())
					require.Equal(t, "huge", <-kept)
					return
				}
				begin := time.Now()
				var unacked *UnackedError
				require.ErrorAs(t, w.Stop(within(t, time.Second)), &unacked)
				require.Equal(t, 1, unacked.Lines)
				require.Equal(t, time.Second+parkTime, time.Since(begin))
				close(disk)
			})
		})
	}
}

// TestF22DeadAndLiveAddress: the name stands for an address where connecting hangs
// and one that answers.
func TestF22DeadAndLiveAddress(t *testing.T) {
	t.Parallel()
	live, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serveOn(t, &peer{}, live)
	names := manual.NewBuilderWithScheme("dns")
	names.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: fullSocket(t)}, {Addr: live.Addr().String()}}})
	cfg := Config{Endpoints: []Endpoint{{Address: "both.example:1"}}, dialOptions: []grpc.DialOption{grpc.WithResolvers(names)}}
	w, d := workWith(t, cfg, Deps{})
	put(t, w, 1, "a")
	require.NoError(t, w.Flush(within(t, 10*time.Second)))
	require.Equal(t, []int64{1}, d.all())
}

// fullSocket is an address where connecting hangs.
func fullSocket(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 3 {
		c, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err != nil {
			break
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	return address
}

// TestF25ReconnectsAreSpread: a hundred clients of a server that restarts come
// back over the width of the jitter.
func TestF25ReconnectsAreSpread(t *testing.T) {
	t.Parallel()
	var first, last time.Duration
	for i := range 100 {
		c, err := newCore(Config{Endpoints: []Endpoint{{Address: "a"}}}.withDefaults(), []Codec{wordCodec{}}, jitter)
		require.NoError(t, err)
		now := time.Unix(0, 0)
		c.start(now)
		c.opened(now, c.cur.gen, false, nil)
		c.ended(now, c.cur.gen, errCut)
		at := c.deadlines[timerRetry].Sub(now)
		if i == 0 {
			first, last = at, at
		}
		first, last = min(first, at), max(last, at)
	}
	require.GreaterOrEqual(t, last-first, 300*time.Millisecond)
	require.GreaterOrEqual(t, first, 800*time.Millisecond)
}

// TestF28ClockJumps: the times of lines are data, and a clock that jumps back and
// forth neither stops the stream nor ends it for good.
func TestF28ClockJumps(t *testing.T) {
	t.Parallel()
	s := newScript(t, Config{}, wordCodec{})
	s.start()
	s.opened()
	require.Equal(t, "send 1/1 def 1 a; log 86400000 1\n", s.append(words(86400000, "a")...))
	s.now = s.now.Add(-time.Hour)
	require.Empty(t, s.sleep(0))
	require.Equal(t, "send 1/2 log 3 1\n", s.append(words(3, "a")...))
	require.Equal(t, "release 1 [{s 86400000}]\n", s.ack(1))
	require.Equal(t, "release 2 [{s 3}]\n", s.ack(2))
	require.Equal(t, uint64(2), s.core.stats.AckLatency.Count())
	require.Equal(t, "open 2\n", s.sleep(25*time.Hour))
	require.Contains(t, s.nextOpened(), "begin 2 ")
	require.Equal(t, StateActive, s.core.state)
	require.Zero(t, s.core.stats.StreamErrors)
}

// serveOn serves p on a listener, with mutual TLS when secure is given.
func serveOn(t *testing.T, p *peer, l net.Listener, options ...grpc.ServerOption) {
	t.Helper()
	server := grpc.NewServer(options...)
	p.register(server)
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() { server.Stop(); wg.Wait() })
}

// TestProxy: the stream goes through a tunnel, and a refusal says why.
func TestProxy(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &peer{}
	serveOn(t, p, l)
	var asked atomic.Value
	proxyAddress := tunnels(t, func(r *http.Request) (string, bool) {
		asked.Store(r.Host + " " + r.Header.Get("Proxy-Authorization"))
		return l.Addr().String(), r.Header.Get("Proxy-Authorization") != ""
	})
	at := []Endpoint{{Address: "intake.example:443"}}
	w, d := workWith(t, Config{Endpoints: at, Proxy: "http://me:secret@" + proxyAddress}, Deps{})
	put(t, w, 1, "a")
	flush(t, w)
	require.Equal(t, []int64{1}, d.all())
	require.Equal(t, "intake.example:443 Basic bWU6c2VjcmV0", asked.Load())
	w, _ = workWith(t, Config{Endpoints: at, Proxy: "http://" + proxyAddress}, Deps{})
	require.Eventually(t, func() bool { return w.Stats().StreamErrors > 0 }, time.Minute, time.Millisecond)
	require.Contains(t, w.Stats().LastError, "refuses a tunnel to intake.example:443: 407 Proxy Authentication Required")
}

// tunnels is an HTTP proxy that knows only CONNECT.
func tunnels(t *testing.T, where func(*http.Request) (string, bool)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	serve := func(down net.Conn) {
		defer context.AfterFunc(ctx, func() { _ = down.Close() })()
		defer func() { _ = down.Close() }()
		r, err := http.ReadRequest(bufio.NewReader(down))
		if err != nil {
			return
		}
		to, ok := where(r)
		if !ok {
			_, _ = fmt.Fprint(down, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
			return
		}
		up, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { _ = up.Close() })()
		_, _ = fmt.Fprint(down, "HTTP/1.1 200 OK\r\n\r\n")
		wg.Go(func() { _, _ = bufio.NewReader(up).WriteTo(down); _ = down.Close() })
		_, _ = bufio.NewReader(down).WriteTo(up)
		_ = up.Close()
	}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); cancel(); wg.Wait() })
	return l.Addr().String()
}

// TestRealColumns: a real intake announces columns and keeps sessions.
func TestRealColumns(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, filepath.Join(t.TempDir(), "journal"))
	proxy := newCutProxy(t, r.addr())
	w, _ := workWith(t, Config{Endpoints: []Endpoint{{Address: proxy.addr()}}, BackoffMin: fast.BackoffMin, BackoffMax: fast.BackoffMax},
		Deps{Codecs: []Codec{Columns(columns.Options{}), Rows(rows.Options{})}})
	all := logLines(0, 6000)
	for i := 0; i < len(all); i += 300 {
		before := w.Stats().StreamErrors
		if i%1500 == 0 {
			proxy.cutAfter(400)
		}
		require.NoError(t, w.Append(t.Context(), all[i:i+300]))
		if i%1500 == 0 {
			require.Eventually(t, func() bool { return w.Stats().StreamErrors > before }, time.Minute, time.Millisecond)
		}
	}
	require.NoError(t, w.Stop(within(t, time.Minute)))
	require.Equal(t, texts(all), r.messages(), "exactly once")
	require.Equal(t, ProfileColumns, w.Stats().Profile)
}

func TestHeadersOfTheProtocolWin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{}).listen(t)
		w, _ := work(t, p, Config{Headers: map[string]string{"x-team": "core", "vigil-epoch": "9", "dd-api-key": "theirs"}})
		put(t, w, 1, "a")
		flush(t, w)
		require.Equal(t, []string{"core"}, p.heads[0].Get("x-team"))
		require.Equal(t, []string{"1"}, p.heads[0].Get("vigil-epoch"))
		require.Equal(t, []string{"1"}, p.heads[0].Get("vigil-first-seq"))
		require.Len(t, p.heads[0].Get("vigil-session")[0], 32)
		require.Empty(t, p.heads[0].Get("dd-api-key"))
	})
}
