package bpf

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// BenchmarkHit is what one call of a probed function costs its process, the
// call itself and the trap included. Compare the lines of one run: the cost of
// a trap differs between machines, and more so under virtualisation.
func BenchmarkHit(b *testing.B) {
	needKernel(b)
	f := getBinary(b)
	b.Run("empty", func(b *testing.B) { benchEmpty(b, f) })
	for _, c := range []struct {
		name  string
		o     Options
		probe func() Probe
	}{
		{"not probed", Options{}, nil},
		{"throttled", Options{}, func() Probe { return Probe{Plan: f.textPlan(b), PerSecond: 1e-9} }},
		{"nothing captured", Options{}, func() Probe { return Probe{Plan: f.entry(b, "main.Text"), NoStack: true} }},
		{"stack", Options{}, func() Probe { return Probe{Plan: f.entry(b, "main.Text")} }},
		{"stack and three strings", Options{}, func() Probe { return Probe{Plan: f.textPlan(b)} }},
		{"stack and three strings, classic", Options{NoSleep: true}, func() Probe { return Probe{Plan: f.textPlan(b)} }},
		{"stack and three strings, perf", Options{PerfLinks: true}, func() Probe { return Probe{Plan: f.textPlan(b)} }},
		{"stack and ten words of it", Options{}, func() Probe {
			return Probe{Plan: f.onStack(b, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8)}
		}},
		{"stack and 1 KiB", Options{}, func() Probe { return Probe{Plan: f.kibPlan(b)} }},
		{"stack and three strings, first instruction", Options{}, func() Probe {
			p := f.textPlan(b)
			p.Sites = f.at(b, "main.Text", anyInst).Sites
			return Probe{Plan: p}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			target := f.start(b)
			var s *Session
			if c.probe != nil {
				s = load(b, c.o, c.probe())
				require.NoError(b, s.Attach(target.exe, target.pid, 0))
				read := make(chan struct{})
				go func() {
					defer close(read)
					for !errors.Is(s.Read(time.Now().Add(time.Second), func(*event.Event) {}), os.ErrClosed) {
					}
				}()
				defer func() { require.NoError(b, s.Close()); <-read }()
			}
			target.fastest(b)
			if s != nil {
				st := stats(b, s)
				if n := st.Hits - st.Throttled; n > 1 {
					b.ReportMetric(float64(st.Busy.Nanoseconds())/float64(n), "program-ns/op")
				}
				b.ReportMetric(float64(st.RingFull), "lost")
			}
		})
	}
}

// fastest calls the probed function: the fastest of ten parts is what a quiet
// machine would show.
func (p *process) fastest(b *testing.B) {
	b.Helper()
	p.call(b, "text", 1000) // warms up
	part := max(b.N/10, 1)
	fastest := p.call(b, "text", part)
	for done := part; done+part <= b.N; done += part {
		fastest = min(fastest, p.call(b, "text", part))
	}
	b.ReportMetric(float64(fastest)/float64(part), "ns/op")
}

// benchEmpty is the empty probe, which others are compared to: a program at the
// same site that counts the hit and returns.
func benchEmpty(b *testing.B, f *targetFile) {
	b.Helper()
	counts, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	require.NoError(b, err)
	defer func() { require.NoError(b, counts.Close()) }()
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceUprobeMulti, License: "GPL", Flags: unix.BPF_F_SLEEPABLE,
		Instructions: asm.Instructions{
			asm.StoreImm(asm.RFP, -4, 0, asm.Word),
			asm.LoadMapPtr(asm.R1, counts.FD()),
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, -4),
			asm.FnMapLookupElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "exit"),
			asm.Mov.Imm(asm.R1, 1),
			asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("exit"),
			asm.Return(),
		},
	})
	require.NoError(b, err)
	defer func() { require.NoError(b, prog.Close()) }()
	target := f.start(b)
	ex, err := link.OpenExecutable(target.exe)
	require.NoError(b, err)
	l, err := ex.UprobeMulti(nil, prog, &link.UprobeMultiOptions{
		PID: uint32(target.pid), Addresses: []uint64{f.entry(b, "main.Text").Sites[0].FileOffset},
	})
	require.NoError(b, err)
	defer func() { require.NoError(b, l.Close()) }()
	target.fastest(b)
	var perCPU []uint64
	require.NoError(b, counts.Lookup(uint32(0), &perCPU))
	var hits uint64
	for _, n := range perCPU {
		hits += n
	}
	require.GreaterOrEqual(b, hits, uint64(b.N))
}

// kibPlan captures 1 KiB of variables: the whole of the longest string.
func (b *targetFile) kibPlan(tb testing.TB) *plan.Plan {
	tb.Helper()
	p := b.textPlan(tb)
	p.Limits.Length = 1024
	p.Types.Runtime.G.StackHigh = 8 // the second word of runtime.g
	require.NoError(tb, plan.Compile(p))
	return p
}

// BenchmarkRead is the reader's side: 1000 events from the ring to the callback.
func BenchmarkRead(b *testing.B) {
	needKernel(b)
	f := getBinary(b)
	s := load(b, Options{}, Probe{Plan: f.textPlan(b)})
	target := f.start(b)
	require.NoError(b, s.Attach(target.exe, target.pid, 0))
	got := 0
	fn := func(*event.Event) { got++ }
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		got = 0
		target.call(b, "text", 1000)
		b.StartTimer()
		if err := s.Read(time.Now(), fn); err != nil || got != 1000 {
			b.Fatal(got, err)
		}
	}
}

func TestReadAllocatesNothingPerEvent(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	s := load(t, Options{RingBytes: 16 << 20}, Probe{Plan: b.textPlan(t)})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	const events = 1000
	target.call(t, "text", 2*events)
	require.NoError(t, s.Read(time.Now(), func(*event.Event) {}))
	target.call(t, "text", 2*events)

	got := 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, s.Read(time.Now(), func(*event.Event) { got++ }))
	runtime.ReadMemStats(&after)
	require.Equal(t, 2*events, got)
	// A call of Read has a few of its own, and so do the runtime's goroutines.
	require.Less(t, after.Mallocs-before.Mallocs, uint64(events/10))
}
