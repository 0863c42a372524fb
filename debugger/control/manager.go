package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
	"github.com/vigil-agent/vigil/debugger/target"
)

// Config is what is wanted.
type Config struct {
	Definitions []probe.Definition
	// Explicit are the pids that were asked for by number: only there is a
	// program that cannot be probed at all worth a status. A pattern may match
	// any number of them.
	Explicit []int
	// Host names the machine in snapshots.
	Host string
	// Hide says what snapshots do not show.
	Hide snapshot.Redaction
}

// Deps are what a Manager works with.
type Deps struct {
	Log *slog.Logger
	// Changes are the processes as they come and go.
	Changes <-chan target.Change
	// Deliver passes a snapshot on. It is called from one goroutine for each
	// binary.
	Deliver Deliver
	// Load is LoadKernel when nil.
	Load Load
	// Costs are what hits cost here; nominal when nil.
	Costs func() plan.Costs
}

// Manager keeps probes placed in processes.
type Manager struct {
	cfg   Config
	deps  Deps
	cache *cache // owned by run

	wanted chan struct{} // holds one token when types are to be planned
	stop   chan struct{}
	done   chan struct{} // closed by the goroutine that run is
	once   sync.Once

	mu       sync.Mutex // guards everything declared below it
	running  map[binary.Identity]*running
	placings map[int]*placing // by pid
	past     map[string]Counters
	mode     string
}

// placing is what became of one process.
type placing struct {
	process target.Process
	program *running
	// err is why nothing is placed; resolutions may have further errors.
	err         error
	resolutions []Resolution
}

// NewManager makes a manager; it does nothing before Start.
func NewManager(cfg Config, deps Deps) *Manager {
	return &Manager{
		cfg: cfg, deps: deps, cache: newCache(), wanted: make(chan struct{}, 1), stop: make(chan struct{}),
		running: map[binary.Identity]*running{}, placings: map[int]*placing{}, past: map[string]Counters{},
	}
}

// Start begins to follow the changes. It must be called at most once.
func (m *Manager) Start(context.Context) error {
	m.done = make(chan struct{})
	go m.run()
	return nil
}

// Stop removes all probes and delivers what was captured. It is safe without
// Start and to call again. When ctx ends first it returns ctx's error; the
// removal goes on.
func (m *Manager) Stop(ctx context.Context) error {
	if m.done == nil {
		return nil
	}
	m.once.Do(func() { close(m.stop) })
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("remove the probes: %w", ctx.Err())
	}
}

func (m *Manager) run() {
	defer close(m.done)
	replan := time.NewTimer(0)
	defer replan.Stop()
	for {
		select {
		case <-m.stop:
			m.unloadAll()
			return
		case <-m.wanted:
			replan.Reset(time.Until(m.nextReplan()))
		case <-replan.C:
			m.replanDue(time.Now())
		case c, ok := <-m.deps.Changes:
			switch {
			case !ok:
				m.unloadAll()
				return
			case c.Ended:
				m.remove(c.Process)
			default:
				m.place(c.Process)
			}
		}
	}
}

// place brings the probes into a process.
func (m *Manager) place(p target.Process) {
	at := &placing{process: p}
	at.err = m.tryPlace(at)
	if at.err != nil {
		if m.uninteresting(p, at.err) {
			return
		}
		m.deps.Log.Warn("no probes in a process", "pid", p.PID, "exe", p.Exe, "error", at.err)
	} else {
		m.deps.Log.Info("probes placed", "pid", p.PID, "exe", p.Exe, "service", p.Service, "probes", len(at.program.Probes()))
	}
	m.mu.Lock()
	m.placings[p.PID] = at
	m.mu.Unlock()
}

// uninteresting reports whether a failure says nothing to the user: the process
// ended in between, or it is one that a pattern matched by accident.
func (m *Manager) uninteresting(p target.Process, err error) bool {
	if !p.Running() {
		return true
	}
	return !slices.Contains(m.cfg.Explicit, p.PID) && (errors.Is(err, binary.ErrNotGo) || errors.Is(err, binary.ErrNotELF))
}

func (m *Manager) tryPlace(at *placing) error {
	r, err := m.program(at)
	if err != nil {
		return err
	}
	if err := r.Attach(at.process); err != nil {
		if len(r.pids) == 0 {
			m.unload(r)
		}
		return err
	}
	m.mu.Lock()
	r.pids = append(r.pids, at.process.PID)
	at.program = r
	m.mu.Unlock()
	return nil
}

// program is the program of a process's binary, loaded if need be.
func (m *Manager) program(at *placing) (*running, error) {
	bin, err := binary.Open(at.process.ExePath())
	if err != nil {
		return nil, err
	}
	id := bin.Identity()
	if r, ok := m.running[id]; ok {
		at.resolutions = r.resolutions
		return r, bin.Close()
	}
	at.resolutions = m.cache.get(keyOf(bin), func() []Resolution { return Resolve(bin, m.cfg.Definitions, m.cfg.Hide) })
	p, err := NewProgram(bin, at.resolutions, Options{Load: m.deps.Load, Costs: m.deps.Costs, Host: m.cfg.Host, Hide: m.cfg.Hide, Wanted: m.want})
	if err != nil {
		return nil, err
	}
	r := newRunning(p)
	m.mu.Lock()
	m.running[id] = r
	m.mode = p.Mode()
	m.mu.Unlock()
	go m.read(r)
	return r, nil
}

// remove takes the probes out of a process that ended.
func (m *Manager) remove(p target.Process) {
	m.mu.Lock()
	at := m.placings[p.PID]
	delete(m.placings, p.PID)
	m.mu.Unlock()
	if at == nil || at.program == nil {
		return
	}
	r := at.program
	if err := r.Detach(p.PID); err != nil {
		m.deps.Log.Warn("probes of an ended process are not fully removed", "pid", p.PID, "error", err)
	}
	m.mu.Lock()
	r.pids = slices.DeleteFunc(r.pids, func(pid int) bool { return pid == p.PID })
	unused := len(r.pids) == 0
	m.mu.Unlock()
	m.deps.Log.Info("process ended", "pid", p.PID, "exe", p.Exe)
	if unused {
		m.unload(r)
	}
}
