package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/stream"
)

func numbered(from, to int) string {
	var out strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&out, "request %d took %d ms\n", i, i*7%100)
	}
	return out.String()
}

func withSpool(c *Config) { c.Spool.Enabled, c.Spool.MaxSize = true, 32<<20 }

func TestAutoNegotiatesColumns(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	e, log := shipping(t, b.address, nil)
	appendTo(t, log, numbered(0, 100))
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(soon(t)))
	s := e.Status().Stream
	require.Equal(t, []any{ProfileColumns, "active", uint64(100)}, []any{s.Profile, s.State, s.AckedLines})
	require.Positive(t, s.Codec.Patterns)
	require.Positive(t, s.StateBytes)
	require.NoError(t, e.Stop(soon(t)))
	text, _ := b.received(t)
	require.Equal(t, numbered(0, 100), text)
}

// The spool takes lines while the receiving side is away, which releases their
// offsets and outlives the engine.
func TestSpoolHoldsLinesWhileTheReceivingSideIsAway(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	b.stop(t)
	e, log := shipping(t, b.address, withSpool)
	appendTo(t, log, numbered(0, 50))
	require.NoError(t, e.Start(t.Context()))
	require.Eventually(t, func() bool {
		s := e.Status()
		return len(s.Files) == 1 && s.Files[0].Lag == 0 && s.Spool.Pending.Lines == 50
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, e.Stop(soon(t)), "what stays in the spool is safe")
	require.NoError(t, os.Remove(log))

	require.NoError(t, e.Start(t.Context()))
	b.start(t, "")
	require.NoError(t, e.Flush(soon(t)))
	require.NoError(t, e.Stop(soon(t)))
	text, _ := b.received(t)
	require.Equal(t, numbered(0, 50), text)
}

// Batches that were sent and not seen to be acknowledged go again under the same
// numbers, so that the journal has them once.
func TestSpoolDeliversOnceThroughRestarts(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	e, log := shipping(t, b.address, withSpool)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 10 {
		appendTo(t, log, numbered(100*i, 100*i+100))
		require.NoError(t, e.Start(t.Context()))
		require.Eventually(t, func() bool { return e.Status().Spool.Appended.Lines == 100 }, 20*time.Second, time.Millisecond)
		_ = e.Stop(gone)
	}
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(soon(t)))
	require.NoError(t, e.Stop(soon(t)))
	text, _ := b.received(t)
	require.Equal(t, numbered(0, 1000), text)
}

func TestSecondaryGetsEverythingAndSlowsNothing(t *testing.T) {
	t.Parallel()
	first, second := &backend{}, &backend{}
	first.start(t, "")
	second.start(t, "")
	e, log := shipping(t, first.address, func(c *Config) {
		c.Secondary.Address, c.Secondary.TLS.Insecure = second.address, true
	})
	appendTo(t, log, numbered(0, 10))
	require.NoError(t, e.Start(t.Context()))
	require.Eventually(t, func() bool { return e.Status().Secondary.Stream.AckedLines == 10 }, 20*time.Second, time.Millisecond)
	second.stop(t)
	appendTo(t, log, numbered(10, 20))
	require.NoError(t, e.Flush(soon(t)))
	require.NoError(t, e.Stop(canceledSoon(t, time.Second)))
	text, _ := first.received(t)
	require.Equal(t, numbered(0, 20), text)
	text, _ = second.received(t)
	require.Equal(t, numbered(0, 10), text)
}

func canceledSoon(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestNewKeyInTheFileIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "right")
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("wrong\n"), 0o600))
	e, log := shipping(t, b.address, func(c *Config) { c.APIKeyFile = key })
	appendTo(t, log, "one\n")
	require.NoError(t, e.Start(t.Context()))
	require.Eventually(t, func() bool { return e.Status().Stream.LastErrorClass == "credentials" }, 20*time.Second, time.Millisecond)
	require.Contains(t, e.Status().Stream.Sentence, "the receiving side refuses the API key")
	require.True(t, e.Status().Stream.Suspended)
	for _, bad := range []string{"", "two words", strings.Repeat("x", 5000)} {
		require.NoError(t, os.WriteFile(key, []byte(bad), 0o600))
		_, err := ReadKey(key)
		require.Error(t, err)
	}
	require.NoError(t, os.WriteFile(key, []byte("right"), 0o600))
	require.NoError(t, e.Flush(soon(t)), "long before the minute after which a refused key is tried again")
	require.NoError(t, e.Stop(soon(t)))
}

// receiver takes v2 JSON.
type receiver struct {
	mu       sync.Mutex
	messages []string
	key      string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	decoder, _ := zstd.NewReader(nil)
	defer decoder.Close()
	plain, err2 := decoder.DecodeAll(body, nil)
	var entries []struct{ Message string }
	if err != nil || err2 != nil || json.NewDecoder(bytes.NewReader(plain)).Decode(&entries) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		r.messages = append(r.messages, e.Message+"\n")
	}
	r.key = q.Header.Get("dd-api-key")
	w.WriteHeader(http.StatusAccepted)
}

func TestHTTPProfile(t *testing.T) {
	t.Parallel()
	for name, spool := range map[string]bool{"memory": false, "spool": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{}
			server := httptest.NewServer(r)
			defer server.Close()
			e, log := shipping(t, server.URL, func(c *Config) {
				c.Endpoint = EndpointConfig{Address: server.URL, Profile: ProfileHTTP}
				c.APIKey, c.Spool.Enabled = "secret", spool
			})
			appendTo(t, log, numbered(0, 30))
			require.NoError(t, e.Start(t.Context()))
			require.NoError(t, e.Flush(soon(t)))
			s := e.Status().Stream
			require.Equal(t, []any{ProfileHTTP, uint64(30), uint64(30)}, []any{s.Profile, s.AckedLines, s.HTTP.Lines})
			require.NoError(t, e.Stop(soon(t)))
			require.Equal(t, numbered(0, 30), strings.Join(r.messages, ""))
			require.Equal(t, "secret", r.key)
		})
	}
}

func TestFurtherEndpointTakesOver(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	gone := &backend{}
	gone.start(t, "")
	gone.stop(t)
	e, log := shipping(t, gone.address, func(c *Config) { c.Endpoints = []string{b.address} })
	appendTo(t, log, "one\n")
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(soon(t)))
	s := e.Status().Stream
	require.Equal(t, b.address, s.Endpoint)
	require.Equal(t, uint64(1), s.Failovers)
	require.NoError(t, e.Stop(soon(t)))
}

// The bounds of the parts sum to the limit at most, whatever is switched on.
func TestMemoryIsDivided(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{MinMemoryLimit, DefaultMemoryLimit, 1 << 30} {
		for options := range 8 {
			c := valid()
			c.MemoryLimit, c.Spool.Enabled = limit, options&1 != 0
			if options&2 != 0 {
				c.Secondary.Address = "a:1"
			}
			if options&4 != 0 {
				c.Sources = append(c.Sources, SourceConfig{Type: SourceApp})
			}
			s := c.shares()
			sum := s.reading + s.batches + s.spool + s.outputs + s.inflight + s.codec + s.secondQueue + s.secondInflight + s.secondCodec
			require.LessOrEqual(t, sum, limit)
			require.GreaterOrEqual(t, s.batchBytes(c), 500_000)
			require.Greater(t, s.codec, encoderBytes+2<<20, "room for some state")
			if options&2 != 0 {
				require.Greater(t, s.secondCodec, encoderBytes+2<<20)
			}
		}
	}
}

// With a receiving side that takes nothing, what is read stays within the budget and
// the rest waits in the file.
func TestMemoryStaysWithinItsBudget(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	b.stop(t)
	e, log := shipping(t, b.address, func(c *Config) { c.MemoryLimit = MinMemoryLimit })
	line := strings.Repeat("x", 999) + "\n"
	appendTo(t, log, strings.Repeat(line, 40_000))
	require.NoError(t, e.Start(t.Context()))
	var read int64
	require.Eventually(t, func() bool {
		s := e.Status()
		before := read
		if len(s.Files) == 1 {
			read = s.Files[0].Read
		}
		return read > 5_000_000 && read == before
	}, 20*time.Second, 200*time.Millisecond)
	s := e.Status()
	require.Less(t, read, int64(MinMemoryLimit))
	for _, part := range s.Memory.Parts {
		require.LessOrEqual(t, part.Bytes, part.Limit, part.Name)
		require.NotEmpty(t, part.Full)
	}
	var unacked *stream.UnackedError
	require.ErrorAs(t, e.Stop(canceledSoon(t, time.Second)), &unacked)
}
