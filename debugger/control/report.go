package control

import (
	"slices"

	"github.com/vigil-agent/vigil/debugger/probe"
)

// Mode says how the kernel runs the probes; empty before the first program.
func (m *Manager) Mode() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mode
}

// Status is one entry for each definition, in their order.
func (m *Manager) Status() []ProbeStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]ProbeStatus, len(m.cfg.Definitions))
	for i, d := range m.cfg.Definitions {
		s := NewStatus(d)
		s.Counters = m.past[d.ID]
		s.TypesPending = m.typesPending(d.ID)
		for _, pid := range m.sortedPIDs() {
			s.Targets = append(s.Targets, m.placings[pid].status(i))
		}
		s.summarize()
		out[i] = s
	}
	m.addCounters(out)
	return out
}

// NewStatus is the status of a definition that is placed nowhere.
func NewStatus(d probe.Definition) ProbeStatus {
	s := ProbeStatus{ID: d.ID, Version: d.Version, Function: d.Place(), Origin: d.Origin, Tags: d.Tags, Targets: []TargetStatus{}}
	s.summarize()
	return s
}

func (m *Manager) sortedPIDs() []int {
	pids := make([]int, 0, len(m.placings))
	for pid := range m.placings {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}

// addCounters adds what the running programs have counted.
func (m *Manager) addCounters(list []ProbeStatus) {
	for _, r := range m.running {
		counters, err := r.Counters()
		if err != nil {
			continue // the program is being closed
		}
		for k, hit := range r.Probes() {
			for i := range list {
				if list[i].ID == hit.Definition.ID {
					list[i].Add(counters[k])
				}
			}
		}
	}
}

// typesPending is how many types of a probe are to be planned with.
func (m *Manager) typesPending(id string) (n int) {
	for _, r := range m.running {
		for _, hit := range r.Probes() {
			if hit.Definition.ID == id {
				n += hit.types.pending()
			}
		}
	}
	return n
}

// status is the state of the i-th definition in the process.
func (at *placing) status(i int) TargetStatus {
	t := TargetStatus{PID: at.process.PID, Exe: at.process.Exe, Service: at.process.Service, State: StateError}
	err := at.err
	if i < len(at.resolutions) && at.resolutions[i].Err != nil {
		err = at.resolutions[i].Err // closer to the probe than "nothing resolves"
	}
	if err != nil {
		t.Message = err.Error()
		return t
	}
	t.State = StateInstalled
	for _, hit := range at.program.Probes() {
		if hit.Definition.ID != at.resolutions[i].Definition.ID {
			continue
		}
		t.Function, t.Sites, t.Notes = hit.Plans()[0].Function, hit.Sites(), hit.Notes()
		if t.Snapshots = at.program.emitted(hit, at.process.PID); t.Snapshots > 0 {
			t.State = StateEmitting
		}
	}
	return t
}
