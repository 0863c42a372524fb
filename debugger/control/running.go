package control

import (
	"errors"
	"time"

	"github.com/vigil-agent/vigil/debugger/event"
)

// running is a program and its reader.
type running struct {
	*Program
	pids    []int
	replans allowance
	quit    chan struct{}
	done    chan struct{} // closed by the goroutine that read is
}

func newRunning(p *Program) *running {
	return &running{Program: p, quit: make(chan struct{}), done: make(chan struct{})}
}

// How long a reader reads before it looks around, if nobody interrupts it: where
// calls wait for their return, some may be overdue.
const (
	readFor      = time.Hour
	readCallsFor = 5 * time.Second
)

// read delivers the hits of a program until it is told to quit, and what is
// there then.
func (m *Manager) read(r *running) {
	defer close(r.done)
	reported, turn := false, readFor
	if r.returns {
		turn = readCallsFor
	}
	for {
		select {
		case <-r.quit:
			if err := r.Drain(m.deps.Deliver); err != nil {
				m.deps.Log.Error("the last hits cannot be read", "exe", r.bin.Path(), "error", err)
			}
			return
		default:
		}
		err := r.Read(time.Now().Add(turn), m.deps.Deliver)
		switch {
		case err == nil || errors.Is(err, event.ErrMalformed) && reported:
		case errors.Is(err, event.ErrMalformed):
			m.deps.Log.Error("an event cannot be read; such events are skipped", "error", err)
			reported = true
		default:
			m.deps.Log.Error("hits cannot be read any more", "exe", r.bin.Path(), "error", err)
			return
		}
	}
}

// unload ends a program: no new hits, the last ones delivered, the counters
// kept.
func (m *Manager) unload(r *running) {
	for _, pid := range r.pids {
		if err := r.Detach(pid); err != nil {
			m.deps.Log.Warn("probes are not fully removed", "pid", pid, "error", err)
		}
	}
	counters := m.finish(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, have := range m.running {
		if have == r {
			delete(m.running, id)
		}
	}
	m.remember(r, counters)
}

// finish delivers what a program captured and closes it.
func (m *Manager) finish(r *running) []Counters {
	close(r.quit)
	r.Interrupt()
	<-r.done
	err := r.Close()
	counters, statsErr := r.Counters()
	if err := errors.Join(err, statsErr); err != nil {
		m.deps.Log.Warn("probes are not fully removed", "error", err)
	}
	return counters
}

// remember keeps the counters of a program that was closed. The caller holds mu.
func (m *Manager) remember(r *running, counters []Counters) {
	for i, c := range counters {
		id := r.Probes()[i].Definition.ID
		sum := m.past[id]
		sum.Add(c)
		m.past[id] = sum
	}
}

func (m *Manager) unloadAll() {
	var all []*running
	m.mu.Lock()
	for _, r := range m.running {
		all = append(all, r)
	}
	clear(m.placings)
	m.mu.Unlock()
	for _, r := range all {
		m.unload(r)
	}
}
