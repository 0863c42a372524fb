package control

import (
	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// Resolution is what became of one definition in one binary: a layout, or the
// reason why there is none.
type Resolution struct {
	Definition probe.Definition
	Layout     *snapshot.Layout
	Err        error
}

// Resolve finds the definitions in a binary, in their order. The binary's debug
// information is released afterwards: it takes most of the memory and is not
// needed any more.
func Resolve(bin *binary.Binary, definitions []probe.Definition) []Resolution {
	defer bin.ReleaseDebugInfo()
	out := make([]Resolution, len(definitions))
	for i, d := range definitions {
		out[i] = Resolution{Definition: d}
		out[i].Layout, out[i].Err = resolve(bin, d)
	}
	return out
}

func resolve(bin *binary.Binary, d probe.Definition) (*snapshot.Layout, error) {
	p, err := plan.Resolve(bin, plan.Definition{ProbeID: d.ID, Version: d.Version, Function: d.Function, Limits: d.Limits})
	if err != nil {
		return nil, err
	}
	if err := plan.Compile(p); err != nil {
		return nil, err
	}
	return snapshot.NewLayout(p, snapshot.Redaction{})
}
