package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
	"github.com/vigil-agent/vigil/debugger/target"
)

func definition(id, function string) probe.Definition {
	return probe.Definition{ID: id, Version: 1, Function: function, Limits: plan.DefaultLimits(), SnapshotsPerSecond: 1, Origin: "x:1:1"}
}

// rig is a manager whose processes and kernel are the test's.
type rig struct {
	*Manager
	changes chan target.Change
	log     *buffer

	mu        sync.Mutex
	sessions  []*fakeSession
	prepare   func(*fakeSession) error // of each new session
	delivered []string                 // "probe/pid"
	refuse    bool
}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := &rig{changes: make(chan target.Change), log: &buffer{}}
	r.Manager = NewManager(cfg, Deps{
		Log: slog.New(slog.NewTextHandler(r.log, nil)), Changes: r.changes,
		Deliver: func(i *Installed, s *snapshot.Snapshot) int {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.refuse {
				return -1
			}
			r.delivered = append(r.delivered, fmt.Sprintf("%s/%d", i.Definition.ID, s.PID()))
			return 7
		},
		Load: func(probes []bpf.Probe, before Session) (Session, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			f := newFake(probes, before)
			if r.prepare != nil {
				if err := r.prepare(f); err != nil {
					return nil, err
				}
			}
			r.sessions = append(r.sessions, f)
			return f, nil
		},
	})
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { r.end(t) })
	return r
}

func (r *rig) end(t *testing.T) {
	t.Helper()
	require.NoError(t, r.Stop(context.WithoutCancel(t.Context())))
}

func (r *rig) session(i int) *fakeSession {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[i]
}

func (r *rig) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.delivered)
}

// settle waits until the manager has handled the changes that were sent: the
// next one is only taken then.
func (r *rig) settle() {
	r.changes <- target.Change{Process: target.Process{ID: target.ID{PID: -1}}, Ended: true}
}

func TestManagerSharesAProgram(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle"), definition("b", "main.nothing"), definition("c", "main.order")}})
	one, _ := startShop(t)
	two, _ := startShop(t)
	r.changes <- target.Change{Process: one}
	r.changes <- target.Change{Process: two}
	r.settle()
	require.Len(t, r.sessions, 1, "two processes of one binary")
	s := r.session(0)
	require.ElementsMatch(t, []int{one.PID, two.PID}, s.pids())
	require.Len(t, s.probes, 2, "what does not resolve is not loaded")
	require.InDelta(t, 1, s.probes[0].PerSecond, 0)
	require.Equal(t, "fake", r.Mode())

	s.events <- s.hit(two.PID)
	later := s.hit(one.PID)
	later.Probe = 1
	s.events <- later
	s.events <- &event.Event{Probe: 99} // of no probe: passed over
	require.Eventually(t, func() bool { return len(r.got()) == 2 }, wait, tick)
	require.Equal(t, []string{fmt.Sprintf("a/%d", two.PID), fmt.Sprintf("c/%d", one.PID)}, r.got())

	status := r.Status()
	require.Equal(t, []State{StateEmitting, StateError, StateEmitting}, []State{status[0].State, status[1].State, status[2].State})
	byPID := map[int]State{}
	for _, target := range status[0].Targets {
		byPID[target.PID] = target.State
	}
	require.Equal(t, map[int]State{one.PID: StateInstalled, two.PID: StateEmitting}, byPID)
	require.Equal(t, Counters{Hits: 10, Snapshots: 1, Bytes: 7, Throttled: 4, Dropped: 3, Incomplete: 3}, status[0].Counters)
	require.Contains(t, status[1].Message, `no function "main.nothing" in the binary`)

	r.changes <- target.Change{Process: one, Ended: true}
	r.settle()
	require.Equal(t, []int{two.PID}, s.pids())
	require.False(t, s.closed)
	s.events <- s.hit(one.PID) // one of its last hits was still on its way
	r.changes <- target.Change{Process: two, Ended: true}
	r.settle()
	require.True(t, s.closed)
	require.Len(t, r.got(), 3, "what was captured is delivered")
	require.Equal(t, uint64(10), r.Status()[0].Hits, "counters outlive the program")
	require.Equal(t, StateReceived, r.Status()[0].State)
}

func TestManagerCountsWhatTheOutputRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle")}})
	r.refuse = true
	p, _ := startShop(t)
	r.changes <- target.Change{Process: p}
	r.settle()
	r.session(0).events <- r.session(0).hit(p.PID)
	require.Eventually(t, func() bool { return r.Status()[0].Dropped == 4 }, wait, tick) // and 3 in the kernel
	require.Equal(t, StateInstalled, r.Status()[0].State)
	require.Zero(t, r.Status()[0].Snapshots)
}

func TestManagerErrorsAreStatuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		prepare func(*fakeSession) error
		want    string
	}{
		"load":   {func(*fakeSession) error { return errors.New("the verifier says no") }, "the verifier says no"},
		"attach": {func(f *fakeSession) error { f.attachErr = errors.New("no such offset"); return nil }, "no such offset"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle")}})
			r.prepare = tc.prepare
			p, _ := startShop(t)
			r.changes <- target.Change{Process: p}
			r.settle()
			s := r.Status()[0]
			require.Equal(t, StateError, s.State)
			require.Equal(t, tc.want, s.Message)
			require.Equal(t, tc.want, s.Targets[0].Message)
			require.Empty(t, r.running, "nothing stays loaded")
			for _, f := range r.sessions {
				require.True(t, f.closed)
			}
			r.changes <- target.Change{Process: p, Ended: true}
			r.settle()
			require.Equal(t, StateReceived, r.Status()[0].State)

			r.mu.Lock()
			r.prepare = nil
			r.mu.Unlock()
			r.changes <- target.Change{Process: p}
			r.settle()
			require.Equal(t, StateInstalled, r.Status()[0].State, "the next try can succeed")
		})
	}
}

// TestManagerProcessGone places probes in a process that ended in between:
// that is not worth a word.
func TestManagerProcessGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle")}})
	p, end := startShop(t)
	end()
	r.changes <- target.Change{Process: p}
	r.settle()
	require.Equal(t, StateReceived, r.Status()[0].State)
	require.NotContains(t, r.log.String(), "level=WARN")
}

func TestManagerReadErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle")}})
	p, _ := startShop(t)
	r.changes <- target.Change{Process: p}
	r.settle()
	s := r.session(0)
	for range 3 {
		s.mu.Lock()
		s.readErr = fmt.Errorf("%w at byte 3", event.ErrMalformed)
		s.mu.Unlock()
		s.Interrupt()
		require.Eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.readErr == nil
		}, wait, tick)
	}
	s.events <- s.hit(p.PID)
	require.Eventually(t, func() bool { return len(r.got()) == 1 }, wait, tick, "one bad event does not end the reading")
	s.mu.Lock()
	s.readErr = os.ErrInvalid
	s.mu.Unlock()
	s.Interrupt()
	require.Eventually(t, func() bool { return bytes.Contains([]byte(r.log.String()), []byte("cannot be read any more")) }, wait, tick)
	require.Equal(t, 1, bytes.Count([]byte(r.log.String()), []byte("such events are skipped")), "one line for all of them")
}

// TestManagerStop ends with everything removed, by Stop or because no more
// changes can come.
func TestManagerStop(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*rig){"stop": func(*rig) {}, "changes closed": func(r *rig) { close(r.changes) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle")}})
			p, _ := startShop(t)
			r.changes <- target.Change{Process: p}
			r.settle()
			s := r.session(0)
			s.events <- s.hit(p.PID)
			end(r)
			if name == "changes closed" {
				<-r.done
			}
			r.end(t)
			r.end(t)
			require.Empty(t, s.pids())
			require.True(t, s.closed)
			require.Len(t, r.got(), 1, "what was captured is delivered")
		})
	}
}

// TestManagerStatusAtAnyTime asks for the status all the while processes come
// and go and hits arrive.
func TestManagerStatusAtAnyTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, Config{Definitions: []probe.Definition{definition("a", "main.handle")}})
	p, _ := startShop(t)
	quit := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		last := uint64(0)
		for {
			select {
			case <-quit:
				return
			default:
			}
			s := r.Status()[0]
			require.GreaterOrEqual(t, s.Snapshots, last, "counters never go back")
			last = s.Snapshots
			_ = r.Mode()
		}
	})
	const rounds = 5
	for i := range rounds {
		r.changes <- target.Change{Process: p}
		r.settle()
		r.session(i).events <- r.session(i).hit(p.PID)
		r.changes <- target.Change{Process: p, Ended: true}
	}
	r.settle()
	close(quit)
	asking.Wait()
	require.EqualValues(t, rounds, r.Status()[0].Snapshots)
	require.EqualValues(t, rounds*10, r.Status()[0].Hits)
}

func TestManagerStopWithoutStart(t *testing.T) {
	t.Parallel()
	require.NoError(t, NewManager(Config{}, Deps{}).Stop(t.Context()))
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
