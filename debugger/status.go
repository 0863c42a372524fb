package debugger

import (
	"github.com/vigil-agent/vigil/debugger/control"
	"github.com/vigil-agent/vigil/debugger/sink"
)

// The parts of a Status.
type (
	// ProbeStatus is one probe in all its processes.
	ProbeStatus = control.ProbeStatus
	// TargetStatus is one probe in one process.
	TargetStatus = control.TargetStatus
	// SiteStatus is one probed instruction.
	SiteStatus = control.SiteStatus
	// Counters say what became of the hits of one probe.
	Counters = control.Counters
	// Calls say what became of the calls of a probe with returns.
	Calls = control.Calls
	// State is how far a probe has come.
	State = control.State
	// OutputStatus says what became of the snapshots that were to be written.
	OutputStatus = sink.Stats
)

// States of a probe, from control.
const (
	StateReceived  = control.StateReceived
	StateInstalled = control.StateInstalled
	StateEmitting  = control.StateEmitting
	StateError     = control.StateError
)

// Status is what the engine does at the moment.
type Status struct {
	// Kernel says how probes are attached and whether their program may wait
	// for memory: "uprobe_multi, sleepable". It is empty until the first probe
	// is placed.
	Kernel string `json:"kernel,omitempty"`
	// Probes are in the order of the configuration, those that were refused
	// last.
	Probes []ProbeStatus `json:"probes"`
	Output OutputStatus  `json:"output"`
}

// Status reports on all probes. It may be called at any time.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Probes: []ProbeStatus{}, Output: e.sink.Stats()}
	if e.manager != nil {
		s.Kernel, s.Probes = e.manager.Mode(), e.manager.Status()
	} else {
		for _, d := range e.definitions {
			s.Probes = append(s.Probes, control.NewStatus(d))
		}
	}
	s.Probes = append(s.Probes, e.broken...)
	return s
}
