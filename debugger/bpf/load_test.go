package bpf

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/event/pair"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// TestMoreCallsInProgressThanAreRemembered holds more calls than the kernel keeps,
// twice on the same frames: every return that is captured belongs to the entry it
// is joined with, and the others are counted.
func TestMoreCallsInProgressThanAreRemembered(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	p := b.resolve(t, plan.Definition{ProbeID: "p", Function: "main.Held", Returns: true})
	s := load(t, Options{RingBytes: 64 << 20}, Probe{Plan: p, NoStack: true})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	const held, rounds = maxCalls + 4000, 2
	target.call(t, "hold", held)

	number := func(e *event.Event, role plan.Role) uint64 {
		for _, v := range p.Variables {
			if v.Role == role {
				return binary.LittleEndian.Uint64(e.Items[0].Data[v.RootOffset:])
			}
		}
		t.Fatal("no such variable")
		return 0
	}
	var entries, paired, alone uint64
	ends := map[pair.End]uint64{}
	var entry event.Event
	calls := pair.New(64<<20, func(_ []byte, why pair.End) { ends[why]++ })
	for _, e := range drain(t, s) {
		call := pair.Call{GoID: e.GoID, Depth: e.Depth}
		require.NotZero(t, e.GoID)
		require.NotZero(t, e.Depth)
		if p.Sites[e.Site].Kind == plan.SiteEntry {
			entries++
			calls.Entry(call, e.Ktime, event.Append(nil, e))
			continue
		}
		record := calls.Return(call, e.EntryKtime)
		if record == nil {
			alone++
			continue
		}
		require.NoError(t, event.Parse(record, &entry))
		require.Equal(t, 2*number(&entry, plan.RoleArgument)+1, number(e, plan.RoleResult), "of one call")
		paired++
	}
	calls.Close()
	st := stats(t, s)
	t.Logf("%+v: %d paired, %v", st, paired, ends)
	require.EqualValues(t, held*rounds, entries)
	require.EqualValues(t, held*rounds, st.Hits)
	require.EqualValues(t, held*rounds, st.Returns)
	require.Zero(t, alone)
	require.Zero(t, st.RingFull+st.NoScratch)
	require.Equal(t, st.Returns, paired+st.Unmatched)
	require.Equal(t, st.Unmatched, ends[pair.Unwound]+ends[pair.Ended], "entries without a return")
	require.GreaterOrEqual(t, st.Unmatched, uint64(rounds*(held-maxCalls)))
	require.Positive(t, paired)
}

// TestHandOverUnderLoad replaces sessions by others with another plan while eight
// threads hit the probe, as re-planning does: each event is what the plan of its
// session says, and every hit is in exactly one session.
func TestHandOverUnderLoad(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	short := b.textPlan(t)
	short.Limits.Length = 3
	require.NoError(t, plan.Compile(short))
	plans := []*plan.Plan{b.textPlan(t), short}
	wants := [][]string{
		captures["strings"].want,
		{`a = 3 of 5: "hel"<length>`, `b = ""`, `c = 3 of 1000: "012"<length>`},
	}
	for name, perf := range map[string]bool{"multi": false, "perf": true} {
		t.Run(name, func(t *testing.T) {
			target := b.start(t)
			const inARow, threads, each = 8, 8, 5000
			var sessions []*Session
			for i := range inARow {
				// Probes on one instruction are handed over one by one.
				p := Probe{Plan: plans[i%2], NoStack: true}
				o := Options{RingBytes: 16 << 20, PerfLinks: perf}
				if i > 0 {
					o.After = sessions[i-1]
				}
				s := load(t, o, p, p)
				require.NoError(t, s.Attach(target.exe, target.pid, 0))
				sessions = append(sessions, s)
			}
			var load sync.WaitGroup
			load.Go(func() { target.call(t, "threads", each) })
			for i, s := range sessions[1:] {
				for stats(t, sessions[i]).Hits < threads*each/(2*inARow) {
					time.Sleep(100 * time.Microsecond)
				}
				require.NoError(t, s.TakeOver())
			}
			load.Wait()

			var total [2]uint64
			for i, s := range sessions {
				events := drain(t, s)
				for _, e := range events {
					require.Equal(t, wants[i%2], render(plans[i%2], e))
				}
				all, err := s.Stats()
				require.NoError(t, err)
				require.EqualValues(t, len(events), all[0].Sent+all[1].Sent)
				for k, st := range all {
					require.Equal(t, st.Hits, st.Sent+st.RingFull+st.NoScratch)
					require.EqualValues(t, threads*each, st.Hits+st.Passed, "every call was seen by all")
					require.Positive(t, st.Hits)
					total[k] += st.Hits
				}
			}
			require.Equal(t, [2]uint64{threads * each, threads * each}, total, "each is captured once")
		})
	}
}

// TestReaderIsWokenByAnEventThatDoesNotFit sends parts of events that are larger
// than the ring: the reader takes them away although the last never comes.
func TestReaderIsWokenByAnEventThatDoesNotFit(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	p := b.entry(t, "main.Walk")
	var a abi
	ty, node := nodeTypes()
	p.Types, p.Limits = &ty.Table, plan.Limits{Depth: 10, Collection: 1000, Length: 10_000}
	p.Variables = []plan.Variable{{Name: "n", Type: node, Pieces: a.words(1)}, {Name: "all", Type: ty.slice(node), Pieces: a.words(3)}}
	require.NoError(t, plan.Compile(p))
	s := load(t, Options{RingBytes: minRingBytes}, Probe{Plan: p})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	read := make(chan error, 1)
	go func() { read <- s.Read(time.Now().Add(time.Minute), func(*event.Event) {}) }()
	for seed := range 10 {
		time.Sleep(3 * straggler) // the reader looks again on its own before that
		before := stats(t, s)
		target.call(t, "graph", seed)
		if stats(t, s).RingFull == before.RingFull {
			continue
		}
		require.Eventually(t, func() bool {
			n, err := s.available()
			return err == nil && n == 0
		}, idle/2, time.Millisecond)
	}
	require.Positive(t, stats(t, s).RingFull)
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-read, ErrClosed)
}
