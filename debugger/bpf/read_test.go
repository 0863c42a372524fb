package bpf

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// textPlan captures the three strings of main.Text.
func (b *targetFile) textPlan(tb testing.TB) *plan.Plan {
	tb.Helper()
	c := captures["strings"]
	ty := newOrderTypes()
	p := b.entry(tb, c.function)
	p.Limits, p.Types, p.Variables = c.limits, &ty.Table, c.variables(ty, &abi{})
	require.NoError(tb, plan.Compile(p))
	return p
}

// TestNoEventWaitsLong sends events in every phase of the wake-up policy: the
// first after a pause wakes the reader, the next ones do not.
func TestNoEventWaitsLong(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{}, Probe{Plan: b.entry(t, "main.Text")})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	zero, err := ClockZero()
	require.NoError(t, err)

	delays := make(chan time.Duration, 1000)
	done := make(chan error, 1)
	go func() {
		for {
			err := s.Read(time.Now().Add(time.Second), func(e *event.Event) { delays <- time.Since(e.Time(zero)) })
			if err != nil {
				done <- err
				return
			}
		}
	}()
	var worst time.Duration
	for _, pause := range []time.Duration{0, 1, 5, 9, 11, 15, 30, 3, 2, 1, 300} {
		time.Sleep(pause * time.Millisecond)
		target.call(t, "text", 1)
		select {
		case d := <-delays:
			worst = max(worst, d)
		case <-time.After(2 * time.Second):
			t.Fatal("an event did not arrive")
		}
	}
	t.Log("longest delay", worst)
	require.Less(t, worst, idle, "the idle poll is a safety net, not the way events arrive")

	require.NoError(t, s.Close())
	select {
	case err := <-done:
		require.ErrorIs(t, err, os.ErrClosed)
	case <-time.After(2 * time.Second):
		t.Fatal("Close must interrupt Read")
	}
}

func TestReadKeepsItsDeadline(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{}, Probe{Plan: b.at(t, "main.Empty", anyInst)})
	never := func(*event.Event) { t.Error("there is no event") }
	start := time.Now()
	require.NoError(t, s.Read(start.Add(30*time.Millisecond), never))
	require.GreaterOrEqual(t, time.Since(start), 29*time.Millisecond)
	require.NoError(t, s.Read(start, never))

	// A reader that is always behind still returns.
	p := load(t, Options{RingBytes: 1 << 20}, Probe{Plan: b.textPlan(t)})
	target := b.start(t)
	require.NoError(t, p.Attach(target.exe, target.pid, 0))
	target.call(t, "text", 1000)
	n := 0
	require.NoError(t, p.Read(time.Now().Add(20*time.Millisecond), func(*event.Event) { n++; time.Sleep(time.Millisecond) }))
	require.Less(t, n, 1000)
}

func TestInterrupt(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{}, Probe{Plan: b.entry(t, "main.Text")})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 7))
	far := func() time.Time { return time.Now().Add(time.Hour) }

	// While it waits.
	done := make(chan error, 1)
	go func() { done <- s.Read(far(), func(*event.Event) {}) }()
	time.Sleep(20 * time.Millisecond)
	s.Interrupt()
	require.NoError(t, <-done)

	// Before it begins: what is there is read all the same.
	target.call(t, "text", 3)
	s.Interrupt()
	n := 0
	require.NoError(t, s.Read(far(), func(e *event.Event) {
		n++
		require.EqualValues(t, 7, e.Target)
	}))
	require.Equal(t, 3, n)

	// From the function that is called.
	target.call(t, "text", 1)
	require.NoError(t, s.Read(far(), func(*event.Event) { s.Interrupt() }))
	require.NoError(t, s.Close())
	s.Interrupt()
}

func TestEveryHitIsAccountedFor(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{RingBytes: 1}, Probe{Plan: b.textPlan(t)})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	const n = 5000
	target.call(t, "text", n)
	st := stats(t, s)
	require.Positive(t, st.RingFull)
	require.EqualValues(t, n, st.Hits)
	require.EqualValues(t, n, st.Sent+st.RingFull)
	require.Len(t, drain(t, s), int(st.Sent))

	// The ring has room again.
	target.call(t, "text", 1)
	require.Len(t, drain(t, s), 1)
}

func TestThrottle(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	// 20 at once, then one every 50 ms, whatever the number of threads.
	s := load(t, Options{}, Probe{Plan: b.textPlan(t), PerSecond: 20})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	ns := target.call(t, "threads", 500)
	st := stats(t, s)
	require.EqualValues(t, 4000, st.Hits)
	require.EqualValues(t, 4000, st.Sent+st.Throttled)
	refilled := uint64(ns / 50e6)
	require.GreaterOrEqual(t, st.Sent, uint64(20))
	require.LessOrEqual(t, st.Sent, 21+refilled)
	require.Len(t, drain(t, s), int(st.Sent))

	time.Sleep(250 * time.Millisecond)
	target.call(t, "text", 100)
	events := drain(t, s)
	require.GreaterOrEqual(t, len(events), 5)
	require.LessOrEqual(t, len(events), 25)
}

// TestPageThatWasNeverTouched is the difference a sleepable program makes.
func TestPageThatWasNeverTouched(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for name, c := range map[string]struct {
		o      Options
		want   string
		faults uint64
	}{
		"sleepable": {Options{}, `s = "cold"`, 0},
		"classic":   {Options{NoSleep: true}, `s = 0 of 4: ""<unavailable>`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ty := &types{}
			p := b.entry(t, "main.Cold")
			p.Types = &ty.Table
			p.Variables = []plan.Variable{{Name: "s", Type: ty.str(), Pieces: (&abi{}).words(2)}}
			require.NoError(t, plan.Compile(p))
			s := load(t, c.o, Probe{Plan: p})
			target := b.start(t)
			require.NoError(t, s.Attach(target.exe, target.pid, 0))
			target.call(t, "cold", 1)
			events := drain(t, s)
			require.Len(t, events, 1)
			require.Equal(t, []string{c.want}, render(p, events[0]))
			require.Equal(t, c.faults, stats(t, s).Faults)
		})
	}
}

// TestStackGrowthAndCollection runs probes while goroutines' stacks move and
// the collector works, and checks every value.
func TestStackGrowthAndCollection(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	ty := &types{}
	p := b.entry(t, "main.Grow")
	var a abi
	p.Types = &ty.Table
	p.Variables = []plan.Variable{
		{Name: "n", Type: ty.scalar(gotype.Int, "int", 8), Pieces: a.words(1)},
		{Name: "s", Type: ty.str(), Pieces: a.words(2)},
	}
	require.NoError(t, plan.Compile(p))
	s := load(t, Options{RingBytes: 128 << 20}, Probe{Plan: p})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))

	const rounds, depth, goroutines = 20, 200, 20
	done := make(chan struct{})
	counts, callers := map[string]int{}, map[uint64]int{}
	read := make(chan error, 1)
	go func() {
		each := func(e *event.Event) {
			if len(e.Items) != 2 || len(e.Stack) < 3 || e.GoID == 0 {
				t.Errorf("event %+v", e)
				return
			}
			callers[e.Stack[1]]++
			counts[render(p, e)[1]]++
		}
		for {
			select {
			case <-done:
				read <- s.Read(time.Now(), each)
				return
			default:
			}
			if err := s.Read(time.Now().Add(10*time.Millisecond), each); err != nil {
				read <- err
				return
			}
		}
	}()
	target.call(t, "stress", rounds)
	close(done)
	require.NoError(t, <-read)

	st := stats(t, s)
	require.EqualValues(t, rounds*goroutines*(depth+1), st.Hits, "PUSH RBP runs once a call")
	require.Equal(t, st.Hits, st.Sent+st.RingFull+st.NoScratch)
	require.Zero(t, st.Faults)
	require.Zero(t, st.RingFull, "the ring is made large enough")
	var called []string
	for pc := range callers {
		called = append(called, b.function(pc))
	}
	require.ElementsMatch(t, []string{"main.Grow", "main.stress.func2.1"}, called)
	for g := range goroutines {
		require.Equal(t, rounds*(depth+1), counts[fmt.Sprintf("s = %q", fmt.Sprint("goroutine ", g))])
	}
	require.Len(t, counts, goroutines)
	t.Logf("%+v", st)
}
