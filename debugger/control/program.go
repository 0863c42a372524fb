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
	"github.com/vigil-agent/vigil/debugger/event/pair"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/snapshot"
	"github.com/vigil-agent/vigil/debugger/target"
)

// Session is the kernel's side of a Program; *bpf.Session is the one there is.
type Session interface {
	Attach(path string, pid int, number uint32) error
	DetachPID(pid int) error
	Read(deadline time.Time, fn func(*event.Event)) error
	Interrupt()
	TakeOver() error
	Stats() ([]bpf.ProbeStats, error)
	Mode() string
	Close() error
}

var _ Session = (*bpf.Session)(nil)

// Load makes a session of plans. It takes no hits before TakeOver when it is to
// replace another one, which is nil otherwise.
type Load func(probes []bpf.Probe, before Session) (Session, error)

// LoadKernel is the Load that runs plans in the kernel.
func LoadKernel(probes []bpf.Probe, before Session) (Session, error) {
	after, _ := before.(*bpf.Session)
	s, err := bpf.Load(bpf.Options{After: after}, probes)
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
	options Options
	// resolutions are those of all definitions; probes of the ones that resolved,
	// and parts their places by the Probe of events.
	resolutions []Resolution
	probes      []*Installed
	parts       []part
	returns     bool // one of the parts has them
	kept        bool // bin was handed over to a successor

	reading reading // owned by Read

	mu     sync.RWMutex       // guards what follows
	placed map[uint32]*placed // by the Target of events
	next   uint32             // the last number that was given
}

// Options are what programs are made with.
type Options struct {
	// Load is LoadKernel when nil.
	Load Load
	// Costs are what hits cost here; it is called when the probes are loaded. When
	// nil they are nominal.
	Costs func() plan.Costs
	// Host names the machine in snapshots; empty leaves it out.
	Host string
	// Hide says what snapshots do not show.
	Hide snapshot.Redaction
	// Wanted is called, from Read, when snapshots have met types that are not
	// known (see Successor); it may be nil.
	Wanted func()
}

// placed is a process that the program's probes are placed in.
type placed struct {
	snapshot.Process
	process   target.Process
	snapshots []atomic.Uint64 // by probe
	endedAt   time.Time       // zero while it runs
	calls     *pair.Pairer    // owned by Read; nil when nothing returns
	settled   bool            // ended, and its calls were given back
}

// ErrNothingResolved says that none of a program's definitions can be placed.
var ErrNothingResolved = errors.New("no probe resolves in the binary")

// NewProgram loads the resolutions that have places. It takes the binary over
// and closes it, also when it fails.
func NewProgram(bin *binary.Binary, resolutions []Resolution, o Options) (*Program, error) {
	p, err := newProgram(bin, bin.Symbolizer(), resolutions, o, nil)
	if err != nil {
		return nil, errors.Join(err, bin.Close())
	}
	return p, nil
}

func newProgram(bin *binary.Binary, symbols *binary.Symbolizer, resolutions []Resolution, o Options, before Session) (*Program, error) {
	if o.Load == nil {
		o.Load = LoadKernel
	}
	p := &Program{bin: bin, symbols: symbols, options: o, resolutions: resolutions, placed: map[uint32]*placed{}}
	var probes []bpf.Probe
	for _, r := range resolutions {
		if r.Err != nil {
			continue
		}
		i := &Installed{Definition: r.Definition, resolution: r, index: len(p.probes)}
		i.types.know(r.Types)
		p.probes = append(p.probes, i)
		first := len(probes)
		for _, l := range r.Layouts {
			// All places of a definition share its rate.
			probe := bpf.Probe{Plan: l.Plan(), PerSecond: r.Definition.SnapshotsPerSecond}
			if len(probes) > first {
				probe.Shares = first + 1
			}
			probes = append(probes, probe)
			p.parts = append(p.parts, newPart(i, l))
			p.returns = p.returns || p.parts[len(p.parts)-1].returns
		}
	}
	if len(probes) == 0 {
		return nil, ErrNothingResolved
	}
	costs := plan.NominalCosts("not measured")
	var measuring sync.WaitGroup // while the kernel verifies
	if o.Costs != nil {
		measuring.Go(func() { costs = o.Costs() })
	}
	var err error
	p.session, err = o.Load(probes, before)
	measuring.Wait()
	if err != nil {
		return nil, err
	}
	for _, i := range p.probes {
		i.costs = costs
	}
	p.reading.decoder = snapshot.NewDecoder(snapshot.Deps{Wall: p.wall, Process: p.process})
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
			Tags:    processTags(proc, p.options.Host),
			Symbols: &symbols{p.symbols, p.bin, bias},
		},
		process:   proc,
		snapshots: make([]atomic.Uint64, len(p.probes)),
	}
	if p.returns {
		here.calls = pair.New(callBytes, p.orphan)
	}
	p.mu.Lock()
	p.forget(time.Now())
	p.next++
	number := p.next
	p.placed[number] = here
	p.mu.Unlock()
	if err := p.session.Attach(p.bin.OpenPath(), proc.PID, number); err != nil {
		p.mu.Lock()
		delete(p.placed, number)
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

// forget drops the processes that ended long enough ago and have nothing left to
// say.
func (p *Program) forget(now time.Time) {
	for number, here := range p.placed {
		if !here.endedAt.IsZero() && now.Sub(here.endedAt) > remember && (here.calls == nil || here.settled) {
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
	err := p.session.Close()
	if !p.kept {
		err = errors.Join(err, p.bin.Close())
	}
	if err != nil {
		return fmt.Errorf("unload the probes of %s: %w", p.bin.Path(), err)
	}
	return nil
}

// symbols names the code and the types of one process.
type symbols struct {
	table *binary.Symbolizer
	bin   *binary.Binary
	bias  uint64
}

// Frames implements snapshot.Symbolizer.
func (s *symbols) Frames(pc uint64, dst []snapshot.Frame) []snapshot.Frame {
	for _, f := range s.table.Frames(pc-s.bias, false) {
		dst = append(dst, snapshot.Frame(f))
	}
	return dst
}

// TypeName implements snapshot.TypeNamer.
func (s *symbols) TypeName(offset uint64) (name string, ok bool) {
	return s.bin.RuntimeTypeName(offset)
}
