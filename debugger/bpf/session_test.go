package bpf

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// modes are the four programs one source is loaded as.
var modes = map[string]Options{
	"multi sleepable": {},
	"multi classic":   {NoSleep: true},
	"perf sleepable":  {PerfLinks: true},
	"perf classic":    {PerfLinks: true, NoSleep: true},
}

func load(tb testing.TB, o Options, probes ...Probe) *Session {
	tb.Helper()
	s, err := Load(o, probes)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// clone copies an event out of the reader's buffer.
func clone(e *event.Event) *event.Event {
	var c event.Event
	if err := event.Parse(event.Append(nil, e), &c); err != nil {
		panic(err)
	}
	return &c
}

// drain reads what the ring holds.
func drain(tb testing.TB, s *Session) []*event.Event {
	tb.Helper()
	var all []*event.Event
	require.NoError(tb, s.Read(time.Now(), func(e *event.Event) { all = append(all, clone(e)) }))
	return all
}

func stats(tb testing.TB, s *Session) ProbeStats {
	tb.Helper()
	all, err := s.Stats()
	require.NoError(tb, err)
	require.Len(tb, all, len(s.probes))
	return all[0]
}

func TestIntegersStackAndHeader(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for name, o := range modes {
		t.Run(name, func(t *testing.T) {
			p := b.entry(t, "main.Ints")
			ty := &types{}
			var a abi
			for i, v := range []struct {
				kind gotype.Kind
				name string
				size uint64
			}{
				{gotype.Int, "int8", 1},
				{gotype.Int, "int16", 2},
				{gotype.Int, "int32", 4},
				{gotype.Int, "int64", 8},
				{gotype.Uint, "uint8", 1},
				{gotype.Uint, "uint16", 2},
				{gotype.Uint, "uint32", 4},
				{gotype.Uint, "uint64", 8},
				{gotype.Bool, "bool", 1},
			} {
				p.Variables = append(p.Variables, plan.Variable{
					Name: string(rune('a' + i)), Type: ty.scalar(v.kind, v.name, v.size),
					Pieces: []plan.Piece{a.piece(0, uint32(v.size))},
				})
			}
			p.Types = &ty.Table
			require.NoError(t, plan.Compile(p))

			s := load(t, o, Probe{Plan: p})
			target := b.start(t)
			require.NoError(t, s.Attach(target.exe, target.pid, 0))
			before, err := ClockZero()
			require.NoError(t, err)
			start := time.Now()
			target.call(t, "ints", 2)
			events := drain(t, s)
			require.Len(t, events, 2)
			e := events[0]
			require.Equal(t, []uint32{0, 0, uint32(target.pid)}, []uint32{e.Probe, e.Site, e.PID})
			require.NotZero(t, e.TID)
			require.EqualValues(t, 1, e.GoID, "main runs on goroutine 1")
			require.WithinRange(t, e.Time(before), start.Add(-time.Millisecond), time.Now().Add(time.Millisecond))
			require.Greater(t, events[1].Ktime, e.Ktime)

			var stack []string
			for _, pc := range e.Stack {
				stack = append(stack, b.function(pc))
			}
			require.Equal(t, []string{"main.Ints", "main.call", "main.main", "runtime.main", "runtime.goexit.abi0"}, stack)
			require.Equal(t, p.Sites[0].PC, e.Stack[0])

			require.Len(t, e.Items, 1)
			root := e.Items[0].Data
			require.Len(t, root, int(p.RootSize))
			var want []byte
			for _, v := range []uint64{0xff, 0xfffe, 0xffff_fffd, ^uint64(3), 5, 6, 7, 8, 1} {
				want = binary.LittleEndian.AppendUint64(want, v)
			}
			require.Equal(t, want, root)
			st := stats(t, s)
			require.Positive(t, st.Busy)
			st.Busy = 0
			require.Equal(t, ProbeStats{Hits: 2, Sent: 2}, st)
		})
	}
}
