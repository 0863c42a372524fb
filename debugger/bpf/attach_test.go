package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
)

func TestOnlyTheNamedProcessIsProbed(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for name, o := range modes {
		t.Run(name, func(t *testing.T) {
			s := load(t, o, Probe{Plan: b.entry(t, "main.Text")})
			probed, other := b.start(t), b.start(t)
			require.NoError(t, s.Attach(probed.exe, probed.pid, 0))
			other.call(t, "text", 10)
			require.Zero(t, stats(t, s).Hits)

			// Every thread of the process counts, not just the first.
			probed.call(t, "threads", 10)
			require.EqualValues(t, 80, stats(t, s).Hits)
			tids := map[uint32]bool{}
			for _, e := range drain(t, s) {
				require.EqualValues(t, probed.pid, e.PID)
				tids[e.TID] = true
			}
			require.Len(t, tids, 8)

			// A second process joins, the first leaves.
			require.NoError(t, s.Attach(other.exe, other.pid, 0))
			require.NoError(t, s.DetachPID(probed.pid))
			probed.call(t, "text", 10)
			other.call(t, "text", 10)
			require.EqualValues(t, 90, stats(t, s).Hits)
			for _, e := range drain(t, s) {
				require.EqualValues(t, other.pid, e.PID)
			}
		})
	}
}

func TestEveryProcessOfAFile(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{}, Probe{Plan: b.entry(t, "main.Text")})
	first := b.start(t)
	require.NoError(t, s.Attach(b.path, 0, 0))
	second := b.start(t)
	first.call(t, "text", 1)
	second.call(t, "text", 1)
	var pids []uint32
	for _, e := range drain(t, s) {
		pids = append(pids, e.PID)
	}
	require.Equal(t, []uint32{uint32(first.pid), uint32(second.pid)}, pids)
}

func TestProbesAndSitesAreTold(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for name, o := range map[string]Options{"multi": {}, "perf": {PerfLinks: true}} {
		t.Run(name, func(t *testing.T) {
			// Two functions in the second plan stand for two sites of one.
			two := b.entry(t, "main.Middle")
			two.Sites = append(two.Sites, b.entry(t, "main.Text").Sites...)
			s := load(t, o, Probe{Plan: b.entry(t, "main.Outer")}, Probe{Plan: two, NoStack: true})
			target := b.start(t)
			const number = math.MaxUint32 - 1
			require.NoError(t, s.Attach(target.exe, target.pid, number))
			target.call(t, "outer", 1)
			var got [][3]uint32
			for _, e := range drain(t, s) {
				got = append(got, [3]uint32{e.Probe, e.Site, uint32(len(e.Stack))})
				require.EqualValues(t, number, e.Target)
			}
			require.Equal(t, [][3]uint32{{0, 0, 5}, {1, 0, 0}, {1, 1, 0}}, got)
			all, err := s.Stats()
			require.NoError(t, err)
			require.Equal(t, []uint64{1, 2}, []uint64{all[0].Hits, all[1].Hits})
		})
	}
}

// TestStackAtAnySite checks the two ways the first return address is found.
func TestStackAtAnySite(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	first := b.site(t, "main.Text", anyInst)
	inside := b.site(t, "main.Text", callInst)
	// A frame without locals of its own: after PUSH RBP, CFA is RSP+16.
	inside.CFAOffset, inside.Framed = 16, true
	for name, site := range map[string]plan.Site{"first instruction": first, "push": b.site(t, "main.Text", pushRBP), "framed": inside} {
		t.Run(name, func(t *testing.T) {
			p := b.entry(t, "main.Text")
			p.Sites = []plan.Site{site}
			s := load(t, Options{}, Probe{Plan: p})
			target := b.start(t)
			require.NoError(t, s.Attach(target.exe, target.pid, 0))
			target.call(t, "outer", 1)
			events := drain(t, s)
			if name == "first instruction" {
				// The runtime may begin a function again from there, when it is
				// preempted or its stack grows.
				require.NotEmpty(t, events)
			} else {
				require.Len(t, events, 1)
			}
			for _, e := range events {
				var stack []string
				for _, pc := range e.Stack {
					stack = append(stack, b.function(pc))
				}
				require.Equal(t, []string{
					"main.Text", "main.Middle", "main.Outer", "main.call", "main.main", "runtime.main", "runtime.goexit.abi0",
				}, stack)
			}
		})
	}
}

func TestDetachGivesTheTargetBackAsItWas(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	for name, o := range map[string]Options{"multi": {}, "perf": {PerfLinks: true}} {
		t.Run(name, func(t *testing.T) {
			target := b.start(t)
			const n = 20_000
			fastest := func() int64 {
				ns := target.call(t, "text", n)
				for range 4 {
					ns = min(ns, target.call(t, "text", n))
				}
				return ns
			}
			before := fastest()
			s := load(t, o, Probe{Plan: b.entry(t, "main.Text"), PerSecond: 1})
			require.NoError(t, s.Attach(target.exe, target.pid, 0))
			during := fastest()
			require.NoError(t, s.Detach())
			require.NoError(t, s.Detach(), "detaching again does nothing")
			after := fastest()
			t.Logf("%d calls: %v before, %v probed, %v after", n, time.Duration(before), time.Duration(during), time.Duration(after))
			require.Greater(t, during, 20*before, "a probed call costs a trap")
			require.Less(t, after, 5*before, "nothing may be left in the code")
			hits := stats(t, s).Hits
			require.EqualValues(t, 5*n, hits)

			require.NoError(t, s.Attach(target.exe, target.pid, 0), "a detached session can attach again")
			target.call(t, "text", 1)
			require.Equal(t, hits+1, stats(t, s).Hits)
			require.NoError(t, s.Close())
			require.NoError(t, s.Close(), "closing again does nothing")
			require.Equal(t, hits+1, stats(t, s).Hits, "the counters stay")
			require.ErrorIs(t, s.Attach(target.exe, target.pid, 0), os.ErrClosed)
			require.ErrorIs(t, s.Read(time.Now(), func(*event.Event) {}), os.ErrClosed)
			require.Less(t, fastest(), 5*before)
		})
	}
}

func TestAttachErrors(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	target := b.start(t)
	gone := exec.Command(b.path)
	require.NoError(t, gone.Run())
	for name, o := range map[string]Options{"multi": {}, "perf": {PerfLinks: true}} {
		t.Run(name, func(t *testing.T) {
			s := load(t, o, Probe{Plan: b.entry(t, "main.Text")})
			err := s.Attach("/nowhere", target.pid, 0)
			require.ErrorIs(t, err, os.ErrNotExist)
			require.ErrorContains(t, err, "attach to pid ")
			require.ErrorIs(t, s.Attach(b.path, gone.Process.Pid, 0), os.ErrNotExist)

			require.NoError(t, s.Attach(target.exe, target.pid, 0))
			require.ErrorContains(t, s.Attach(target.exe, target.pid, 0), "already attached")
			require.NoError(t, s.DetachPID(gone.Process.Pid), "a process without probes is no error")
		})
	}
}

func TestProcessThatEndsWhileProbed(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{}, Probe{Plan: b.entry(t, "main.Text")})
	cmd := exec.Command(b.path)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.NoError(t, s.Attach(b.path, cmd.Process.Pid, 0))
	_, err = in.Write([]byte("text 3\n"))
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	require.Len(t, drain(t, s), 3)
	require.NoError(t, s.DetachPID(cmd.Process.Pid))
}

func TestLoadRejectsWhatItCannotRun(t *testing.T) {
	t.Parallel()
	sites := []plan.Site{{FileOffset: 1}}
	code := []plan.Op{{}}
	for want, probes := range map[string][]Probe{
		"load probes: 0 given, want 1 to 65536":             nil,
		"load probe a: its plan for main.f has no sites":    {{Plan: &plan.Plan{Code: code}}},
		"load probe a: its plan for main.f is not compiled": {{Plan: &plan.Plan{Sites: sites}}},
		"load probe a: a root of 8193 bytes exceeds 8192":   {{Plan: &plan.Plan{Sites: sites, Code: code, RootSize: 8193}}},
		"load probe a: -1 events per second":                {{Plan: &plan.Plan{Sites: sites, Code: code}, PerSecond: -1}},
	} {
		for _, p := range probes {
			p.Plan.ProbeID, p.Plan.Function = "a", "main.f"
		}
		_, err := Load(Options{}, probes)
		require.EqualError(t, err, want)
	}
}

// TestTwoProbesOfOneInstruction is what two people asking about the same
// function get.
func TestTwoProbesOfOneInstruction(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	p := b.entry(t, "main.Text")
	s := load(t, Options{}, Probe{Plan: p}, Probe{Plan: p})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	target.call(t, "text", 1)
	var probes []uint32
	for _, e := range drain(t, s) {
		probes = append(probes, e.Probe)
	}
	require.ElementsMatch(t, []uint32{0, 1}, probes)
}

// TestExecutableThatIsGone is a service whose file was replaced by an upgrade.
func TestExecutableThatIsGone(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	path := filepath.Join(t.TempDir(), "service")
	// Not written by this process: a child that is started at the same time
	// would hold the file open for writing until it executes.
	require.NoError(t, exec.Command("cp", b.path, path).Run())
	moved := *b
	moved.path = path
	target := moved.start(t)
	require.NoError(t, os.Remove(path))
	s := load(t, Options{}, Probe{Plan: b.entry(t, "main.Text")})
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	target.call(t, "text", 2)
	require.Len(t, drain(t, s), 2)
}

// TestKilledTracerLeavesNothing runs this test again as a tracer and kills it.
func TestKilledTracerLeavesNothing(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	if pid, err := strconv.Atoi(os.Getenv("VIGIL_TEST_TRACE")); err == nil {
		s, err := Load(Options{}, []Probe{{Plan: b.entry(t, "main.Text")}})
		require.NoError(t, err)
		require.NoError(t, s.Attach(fmt.Sprintf("/proc/%d/exe", pid), pid, 0))
		fmt.Println("attached")
		select {}
	}
	target := b.start(t)
	const n = 10_000
	before := target.call(t, "text", n)
	tracer := exec.Command("/proc/self/exe", "-test.run=^TestKilledTracerLeavesNothing$")
	tracer.Env = append(os.Environ(), fmt.Sprint("VIGIL_TEST_TRACE=", target.pid), "VIGIL_TEST_TARGET="+b.path)
	out, err := tracer.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, tracer.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "attached\n", line)
	during := target.call(t, "text", n)
	require.NoError(t, tracer.Process.Kill())
	require.Error(t, tracer.Wait())
	require.Greater(t, during, 10*before)
	require.Eventually(t, func() bool { return target.call(t, "text", n) < 10*before }, 5*time.Second, 10*time.Millisecond)
}

func TestNothingLeaks(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	target := b.start(t)
	p := Probe{Plan: b.entry(t, "main.Text")}
	cycle := func(o Options) {
		s, err := Load(o, []Probe{p})
		require.NoError(t, err)
		info, err := s.prog.Info()
		require.NoError(t, err)
		id, ok := info.ID()
		require.True(t, ok)
		require.NoError(t, s.Attach(target.exe, target.pid, 0))
		target.call(t, "text", 1)
		require.NoError(t, s.Close())
		// The kernel lets go after a grace period.
		require.Eventually(t, func() bool {
			prog, err := ebpf.NewProgramFromID(id)
			if err == nil {
				require.NoError(t, prog.Close())
			}
			return errors.Is(err, os.ErrNotExist)
		}, 5*time.Second, time.Millisecond)
	}
	// The first round opens what stays open, like the runtime's poller.
	cycle(Options{})
	before := descriptors(t)
	for range 3 {
		cycle(Options{})
		cycle(Options{PerfLinks: true})
	}
	require.Equal(t, before, descriptors(t))
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(fds)
}
