package stream

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
)

// TestHugeAnnouncementIsNotKept: headers of a receiving side are bounded, and so is
// what is remembered of them.
func TestHugeAnnouncementIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := (&peer{script: func(_ int, s *peerStream) error {
			if err := s.SendHeader(metadata.Pairs(headerProfiles, strings.Repeat("x,", maxHeaderBytes))); err != nil {
				return err
			}
			return s.ackAll()
		}}).listen(t)
		m := &memory{profiles: map[string][]string{}, asked: map[string]time.Time{}}
		w, _ := workWith(t, Config{}, Deps{Dial: p.dial, Codecs: []Codec{flowCodec{}, wordCodec{}}, Store: m})
		put(t, w, 1, "a")
		time.Sleep(10 * time.Second)
		require.False(t, slices.Contains(m.profiles["peer"], "x"))
		require.Contains(t, w.Stats().LastError, "Internal")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, w.Stop(ctx))
	})
}

// TestProxyThatFloods is given up soon, whatever time there is left.
func TestProxyThatFloods(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	sent := make(chan int, 1)
	go func() {
		n := 0
		defer func() { sent <- n }()
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for text := []byte("HTTP/1.1 200 OK\r\nX: "); err == nil && n < 1<<30; text = make([]byte, 4096) {
			for i := range text {
				if text[i] == 0 {
					text[i] = 'x'
				}
			}
			_, err = conn.Write(text)
			n += len(text)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = proxy{address: listener.Addr().String()}.dial(ctx, "intake.test:443")
	require.ErrorContains(t, err, "unexpected EOF")
	require.NoError(t, ctx.Err())
	require.Less(t, <-sent, 1<<26, "what the kernel's buffers take")
	require.NoError(t, listener.Close())
}
