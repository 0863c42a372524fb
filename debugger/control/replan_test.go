package control

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/target"
)

// meet is a hit of main.(*Server).Serve whose err holds a type, by its distance
// from runtime.types.
func meet(t *testing.T, s *fakeSession, pid int, offset uint64) *event.Event {
	t.Helper()
	p := s.probes[0].Plan
	for _, v := range p.Variables {
		if v.Name != "err" {
			continue
		}
		e := s.hit(pid)
		root := make([]byte, p.RootSize)
		const itab = 0xc000_0000
		binary.LittleEndian.PutUint64(root[v.RootOffset:], itab)
		binary.LittleEndian.PutUint64(root[v.RootOffset+8:], itab+64)
		e.Items = []event.Item{{Data: root}, {Type: v.Type, Addr: itab, Data: binary.LittleEndian.AppendUint64(nil, offset)}}
		return e
	}
	t.Fatal("no err")
	return nil
}

// unknownTypes are types that the plan does not know.
func unknownTypes(t *testing.T, p *plan.Plan, n int) (offsets []uint64) {
	t.Helper()
	r := p.Types.Runtime
	for off := uint64(64); off < r.ETypes-r.Types && len(offsets) < n; off += 64 {
		if p.Types.ByRuntimeOffset(off) == gotype.ID(0) {
			offsets = append(offsets, off)
		}
	}
	require.Len(t, offsets, n)
	return offsets
}

// TestManagerLearnsTypes: a probe is placed again with a type that a snapshot met;
// nothing that was captured or counted is lost, no hit is taken twice, and the
// type is asked for once only.
func TestManagerLearnsTypes(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.(*Server).Serve"), definition("b", "main.handle")}})
	one, _ := startShop(t)
	two, _ := startShop(t)
	r.changes <- target.Change{Process: one}
	r.changes <- target.Change{Process: two}
	r.settle()
	old := r.session(0)
	off := unknownTypes(t, old.probes[0].Plan, 1)[0]
	old.events <- meet(t, old, one.PID, off)
	require.Eventually(t, func() bool {
		s := r.Status()[0]
		return s.Replans == 1 && s.TypesPending == 0
	}, wait, tick)
	r.settle()
	require.Zero(t, r.Status()[1].Replans, "of another probe")
	require.Len(t, r.sessions, 2)
	next := r.session(1)
	require.Equal(t, Session(old), next.before)
	require.True(t, old.closed)
	require.True(t, next.inCharge)
	require.ElementsMatch(t, []int{one.PID, two.PID}, next.pids())
	require.Equal(t, StateEmitting, r.Status()[0].State)
	require.EqualValues(t, 1, r.Status()[0].Snapshots)
	require.EqualValues(t, 20, r.Status()[0].Hits, "of both programs")

	next.events <- meet(t, next, two.PID, off)
	require.Eventually(t, func() bool { return len(r.got()) == 2 }, wait, tick)
	require.Equal(t, []string{fmt.Sprintf("a/%d", one.PID), fmt.Sprintf("a/%d", two.PID)}, r.got())
	require.Zero(t, r.Status()[0].TypesPending, "known or not, it was asked for")

	// A process that comes later has the new plan.
	three, _ := startShop(t)
	r.changes <- target.Change{Process: three}
	r.settle()
	require.Contains(t, next.pids(), three.PID)
	require.Len(t, r.sessions, 2)
}

// TestManagerCannotLearn goes on with what there is.
func TestManagerCannotLearn(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.(*Server).Serve")}})
	p, _ := startShop(t)
	r.changes <- target.Change{Process: p}
	r.settle()
	s := r.session(0)
	r.mu.Lock()
	r.prepare = func(*fakeSession) error { return fmt.Errorf("the verifier says no") }
	r.mu.Unlock()
	s.events <- meet(t, s, p.PID, unknownTypes(t, s.probes[0].Plan, 1)[0])
	require.Eventually(t, func() bool { return len(r.got()) == 1 && r.Status()[0].TypesPending == 0 }, wait, tick)
	s.events <- s.hit(p.PID)
	require.Eventually(t, func() bool { return len(r.got()) == 2 }, wait, tick)
	require.Contains(t, r.log.String(), "values of some types are not captured")
	require.Equal(t, StateEmitting, r.Status()[0].State)
	require.True(t, s.inCharge)
}

// TestTypesAreBounded counts what is over the bound.
func TestTypesAreBounded(t *testing.T) {
	t.Parallel()
	var types types
	types.know([]uint64{1, 2})
	require.False(t, types.report([]uint64{1, 2}))
	for i := range uint64(maxTypes) {
		types.report([]uint64{3 + i})
	}
	require.Equal(t, maxTypes-2, types.pending())
	require.EqualValues(t, 2, types.refused)
	all, more := types.wanted([]uint64{1, 2})
	require.True(t, more)
	require.Len(t, all, maxTypes)
	types.giveUp()
	require.Zero(t, types.pending())
	require.False(t, types.report([]uint64{3}), "not again")
}

func TestAllowance(t *testing.T) {
	t.Parallel()
	var a allowance
	now := time.Now()
	for range replanBurst {
		require.Equal(t, now, a.next(now))
		a.take(now)
	}
	require.Equal(t, now.Add(replanEvery), a.next(now))
	later := now.Add(replanEvery)
	require.Equal(t, later, a.next(later))
	a.take(later)
	require.Equal(t, later.Add(replanEvery), a.next(later))
}
