package spool_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/spool"
	"github.com/vigil-agent/vigil/logs/stream"
)

// store is the sender's memory, which outlives its processes.
type store struct {
	mu      sync.Mutex
	session stream.Session
}

func (s *store) Session() stream.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session
}

func (s *store) SaveSession(v stream.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = v
	return nil
}

func (*store) Profiles(string) ([]string, time.Time)          { return nil, time.Time{} }
func (*store) SaveProfiles(string, []string, time.Time) error { return nil }

// life is one run of a sender: the spool is read, sent and acknowledged until it is
// empty or the run is cut short.
func life(t *testing.T, dir, address string, memory *store, codec stream.Codec, produce func(*spool.Spool), enough func(acked uint64) bool) {
	t.Helper()
	q, err := spool.Open(spool.Config{Dir: dir, MaxBytes: 256 << 10}, spool.Deps{})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var over sync.Once
	done := make(chan struct{})
	w, err := stream.New(stream.Config{
		Endpoints: []stream.Endpoint{{Address: address}}, BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond, AckTimeout: 5 * time.Second,
	}, stream.Deps{
		Store: memory, Codecs: []stream.Codec{codec}, FirstSeq: q.Stats().Acked + 1, Queue: dir, NewSession: q.NeedsNewSession(),
		OnDurable: func(seq uint64, _ []record.Origin) {
			if err := q.Ack(seq); err != nil {
				t.Error(err)
			}
			if enough(seq) {
				over.Do(func() { close(done) })
			}
		},
	})
	require.NoError(t, err)
	require.NoError(t, w.Start(ctx))
	var pump sync.WaitGroup
	pumping, stop := context.WithCancel(ctx)
	pump.Go(func() { produce(q) })
	pump.Go(func() {
		var b spool.Batch
		for q.Next(pumping, &b) == nil {
			if w.AppendSeq(pumping, b.Seq, b.Records) != nil {
				return
			}
		}
	})
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("nothing is acknowledged any more")
	}
	stop()
	cut, now := context.WithCancel(ctx)
	now() // no drain: what is on its way is cut
	_ = w.Stop(cut)
	pump.Wait()
	require.NoError(t, q.Close())
}

// TestExactlyOnceThroughTheSpool: sender and intake end at any moment, again and
// again; in the end the journal holds every line once and in order.
func TestExactlyOnceThroughTheSpool(t *testing.T) {
	for name, codec := range map[string]stream.Codec{"columns": stream.Columns(columns.Options{}), "rows": stream.Rows(rows.Options{})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "journal")
			random := rand.New(rand.NewPCG(5, 6))
			memory := &store{}
			const batches, lines = 400, 20
			made := 0
			produce := func(q *spool.Spool) {
				for made < batches {
					recs := make([]record.Record, lines)
					for i := range recs {
						recs[i] = record.Record{Time: 1, Status: "info", Tags: "service:app", Message: fmt.Appendf(nil, "batch %d line %d took %d ms", made, i, made*i)}
					}
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
					_, err := q.Append(ctx, recs)
					cancel()
					if err != nil {
						return
					}
					made++
				}
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			address := listener.Addr().String()
			require.NoError(t, listener.Close())
			var server *intake.Server
			start := func() {
				// The one before may still be writing, which no Stop can cut short.
				require.Eventually(t, func() bool {
					server, err = intake.New(intake.Config{Listen: address, Journal: path}, intake.Deps{})
					require.NoError(t, err)
					return server.Start(t.Context()) == nil
				}, time.Minute, time.Millisecond)
			}
			start()
			acked := uint64(0)
			for rounds := 0; acked < batches; rounds++ {
				require.Less(t, rounds, 1000)
				limit := acked + 1 + uint64(random.IntN(80))
				life(t, filepath.Join(dir, "spool"), address, memory, codec, produce, func(seq uint64) bool {
					acked = seq
					return seq >= min(limit, batches)
				})
				if random.IntN(2) == 0 {
					cut, now := context.WithCancel(t.Context())
					now()
					_ = server.Stop(cut) // it may not have ended: see start
					start()
				}
			}
			require.NoError(t, server.Stop(t.Context()))
			n := 0
			for l, err := range journal.Read(path) {
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("batch %d line %d took %d ms", n/lines, n%lines, n/lines*(n%lines)), string(l.Message))
				n++
			}
			require.Equal(t, batches*lines, n)
		})
	}
}
