package control

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// calls is a program with a probe on both ends of main.handle, in one process.
type calls struct {
	*Program
	fake *fakeSession
	pid  int
	now  uint64
	// began has the time of the last entry of a frame: goroutine and depth.
	began map[[2]uint64]uint64
	got   []string // captures, duration and first error of what was delivered
}

func newCalls(t *testing.T) *calls {
	t.Helper()
	exe, err := shopBinary()
	require.NoError(t, err)
	bin, err := binary.Open(exe)
	require.NoError(t, err)
	d := definition("a", "main.handle")
	d.Returns = true
	c := &calls{began: map[[2]uint64]uint64{}}
	c.Program, err = NewProgram(bin, Resolve(bin, []probe.Definition{d}, snapshot.Redaction{}), Options{Load: func(probes []bpf.Probe, before Session) (Session, error) {
		c.fake = newFake(probes, before)
		return c.fake, nil
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	p, _ := startShop(t)
	require.NoError(t, c.Attach(p))
	c.pid = p.PID
	zero, err := bpf.ClockZero()
	require.NoError(t, err)
	c.now = uint64(time.Since(zero))
	return c
}

// hit is an event at the first site of a kind.
func (c *calls) hit(kind plan.SiteKind, goid uint64, depth uint32) *event.Event {
	e := c.fake.hit(c.pid)
	e.Site = uint32(slices.IndexFunc(c.fake.probes[0].Plan.Sites, func(s plan.Site) bool { return s.Kind == kind }))
	e.GoID, e.Depth = goid, depth
	c.now += 1000
	e.Ktime = c.now
	frame := [2]uint64{goid, uint64(depth)}
	if kind == plan.SiteReturn {
		e.EntryKtime = c.began[frame]
		if e.EntryKtime == 0 { // it was lost
			e.EntryKtime = e.Ktime - 700
		}
	} else {
		c.began[frame] = e.Ktime
	}
	return e
}

func (c *calls) deliver(t *testing.T) Deliver {
	t.Helper()
	return func(_ *Installed, s *snapshot.Snapshot) int {
		var doc struct {
			Duration int
			Debugger struct {
				Snapshot struct {
					Captures         struct{ Entry, Return *struct{} }
					EvaluationErrors []struct{ Message string }
				}
			}
		}
		require.NoError(t, json.Unmarshal(s.AppendJSON(nil), &doc))
		text := ""
		if doc.Debugger.Snapshot.Captures.Entry != nil {
			text += "entry "
		}
		if doc.Debugger.Snapshot.Captures.Return != nil {
			text += "return "
		}
		if doc.Duration > 0 {
			text += "duration "
		}
		if errs := doc.Debugger.Snapshot.EvaluationErrors; len(errs) > 0 {
			text += errs[0].Message
		}
		c.got = append(c.got, text)
		return 1
	}
}

// TestCallsAreJoined delivers every way a call can end, and counts it.
func TestCallsAreJoined(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	for _, e := range []*event.Event{
		c.hit(plan.SiteEntry, 1, 100),
		c.hit(plan.SiteEntry, 1, 200),
		c.hit(plan.SiteEntry, 2, 100),
		c.hit(plan.SiteReturn, 1, 200), // paired
		c.hit(plan.SiteEntry, 1, 300),
		c.hit(plan.SiteReturn, 1, 100), // paired; what was at 300 is gone
		c.hit(plan.SiteReturn, 3, 100), // alone
		c.hit(plan.SiteEntry, 0, 100),  // on a system stack
		c.hit(plan.SiteEntry, 1, 0),
	} {
		c.fake.events <- e
	}
	require.NoError(t, c.Read(time.Now().Add(10*time.Millisecond), c.deliver(t)))
	require.NoError(t, c.Detach(c.pid))
	require.NoError(t, c.Drain(c.deliver(t)))
	require.Equal(t, []string{
		"entry return duration ",
		"entry return not received: the call was unwound by a panic, or its return was lost",
		"entry return duration ",
		"return duration the event of the entry was lost, or was sent before the call returned",
		"entry " + unknownCall,
		"entry " + unknownCall,
		"entry return not received: the probe was removed or the process ended first",
	}, c.got)
	counters, err := c.Counters()
	require.NoError(t, err)
	require.Equal(t, Calls{Paired: 2, Unwound: 1, Alone: 1, Ended: 3}, counters[0].Calls)
	require.EqualValues(t, 7, counters[0].Snapshots)
}

// TestCallsAreOverdue gives back a call that has not returned for long; its return
// is a snapshot of its own.
func TestCallsAreOverdue(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	old := c.hit(plan.SiteEntry, 1, 100)
	old.Ktime -= uint64(2 * overdueAfter)
	c.fake.events <- old
	c.fake.events <- c.hit(plan.SiteEntry, 2, 100)
	require.NoError(t, c.Read(time.Now(), c.deliver(t)))
	require.Equal(t, []string{"entry return not received: the call was still running a minute later"}, c.got)
	c.fake.events <- c.hit(plan.SiteReturn, 1, 100)
	require.NoError(t, c.Read(time.Now(), c.deliver(t)))
	require.Len(t, c.got, 2)
	require.Contains(t, c.got[1], "return duration ")
	counters, err := c.Counters()
	require.NoError(t, err)
	require.Equal(t, Calls{Overdue: 1, Alone: 1}, counters[0].Calls)
}

// TestCallsAreBounded evicts the oldest.
func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	c := newCalls(t)
	const calls = 40
	for i := range uint64(calls) {
		e := c.hit(plan.SiteEntry, 1+i, 100)
		e.Items[0].Data = make([]byte, callBytes/20)
		c.fake.events <- e
	}
	require.NoError(t, c.Read(time.Now().Add(10*time.Millisecond), c.deliver(t)))
	counters, err := c.Counters()
	require.NoError(t, err)
	require.Greater(t, counters[0].Evicted, uint64(calls/2-1))
	require.Less(t, counters[0].Evicted, uint64(calls))
	require.Contains(t, c.got[0], "too many calls were in progress")
	require.NoError(t, c.Drain(c.deliver(t)))
	require.Len(t, c.got, calls)
}
