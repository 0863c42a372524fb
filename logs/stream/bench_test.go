package stream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// fixedCodec seals everything into the same payload, so that only the core is
// measured.
type fixedCodec struct{}

func (fixedCodec) ContentEncoding() string { return "identity" }
func (fixedCodec) Profile() string         { return ProfileRows }
func (fixedCodec) NewState(Limits) (Encoder, Ledger, error) {
	return fixedCodec{}, fixedCodec{}, nil
}
func (fixedCodec) Reset()                    {}
func (fixedCodec) Apply(any)                 {}
func (fixedCodec) Snapshot() ([]byte, error) { return nil, nil }
func (fixedCodec) Bytes() int                { return 0 }
func (fixedCodec) Encode(recs []record.Record) (Payload, error) {
	return Payload{Data: fixedData, Lines: len(recs)}, nil
}

var fixedData = make([]byte, 1000)

// cycle takes one batch through an active core.
func cycle(t testing.TB) func() {
	t.Helper()
	c, err := newCore(Config{Endpoints: []Endpoint{{Address: "a"}}}.withDefaults(), []Codec{fixedCodec{}}, jitter)
	require.NoError(t, err)
	now := time.Unix(0, 0)
	c.start(now)
	c.opened(now, c.gen, false, nil)
	c.take()
	recs := logLines(0, 1000)
	id := uint32(0)
	return func() {
		id++
		c.append(now, 0, recs)
		c.take()
		c.ack(now, c.cur.gen, id, true)
		c.take()
	}
}

// BenchmarkCore is the cost of the protocol for a batch of 1000 lines, the copy
// for a replay included.
func BenchmarkCore(b *testing.B) {
	run := cycle(b)
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

// TestCoreAllocations: a batch costs the list of its origins and the queue's
// growth, no line costs anything.
func TestCoreAllocations(t *testing.T) {
	run := cycle(t)
	for range 100 {
		run()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(100, run), 3.0)
}
