package control

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
	"github.com/vigil-agent/vigil/debugger/target"
)

// Session is the kernel's side of a Program; *bpf.Session is the one there is.
type Session interface {
	Attach(path string, pid int, number uint32) error
	DetachPID(pid int) error
	Read(deadline time.Time, fn func(*event.Event)) error
	Interrupt()
	Stats() ([]bpf.ProbeStats, error)
	Mode() string
	Close() error
}

var _ Session = (*bpf.Session)(nil)

// Load makes a session of plans.
type Load func(probes []bpf.Probe) (Session, error)

// LoadKernel is the Load that runs plans in the kernel.
func LoadKernel(probes []bpf.Probe) (Session, error) {
	s, err := bpf.Load(bpf.Options{}, probes)
	if err != nil {
		return nil, err // a nil *bpf.Session in a Session would not be nil
	}
	return s, nil
}

// Program is one binary with its probes in the kernel. Attach, Detach and
// Counters may be called from any goroutine, Read from one at a time.
type Program struct {
	bin     *binary.Binary
	symbols *binary.Symbolizer
	session Session
	probes  []*Installed
	decoder *snapshot.Decoder
	host    string

	zero   time.Time // wall time at which the monotonic clock was 0; owned by Read
	zeroAt uint64    // monotonic time at which zero was found out

	mu     sync.RWMutex       // guards what follows
	placed map[uint32]*placed // by the Target of events
	next   uint32             // the last number that was given
}

// Installed is one definition that resolved in the program's binary.
type Installed struct {
	Definition probe.Definition
	Layout     *snapshot.Layout
	index      int
	snapshots  atomic.Uint64
	bytes      atomic.Uint64
	refused    atomic.Uint64
}

// Plan is where and what the probe captures.
func (i *Installed) Plan() *plan.Plan { return i.Layout.Plan() }

// placed is a process that the program's probes are placed in.
type placed struct {
	snapshot.Process
	number    uint32
	snapshots []atomic.Uint64 // by probe
	endedAt   time.Time       // zero while it runs
}

// ErrNothingResolved says that none of a program's definitions can be placed.
var ErrNothingResolved = errors.New("no probe resolves in the binary")

// NewProgram loads the resolutions that have a layout. It takes the binary over
// and closes it, also when it fails. host names the machine in snapshots; empty
// leaves it out.
func NewProgram(bin *binary.Binary, resolutions []Resolution, load Load, host string) (*Program, error) {
	p := &Program{bin: bin, symbols: bin.Symbolizer(), host: host, placed: map[uint32]*placed{}}
	var probes []bpf.Probe
	for _, r := range resolutions {
		if r.Err != nil {
			continue
		}
		p.probes = append(p.probes, &Installed{Definition: r.Definition, Layout: r.Layout, index: len(probes)})
		probes = append(probes, bpf.Probe{Plan: r.Layout.Plan(), PerSecond: r.Definition.SnapshotsPerSecond})
	}
	err := ErrNothingResolved
	if len(probes) > 0 {
		p.session, err = load(probes)
	}
	if err != nil {
		return nil, errors.Join(err, bin.Close())
	}
	p.decoder = snapshot.NewDecoder(snapshot.Deps{
		Wall:    p.wall,
		Process: p.process,
	})
	return p, nil
}

// Probes are those that resolved, in the order of their events' index.
func (p *Program) Probes() []*Installed { return p.probes }

// Mode says how the kernel runs the probes.
func (p *Program) Mode() string { return p.session.Mode() }

// Attach places the probes in a process that runs the binary. They are placed by
// the file that was opened, so a process that has meanwhile executed another
// program stays as it is.
func (p *Program) Attach(proc target.Process) error {
	bias, err := proc.LoadBias(p.bin.Address)
	if err != nil {
		return err
	}
	here := &placed{
		Process: snapshot.Process{
			PID:     proc.PID,
			Service: proc.Service,
			Tags:    processTags(proc, p.host),
			Symbols: &symbols{p.symbols, bias},
		},
		snapshots: make([]atomic.Uint64, len(p.probes)),
	}
	p.mu.Lock()
	p.forget(time.Now())
	p.next++
	here.number = p.next
	p.placed[here.number] = here
	p.mu.Unlock()
	if err := p.session.Attach(p.bin.OpenPath(), proc.PID, here.number); err != nil {
		p.mu.Lock()
		delete(p.placed, here.number)
		p.mu.Unlock()
		return err
	}
	return nil
}

// remember is how long a process is known after it ended: its last events may
// still be on their way.
const remember = 5 * time.Second

// Detach removes the probes from a process, also from one that ended.
func (p *Program) Detach(pid int) error {
	err := p.session.DetachPID(pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	if here := p.running(pid); here != nil {
		here.endedAt = time.Now()
	}
	return err
}

// running is the process with the pid that has not ended, or nil. The caller
// holds mu.
func (p *Program) running(pid int) *placed {
	for _, here := range p.placed {
		if here.PID == pid && here.endedAt.IsZero() {
			return here
		}
	}
	return nil
}

// forget drops the processes that ended long enough ago.
func (p *Program) forget(now time.Time) {
	for number, here := range p.placed {
		if !here.endedAt.IsZero() && now.Sub(here.endedAt) > remember {
			delete(p.placed, number)
		}
	}
}

// processTags are the process_tags of a process's snapshots.
func processTags(proc target.Process, host string) string {
	tags := "pid:" + strconv.Itoa(proc.PID) + ",entrypoint.name:" + proc.Name()
	if host != "" {
		tags += ",host.name:" + host
	}
	return tags
}

// process answers the decoder.
func (p *Program) process(e *event.Event) snapshot.Process {
	if here := p.lookup(e.Target); here != nil {
		return here.Process
	}
	return snapshot.Process{}
}

func (p *Program) lookup(number uint32) *placed {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.placed[number]
}

// clockEvery is how often the wall clock is compared with the monotonic one.
const clockEvery = time.Second

// wall is the wall-clock time of an event.
func (p *Program) wall(ktime uint64) time.Time {
	// Events of several processors are not quite in order.
	if age := time.Duration(ktime - p.zeroAt); p.zero.IsZero() || age.Abs() > clockEvery {
		// This clock is always there; without it the last comparison would do.
		if zero, err := bpf.ClockZero(); err == nil {
			p.zero, p.zeroAt = zero, ktime
		}
	}
	return p.zero.Add(time.Duration(ktime))
}

// Read decodes the hits until the deadline or Interrupt and hands each to fn,
// with the probe that was hit; the snapshot is valid during the call only. fn
// reports how many bytes were passed on, or less than 0 when they were not. An
// error matches os.ErrClosed after Close, or event.ErrMalformed for a single
// event.
func (p *Program) Read(deadline time.Time, fn func(*Installed, *snapshot.Snapshot) int) error {
	return p.session.Read(deadline, func(e *event.Event) {
		if int(e.Probe) >= len(p.probes) {
			return
		}
		hit := p.probes[e.Probe]
		n := fn(hit, p.decoder.Decode(hit.Layout, e))
		if n < 0 {
			hit.refused.Add(1)
			return
		}
		hit.snapshots.Add(1)
		hit.bytes.Add(uint64(n))
		if here := p.lookup(e.Target); here != nil {
			here.snapshots[hit.index].Add(1)
		}
	})
}

// Interrupt makes the Read that waits now, or else the next one, return.
func (p *Program) Interrupt() { p.session.Interrupt() }

// Drain reads what is left after the probes were removed from every process;
// events that cannot be read are skipped.
func (p *Program) Drain(fn func(*Installed, *snapshot.Snapshot) int) error {
	for {
		if err := p.Read(time.Now(), fn); !errors.Is(err, event.ErrMalformed) {
			return err
		}
	}
}

// emitted is how many snapshots of a probe came from a process.
func (p *Program) emitted(hit *Installed, pid int) uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if here := p.running(pid); here != nil {
		return here.snapshots[hit.index].Load()
	}
	return 0
}

// Close removes the probes everywhere and closes the binary. No Read may be
// running or follow.
func (p *Program) Close() error {
	if err := errors.Join(p.session.Close(), p.bin.Close()); err != nil {
		return fmt.Errorf("unload the probes of %s: %w", p.bin.Path(), err)
	}
	return nil
}

// symbols names the code of one process.
type symbols struct {
	table *binary.Symbolizer
	bias  uint64
}

// Frames implements snapshot.Symbolizer.
func (s *symbols) Frames(pc uint64, dst []snapshot.Frame) []snapshot.Frame {
	for _, f := range s.table.Frames(pc-s.bias, false) {
		dst = append(dst, snapshot.Frame(f))
	}
	return dst
}
