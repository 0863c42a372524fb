package calibrate

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// Fixtures, in assembly: the first instruction of each is of one class.
func pushFixture()
func emulatedFixture()
func steppedFixture()

// fixtureAddresses are those of the instructions. A Go function value would be
// that of a wrapper.
func fixtureAddresses() (push, emulated, stepped uintptr)

const (
	// perClass is how long calls of one fixture are timed; perBatch how many are timed
	// at once, few enough that most batches run without another process in between.
	// The cheapest batch counts: what else the machine does only adds to it.
	perClass = 6 * time.Millisecond
	perBatch = 4
	// leastBatches are timed also when the machine is so busy that it takes longer.
	leastBatches = 100
	// leastTrap is less than any trap takes: nothing but calls without a probe is
	// faster.
	leastTrap = 50 * time.Nanosecond
)

// measure places the probes, calls, and removes them.
func measure() (c plan.Costs, err error) {
	if err := bpf.Supported(); err != nil {
		return c, err
	}
	fixtures := [...]struct {
		call func()
		cost *time.Duration
		free time.Duration // of a call without a probe
	}{
		{call: pushFixture, cost: &c.PushRBP},
		{call: emulatedFixture, cost: &c.Emulated},
		{call: steppedFixture, cost: &c.Stepped},
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range fixtures {
		fixtures[i].free = cheapest(fixtures[i].call, perClass/10)
	}
	remove, err := place()
	if err != nil {
		return c, fmt.Errorf("measure the cost of a probe: %w", err)
	}
	for i := range fixtures {
		f := &fixtures[i]
		*f.cost = cheapest(f.call, perClass) - f.free
	}
	if err := remove(); err != nil {
		return c, fmt.Errorf("measure the cost of a probe: %w", err)
	}
	if low := min(c.PushRBP, c.Emulated, c.Stepped); low < leastTrap {
		return c, fmt.Errorf("measure the cost of a probe: a hit cannot take %v only", low)
	}
	return c, nil
}

// cheapest is what a call takes in the best of the batches that fit the time, and
// of leastBatches.
func cheapest(call func(), within time.Duration) time.Duration {
	best := time.Duration(math.MaxInt64)
	begin := time.Now()
	for n := 0; n < leastBatches || time.Since(begin) < within; n++ {
		start := time.Now()
		for range perBatch {
			call()
		}
		best = min(best, time.Since(start)/perBatch)
	}
	return best
}

// place puts an empty program on the fixtures of this process; another that runs the
// same file, and may be measuring too, does not have it.
func place() (remove func() error, err error) {
	exe, err := link.OpenExecutable("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	offsets, err := fixtureOffsets()
	if err != nil {
		return nil, err
	}
	load := func(attach ebpf.AttachType) (*ebpf.Program, error) {
		return ebpf.NewProgram(&ebpf.ProgramSpec{
			Name: "vigil_empty", Type: ebpf.Kprobe, AttachType: attach, License: "GPL",
			Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		})
	}
	if prog, err := load(ebpf.AttachTraceUprobeMulti); err == nil {
		if l, err := exe.UprobeMulti(nil, prog, &link.UprobeMultiOptions{Addresses: offsets, PID: uint32(os.Getpid())}); err == nil {
			return func() error { return errors.Join(l.Close(), prog.Close()) }, nil
		}
		if err := prog.Close(); err != nil {
			return nil, err
		}
	}
	// Before Linux 6.6 each site is on its own.
	prog, err := load(ebpf.AttachNone)
	if err != nil {
		return nil, err
	}
	closers := []func() error{prog.Close}
	remove = func() (err error) {
		for _, c := range closers {
			err = errors.Join(err, c())
		}
		return err
	}
	for _, off := range offsets {
		l, err := exe.Uprobe("", prog, &link.UprobeOptions{Address: off, PID: os.Getpid()})
		if err != nil {
			return nil, errors.Join(err, remove())
		}
		closers = append(closers, l.Close)
	}
	return remove, nil
}

// fixtureOffsets are where the instructions are in the file of this process.
func fixtureOffsets() ([]uint64, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, fmt.Errorf("find the fixtures: %w", err)
	}
	push, emulated, stepped := fixtureAddresses()
	var offsets []uint64
	for _, addr := range []uintptr{push, emulated, stepped} {
		off, ok := fileOffset(maps, uint64(addr))
		if !ok {
			return nil, fmt.Errorf("find the fixtures: %#x is in no mapping", addr)
		}
		offsets = append(offsets, off)
	}
	return offsets, nil
}
