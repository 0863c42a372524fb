package debugger

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/vigil-agent/vigil/debugger/probe"
)

// readFiles adds the definitions of the probe files, and for those that are
// wrong a status that says so.
func (e *Engine) readFiles() {
	for _, path := range e.cfg.ProbeFiles {
		data, err := os.ReadFile(path)
		if err != nil {
			e.refuse(ProbeStatus{Origin: path}, fmt.Errorf("read the probe file: %w", err), "correct debugger.probe_files, or create the file")
			continue
		}
		defs, err := probe.Parse(path, data)
		e.refuseProblems(path, err)
		for _, d := range defs {
			same := func(o probe.Definition) bool { return o.ID == d.ID }
			if i := slices.IndexFunc(e.definitions, same); i >= 0 {
				e.refuse(ProbeStatus{ID: d.ID, Version: d.Version, Function: d.Place(), Origin: d.Origin},
					fmt.Errorf("id: is already used by the probe at %s", e.definitions[i].Origin), "give one of them another id")
				continue
			}
			e.definitions = append(e.definitions, d)
		}
	}
}

// refuseProblems makes one status of all problems of a probe.
func (e *Engine) refuseProblems(path string, err error) {
	var list *probe.Error
	if !errors.As(err, &list) {
		if err != nil {
			e.refuse(ProbeStatus{Origin: path}, err, "correct the file")
		}
		return
	}
	var order []string
	byProbe := map[string][]error{}
	for _, p := range list.Problems {
		if _, ok := byProbe[p.Probe]; !ok {
			order = append(order, p.Probe)
		}
		byProbe[p.Probe] = append(byProbe[p.Probe], errors.New(p.String()))
	}
	for _, id := range order {
		e.refuse(ProbeStatus{ID: id, Origin: path}, errors.Join(byProbe[id]...), "correct the file and restart")
	}
}

func (e *Engine) refuse(s ProbeStatus, err error, next string) {
	s.State, s.Message, s.Next, s.Targets = StateError, err.Error(), next, []TargetStatus{}
	e.broken = append(e.broken, s)
	e.deps.Log.Error("a probe is refused", "probe", s.ID, "origin", s.Origin, "error", err)
}
