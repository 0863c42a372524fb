package control

import (
	"os"
	"strconv"
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

// open resolves one probe in the fixture and loads it into a fake kernel.
func open(t *testing.T, function string) (*Program, *fakeSession, error) {
	t.Helper()
	exe, err := shopBinary()
	require.NoError(t, err)
	bin, err := binary.Open(exe)
	require.NoError(t, err)
	var f *fakeSession
	p, err := NewProgram(bin, Resolve(bin, []probe.Definition{definition("a", function)}, snapshot.Redaction{}), Options{Host: "h", Load: func(probes []bpf.Probe, before Session) (Session, error) {
		f = newFake(probes, before)
		return f, nil
	}})
	return p, f, err
}

func TestProgramResolves(t *testing.T) {
	t.Parallel()
	p, _, err := open(t, "(*Server).Serve")
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	got := p.Probes()[0].Plans()[0]
	require.Equal(t, "main.(*Server).Serve", got.Function)
	var names []string
	for _, v := range got.Variables {
		names = append(names, v.Name)
	}
	require.Equal(t, []string{"s", "order", "prices", "err"}, names)
	require.NotEmpty(t, got.Code, "the plan is compiled")
}

func TestProgramWithoutProbes(t *testing.T) {
	t.Parallel()
	_, f, err := open(t, "main.nothing")
	require.ErrorIs(t, err, ErrNothingResolved)
	require.Nil(t, f, "nothing is loaded")
}

// TestProgramKnowsItsProcesses answers for the process of an event: by the
// number of its attachment, after it ended too, and when its pid was used again.
func TestProgramKnowsItsProcesses(t *testing.T) {
	t.Parallel()
	p, f, err := open(t, "main.handle")
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	one, _ := startShop(t)
	two, _ := startShop(t)
	one.Service, two.Service = "one", "two"
	require.NoError(t, p.Attach(one))
	first := f.hit(one.PID)
	require.Equal(t, "one", p.process(first).Service)
	require.Equal(t, one.PID, p.process(first).PID)
	require.NoError(t, p.Attach(two))
	require.Equal(t, "one", p.process(first).Service)
	require.Equal(t, "two", p.process(f.hit(two.PID)).Service)
	require.Regexp(t, `^pid:\d+,entrypoint\.name:shop,host\.name:h$`, p.process(first).Tags)
	require.Equal(t, snapshot.Process{}, p.process(&event.Event{PID: uint32(two.PID)}), "of nobody")

	require.NoError(t, p.Detach(one.PID))
	again := one
	again.Service = "again"
	require.NoError(t, p.Attach(again))
	require.Equal(t, "one", p.process(first).Service, "its last events may be on their way")
	require.Equal(t, "again", p.process(f.hit(one.PID)).Service)
	p.forget(time.Now().Add(remember - time.Second))
	require.Len(t, p.placed, 3)
	p.forget(time.Now().Add(remember + time.Second))
	require.Len(t, p.placed, 2)
}

// TestProgramKeepsToItsFile: a process that executes another program between
// being looked at and being probed must not get breakpoints meant for the first.
func TestProgramKeepsToItsFile(t *testing.T) {
	t.Parallel()
	p, f, err := open(t, "main.handle")
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	proc, _ := startShop(t)
	require.NoError(t, p.Attach(proc))
	exe, err := shopBinary()
	require.NoError(t, err)
	want, err := os.Stat(exe)
	require.NoError(t, err)
	got, err := os.Stat(f.attached[proc.PID])
	require.NoError(t, err)
	require.True(t, os.SameFile(want, got))
	require.NotContains(t, f.attached[proc.PID], strconv.Itoa(proc.PID), "a path through the process changes its meaning")
}

// TestProgramFollowsTheWallClock: one long Read must not keep the first
// comparison of the clocks.
func TestProgramFollowsTheWallClock(t *testing.T) {
	t.Parallel()
	p, _, err := open(t, "main.handle")
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	zero, err := bpf.ClockZero()
	require.NoError(t, err)
	now := uint64(time.Since(zero))
	require.WithinDuration(t, time.Now(), p.wall(now), time.Minute)
	p.reading.zero = p.reading.zero.Add(-time.Hour) // as if the clock was set
	require.WithinDuration(t, time.Now().Add(-time.Hour), p.wall(now-uint64(clockEvery)/2), time.Minute, "not compared for each event")
	require.WithinDuration(t, time.Now(), p.wall(now+2*uint64(clockEvery)), time.Minute)
}

// TestProgramSymbols looks up a run-time address.
func TestProgramSymbols(t *testing.T) {
	t.Parallel()
	p, _, err := open(t, "main.handle")
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Close()) }()
	site := p.Probes()[0].Plans()[0].Sites[0]
	const bias = 0x7000_0000_0000
	s := &symbols{p.symbols, p.bin, bias}
	frames := s.Frames(site.PC+bias, []snapshot.Frame{{Function: "before"}})
	require.Len(t, frames, 2)
	require.Equal(t, "main.handle", frames[1].Function)
	require.Positive(t, frames[1].Line)
	require.Empty(t, s.Frames(1, nil))
}

func TestCache(t *testing.T) {
	t.Parallel()
	c := newCache()
	made := 0
	get := func(inode uint64) []Resolution {
		return c.get(cacheKey{file: binary.Identity{Inode: inode}}, func() []Resolution {
			made++
			return []Resolution{{Definition: definition("a", "f")}}
		})
	}
	for i := range uint64(cachedBinaries) {
		require.Len(t, get(i), 1)
	}
	require.Equal(t, cachedBinaries, made)
	get(0) // used again: now 1 is the oldest
	require.Equal(t, cachedBinaries, made)
	get(100)
	get(0)
	require.Equal(t, cachedBinaries+1, made)
	get(1)
	require.Equal(t, cachedBinaries+2, made)
	require.Len(t, c.entries, cachedBinaries)
	require.Len(t, c.order, cachedBinaries)
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	failed := TargetStatus{State: StateError, Message: "no function"}
	for name, tc := range map[string]struct {
		targets []TargetStatus
		state   State
		message string
	}{
		"none":      {nil, StateReceived, "no process to place it in"},
		"error":     {[]TargetStatus{failed, failed}, StateError, "no function"},
		"installed": {[]TargetStatus{{State: StateInstalled}}, StateInstalled, ""},
		"partly":    {[]TargetStatus{failed, {State: StateInstalled}}, StateInstalled, "not placed in 1 of 2 processes"},
		"emitting":  {[]TargetStatus{{State: StateEmitting}, {State: StateInstalled}, failed}, StateEmitting, "not placed in 1 of 3 processes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := ProbeStatus{Targets: tc.targets}
			p.summarize()
			require.Equal(t, tc.state, p.State)
			require.Equal(t, tc.message, p.Message)

			p = NewStatus(probe.Definition{})
			p.Targets = tc.targets
			p.summarize()
			require.Equal(t, tc.message, p.Message, "what was said of no targets is forgotten")
			require.Equal(t, tc.state == StateEmitting, p.Next == "")
		})
	}
}

func TestSites(t *testing.T) {
	t.Parallel()
	got := sites([]*plan.Plan{
		{Sites: []plan.Site{{PC: 0x401000, Kind: plan.SiteEntry, Anchor: plan.AnchorPushRBP}, {PC: 0x403000, Kind: plan.SiteReturn, Anchor: plan.AnchorStepped}}},
		{Sites: []plan.Site{{PC: 0x402000, Kind: plan.SiteLine, Anchor: plan.AnchorEmulated}}},
	}, plan.Costs{PushRBP: 1, Emulated: 2, Stepped: 3})
	require.Equal(t, []SiteStatus{
		{"entry", "0x401000", "push", 1, true}, {"return", "0x403000", "stepped", 3, true}, {"line", "0x402000", "emulated", 2, true},
	}, got)
}
