package fakeintake

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
	"github.com/vigil-agent/vigil/test/loggen"
)

// faults are scripts that a sender must get over without losing or repeating a
// line.
var faults = map[string][]Step{
	"none":               nil,
	"kill at batch":      {{At: Batch(3), Times: 3, Do: Kill()}},
	"kill at ack":        {{At: Ack(3), Times: 3, Do: Kill()}},
	"fail at open":       {{At: Open(), Times: 3, Do: Fail(codes.Unavailable, "not now")}},
	"fail at ack":        {{At: Ack(2), Times: 2, Do: Fail(codes.Aborted, "moved")}},
	"planned close":      {{At: Ack(4), Times: 2, Do: End()}},
	"slow acks":          {{At: AnyAck(), Times: 5, Do: Delay(30 * time.Millisecond)}},
	"no acks":            {{At: AnyAck(), Times: 30, Do: Swallow()}},
	"duplicate ack":      {{At: Ack(2), Do: Duplicate(1)}},
	"reordered acks":     {{At: Ack(1), Do: Reorder()}},
	"ack of the never":   {{At: Ack(2), Do: AckAs(99)}},
	"unknown status":     {{At: Ack(2), Do: AckUnknown()}},
	"ack 0, often":       {{At: Batch(2), Do: Inject(0, 1000)}},
	"too old":            {{At: Batch(3), Do: GoAway(MaxAge, 200*time.Millisecond)}},
	"cut inside a batch": {{At: Batch(2), Do: Cut(Up, 700)}},
	"cut inside an ack":  {{At: Batch(2), Do: Cut(Down, 17)}},
	"black hole":         {{At: Batch(3), Do: Net(Conditions{BlackHole: true}, 300*time.Millisecond)}},
	"answers held":       {{At: Ack(3), Do: Net(Conditions{HoldAnswers: true}, 700*time.Millisecond)}},
	"refused": {
		{At: Batch(3), Do: Net(Conditions{Refuse: true}, 100*time.Millisecond)},
		{At: Batch(3), Do: Kill()},
	},
	"far away":       {{At: Batch(1), Do: Net(Conditions{Latency: 20 * time.Millisecond}, time.Second)}},
	"thin":           {{At: Batch(1), Do: Net(Conditions{Up: 20_000, Down: 20_000}, time.Second)}},
	"too many pings": {{At: Batch(3), Do: GoAway(TooManyPings, 0)}},
}

func TestSenderGetsOverEveryFault(t *testing.T) {
	t.Parallel()
	for name, script := range faults {
		for profile, codec := range map[string]stream.Codec{"rows": stream.Rows(rows.Options{}), "columns": stream.Columns(columns.Options{})} {
			t.Run(name+"/"+profile, func(t *testing.T) {
				t.Parallel()
				f := fake(t, Options{Config: intake.Config{Journal: filepath.Join(t.TempDir(), "journal")}, Script: script})
				sent := ship(t, f, codec)
				require.Empty(t, f.Left(), "every fault was played")
				got := 0
				for l, err := range journal.Read(f.options.Config.Journal) {
					require.NoError(t, err)
					require.Less(t, got, len(sent), "repeated: %q", l.Message)
					require.Equal(t, sent[got], string(l.Message), "line %d", got+1)
					got++
				}
				require.Len(t, sent, got)
			})
		}
	}
}

// ship sends numbered lines in batches and returns them when all are durable.
func ship(t *testing.T, f *Intake, codec stream.Codec) []string {
	t.Helper()
	w, err := stream.New(stream.Config{
		Endpoints:  []stream.Endpoint{{Address: f.Addr()}},
		AckTimeout: 500 * time.Millisecond, BackoffMin: 5 * time.Millisecond, BackoffMax: 20 * time.Millisecond,
	}, stream.Deps{Codecs: []stream.Codec{codec}})
	require.NoError(t, err)
	require.NoError(t, w.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, w.Stop(within(t, time.Minute))) })
	g, err := loggen.New("java", 1)
	require.NoError(t, err)
	g.Numbered(1)
	var sent []string
	for range 20 {
		recs := make([]record.Record, 25)
		for i := range recs {
			l := g.Line()
			sent = append(sent, string(l.Message))
			recs[i] = record.Record{Time: l.Time, Status: l.Status, Tags: "service:shop", Message: []byte(sent[len(sent)-1])}
		}
		require.NoError(t, w.Append(within(t, time.Minute), recs))
		// Some of it is acknowledged before the rest is sent, as in life.
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, w.Flush(within(t, time.Minute)))
	return sent
}
