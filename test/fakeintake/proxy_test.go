package fakeintake

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pair is a proxy with a sender and the target's side of its connection.
type pair struct {
	proxy          *Proxy
	listener       net.Listener
	sender, target net.Conn
}

func newPair(t *testing.T) *pair {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p, err := NewProxy(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		_ = listener.Close()
	})
	x := &pair{proxy: p, listener: listener}
	x.connect(t)
	return x
}

func (x *pair) connect(t *testing.T) {
	t.Helper()
	var err error
	x.sender, err = net.Dial("tcp", x.proxy.Addr())
	require.NoError(t, err)
	x.target, err = x.listener.Accept()
	require.NoError(t, err)
	sender, target := x.sender, x.target
	t.Cleanup(func() {
		_ = sender.Close()
		_ = target.Close()
	})
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

func wantRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	got := make([]byte, len(want))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// wantNothing checks that nothing comes for a while; too short a while hides a
// defect, but never invents one.
func wantNothing(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	n, err := c.Read(make([]byte, 1))
	require.Zero(t, n)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestProxyPassesBothWaysAndEnds(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	big := strings.Repeat("0123456789", 100_000)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.WriteString(x.sender, big) })
	wantRead(t, x.target, big)
	wg.Wait()
	write(t, x.target, "answer")
	wantRead(t, x.sender, "answer")
	require.EqualValues(t, len(big), x.proxy.Bytes(Up))
	require.EqualValues(t, 6, x.proxy.Bytes(Down))
	require.Equal(t, 1, x.proxy.Connections())
	// An end in one direction is one in this direction alone.
	require.NoError(t, x.sender.(*net.TCPConn).CloseWrite())
	_, err := x.target.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	write(t, x.target, "late")
	require.NoError(t, x.target.Close())
	got, err := io.ReadAll(x.sender)
	require.NoError(t, err)
	require.Equal(t, "late", string(got))
}

func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	require.NoError(t, x.proxy.Set(Conditions{Refuse: true}))
	require.NoError(t, x.proxy.Set(Conditions{Refuse: true}))
	_, err := net.Dial("tcp", x.proxy.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	other, err := net.Listen("tcp", x.proxy.Addr())
	require.NoError(t, err, "who asks for this very port may have it")
	require.NoError(t, other.Close())
	write(t, x.sender, "open ones stay")
	wantRead(t, x.target, "open ones stay")
	require.NoError(t, x.proxy.Set(Conditions{}))
	x.connect(t)
}

func TestProxyIsABlackHole(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	require.NoError(t, x.proxy.Set(Conditions{BlackHole: true}))
	write(t, x.sender, "up")
	write(t, x.target, "down")
	wantNothing(t, x.target)
	wantNothing(t, x.sender)
	require.NoError(t, x.target.Close())
	wantNothing(t, x.sender) // nobody is told
	x.connect(t)             // new ones are accepted, and are no better
	write(t, x.sender, "up")
	wantNothing(t, x.target)
	require.NoError(t, x.proxy.Set(Conditions{}))
	wantRead(t, x.target, "up")
}

func TestProxyIsGoodAgain(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	require.NoError(t, x.proxy.SetFor(Conditions{BlackHole: true}, 100*time.Millisecond))
	write(t, x.sender, "up")
	wantNothing(t, x.target)
	wantRead(t, x.target, "up")
	require.NoError(t, x.proxy.SetFor(Conditions{Latency: time.Second}, time.Hour)) // and Close does not wait for it
}

func TestProxyHoldsAnswers(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	require.NoError(t, x.proxy.Set(Conditions{HoldAnswers: true}))
	write(t, x.sender, "up")
	wantRead(t, x.target, "up")
	write(t, x.target, "down")
	wantNothing(t, x.sender)
	require.NoError(t, x.proxy.Set(Conditions{}))
	wantRead(t, x.sender, "down")
}

func TestProxyIsSlow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		conditions Conditions
		least      time.Duration
	}{
		{Conditions{Latency: 200 * time.Millisecond}, 200 * time.Millisecond},
		// The first 4 kB pass at once.
		{Conditions{Up: 100_000}, 195 * time.Millisecond},
	} {
		x := newPair(t)
		require.NoError(t, x.proxy.Set(c.conditions))
		text := strings.Repeat("x", 24_000)
		begin := time.Now()
		write(t, x.sender, text)
		wantRead(t, x.target, text)
		require.GreaterOrEqual(t, time.Since(begin), c.least, "%s", c.conditions)
	}
	// Latency delays, and does not bound what is on its way.
	x := newPair(t)
	require.NoError(t, x.proxy.Set(Conditions{Latency: time.Hour, Down: 1}))
	write(t, x.sender, "late")
	wantNothing(t, x.target)
	x.proxy.Close()
	x.proxy.Close()
	require.EqualError(t, x.proxy.Set(Conditions{}), "the proxy is closed")
	require.ErrorIs(t, newLink(x.proxy, x.sender, x.target).goAway(MaxAge, 0), errClosed)
	require.ErrorIs(t, (*link)(nil).goAway(MaxAge, 0), net.ErrClosed)
	require.ErrorIs(t, x.proxy.SetFor(Conditions{}, time.Second), errClosed)
}

func wantReset(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err := io.Copy(io.Discard, c)
	require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), "%v", err)
}

func TestProxyCuts(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	write(t, x.sender, "both sides are there")
	wantRead(t, x.target, "both sides are there")
	x.proxy.Cut()
	wantReset(t, x.sender)
	wantReset(t, x.target)
	for _, n := range []int64{0, 1, 5000} {
		x.connect(t)
		x.proxy.CutAfter(Up, n)
		write(t, x.sender, strings.Repeat("x", 20_000))
		wantReset(t, x.sender)
		_, _ = io.Copy(io.Discard, x.target)
	}
	require.EqualValues(t, 5001, x.proxy.Bytes(Up)-20)
	x.connect(t)
	x.proxy.CutAfter(Down, 3)
	write(t, x.target, "four")
	wantReset(t, x.target)
	require.EqualValues(t, 3, x.proxy.Bytes(Down))
	x.connect(t)
	write(t, x.sender, "only once")
	wantRead(t, x.target, "only once")
}

// A reset of one side reaches the other.
func TestProxyPassesResetsOn(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	write(t, x.sender, "both sides are there")
	wantRead(t, x.target, "both sides are there")
	require.NoError(t, x.target.(*net.TCPConn).SetLinger(0))
	require.NoError(t, x.target.Close())
	wantReset(t, x.sender)
}

func TestProxyGoesElsewhere(t *testing.T) {
	t.Parallel()
	x, other := newPair(t), newPair(t)
	x.proxy.Retarget(other.listener.Addr().String())
	sender, err := net.Dial("tcp", x.proxy.Addr())
	require.NoError(t, err)
	defer func() { _ = sender.Close() }()
	target, err := other.listener.Accept()
	require.NoError(t, err)
	defer func() { _ = target.Close() }()
	write(t, sender, "moved")
	wantRead(t, target, "moved")
	require.NoError(t, other.listener.Close())
	gone, err := net.Dial("tcp", x.proxy.Addr())
	require.NoError(t, err)
	defer func() { _ = gone.Close() }()
	_, err = io.ReadAll(gone)
	require.NoError(t, err, "closed, because the target is gone")
}

// frame is an HTTP/2 frame with a payload.
func frameOf(kind, flags byte, payload string) string {
	return string([]byte{0, 0, byte(len(payload)), kind, flags, 0, 0, 0, 1}) + payload
}

// GOAWAY comes at the first border of frames after it was asked for, wherever in
// the bytes that was.
func TestGoAwayKeepsFramesWhole(t *testing.T) {
	t.Parallel()
	parts := []string{
		frameOf(4, 0, ""), frameOf(frameHeaders, 0, "abc"), frameOf(frameContinuation, 0, ""),
		frameOf(frameContinuation, flagEndHeaders, "de"), frameOf(0, 0, "payload"), frameOf(6, 1, "12345678"),
	}
	text := strings.Join(parts, "")
	goaway := string(TooManyPings.frame())
	require.Equal(t, "\x00\x00\x16\x07\x00\x00\x00\x00\x00\x7f\xff\xff\xff\x00\x00\x00\x0btoo_many_pings", goaway)
	borders := []int{0, len(parts[0]), len(parts[0] + parts[1] + parts[2] + parts[3]), len(text) - len(parts[5]), len(text)}
	for asked := 0; asked <= len(text); asked++ {
		for _, step := range []int{1, 7, 1000} {
			var out bytes.Buffer
			l := &link{conns: [2]net.Conn{Down: recorder{Buffer: &out}}, done: make(chan struct{}), proxy: &Proxy{}}
			feed := func(text string) {
				for len(text) > 0 {
					n := min(step, len(text))
					require.NoError(t, l.write(Down, []byte(text[:n])))
					text = text[n:]
				}
			}
			feed(text[:asked])
			l.writing.Lock()
			l.goaway = TooManyPings.frame()
			require.NoError(t, l.say())
			l.writing.Unlock()
			feed(text[asked:])
			at := 0
			for _, b := range borders {
				if at = b; b >= asked {
					break
				}
			}
			require.Equal(t, text[:at]+goaway+text[at:], out.String(), "asked at %d, steps of %d", asked, step)
		}
	}
}

// recorder is a connection that keeps what is written.
type recorder struct {
	net.Conn
	*bytes.Buffer
}

func (r recorder) Write(b []byte) (int, error) { return r.Buffer.Write(b) }
func (r recorder) Read([]byte) (int, error)    { return 0, io.EOF }

func TestProxyGoAwayOnAll(t *testing.T) {
	t.Parallel()
	x := newPair(t)
	write(t, x.target, frameOf(4, 0, ""))
	wantRead(t, x.sender, frameOf(4, 0, ""))
	require.NoError(t, x.proxy.GoAway(MaxAge, time.Minute))
	wantRead(t, x.sender, string(MaxAge.frame()))
	write(t, x.target, frameOf(0, 0, "more"))
	wantRead(t, x.sender, frameOf(0, 0, "more"))
	require.NoError(t, x.proxy.GoAway(TooManyPings, 0))
	got, err := io.ReadAll(x.sender)
	require.NoError(t, err)
	require.Equal(t, string(TooManyPings.frame()), string(got), "and then the end")
}

func TestConditionsAreTold(t *testing.T) {
	t.Parallel()
	require.Equal(t, "good", Conditions{}.String())
	require.Equal(t, "refuse, black hole, hold answers, latency 1s, up 5 B/s, down 6 B/s",
		Conditions{true, true, true, time.Second, 5, 6}.String())
}
