package logs

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
)

// heap is what the process really holds.
func heap() int {
	runtime.GC()
	runtime.GC() // what the first one found in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A share is what an encoder really takes at most, whatever it learns: with the
// self-check where there is room for it, and without where there is none.
func TestEncoderStaysWithinItsShare(t *testing.T) {
	for share, check := range map[int]bool{6 << 20: false, 10 << 20: true} {
		o := columnsOptions(share)
		require.Equal(t, check, o.CheckEvery >= 0, "%d MiB", share>>20)
		before := heap()
		e, err := columns.NewEncoder(o)
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(1, 2))
		var out []byte
		var most, state int
		for i := range 24 {
			out, _, err = e.Encode(out[:0], learnable(random, i))
			require.NoError(t, err)
			state = max(state, e.Stats().StateBytes)
			if i%8 == 7 {
				most = max(most, heap()-before-cap(out))
			}
		}
		runtime.KeepAlive(e)
		t.Logf("share %.1f MiB: %.1f used with %.1f of state", mib(share), mib(most), mib(state))
		require.LessOrEqual(t, most, share)
		require.Greater(t, state, leastState/2, "it has learnt something")
	}
}

// The way from the files to the stream holds no more than its shares, however large
// batches are.
func TestWayToTheStreamStaysWithinItsShares(t *testing.T) {
	cfg := valid()
	cfg.RunPath, cfg.MemoryLimit, cfg.Spool.Enabled, cfg.Spool.Fsync = t.TempDir(), MinMemoryLimit, true, FsyncOff
	cfg.Sources[0] = SourceConfig{Type: SourceFile, Path: t.TempDir() + "/app.log", StartAt: StartAtBeginning}
	cfg.Batch.MaxWait = 100 * time.Millisecond
	const lines = 4_000
	require.NoError(t, os.WriteFile(cfg.Sources[0].Path, bytes.Repeat(append(bytes.Repeat([]byte("word "), 1000), '\n'), lines), 0o600))
	e, err := New(cfg, Deps{})
	require.NoError(t, err)
	slow := slowShipper{shipped: make(chan int, lines)}
	e.newShipper = func(_ stream.Config, deps stream.Deps) (shipper, error) {
		slow.nullShipper = nullShipper{deps.OnDurable}
		return slow, nil
	}
	before := heap()
	require.NoError(t, e.Start(t.Context()))
	most, batches := 0, 0
	for shipped := 0; shipped < lines; batches++ {
		shipped += <-slow.shipped
		most = max(most, heap()-before)
	}
	require.Greater(t, batches, 5)
	s := cfg.shares()
	const rest = 1 << 20 // of the engine itself
	t.Logf("%.1f MiB used, shares of %.1f for reading, %.1f for batches, %.1f for the spool", mib(most), mib(s.reading), mib(s.batches), mib(s.spool))
	require.LessOrEqual(t, most, s.reading+s.batches+s.spool+rest)
	require.NoError(t, e.Stop(soon(t)))
}

// slowShipper tells what it gets and takes its time.
type slowShipper struct {
	nullShipper
	shipped chan int
}

func (s slowShipper) AppendSeq(ctx context.Context, seq uint64, lines []record.Record) error {
	s.shipped <- len(lines)
	time.Sleep(5 * time.Millisecond)
	s.durable(seq, nil)
	return nil
}

func mib(n int) float64 { return float64(n) / (1 << 20) }

// learnable are lines of many forms, with values that are worth remembering.
func learnable(random *rand.Rand, batch int) []record.Record {
	out := make([]record.Record, 1000)
	for i := range out {
		form := batch*7 + random.IntN(40)
		m := fmt.Appendf(nil, "unit%c%c form%c%c step", 'a'+form%26, 'a'+form/26%26, 'k'+form%13, 'a'+form/13%26)
		for slot := range 6 {
			m = fmt.Appendf(m, " %c=%c%x", 'a'+slot, 'g'+slot, random.IntN(600)*7919)
		}
		out[i] = record.Record{Time: int64(batch*1000 + i), Tags: "service:app", Message: m}
	}
	return out
}
