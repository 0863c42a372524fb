package explain

import (
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
)

// Options bound a report.
type Options struct {
	// Most is how many placements are explained; 0 means DefaultMost. The others
	// are counted.
	Most int
}

// DefaultMost is how many placements fit a screen or two.
const DefaultMost = 20

// What explains a probe on a function ("main.handle") or on a line
// ("server.go:42") of a binary. Errors are those of binary.FindFunction and
// binary.FindLine.
func What(bin *binary.Binary, what string, o Options) (*Report, error) {
	if o.Most <= 0 {
		o.Most = DefaultMost
	}
	r := &Report{Asked: what, Path: bin.Path(), BuildID: bin.BuildID(), GoVersion: bin.GoVersion(), PIE: bin.PIE(), Placements: []Placement{}}
	if err := bin.DebugInfo(); err != nil {
		r.DebugInfo = err.Error()
	}
	if file, line, ok := probe.FileLine(what); ok {
		places, err := bin.FindLine(file, line)
		if err != nil {
			return nil, err
		}
		r.places(bin, places, plan.SiteLine, o)
		return r, nil
	}
	return r, r.function(bin, what, o)
}

func (r *Report) function(bin *binary.Binary, name string, o Options) error {
	fns, copies, err := plan.Find(bin, name)
	if err != nil {
		return err
	}
	for i := range fns {
		if len(r.Placements) == o.Most {
			r.More++
			continue
		}
		r.Placements = append(r.Placements, Function(bin, &fns[i]))
	}
	r.places(bin, copies, plan.SiteEntry, o)
	return nil
}

func (r *Report) places(bin *binary.Binary, places []binary.Place, kind plan.SiteKind, o Options) {
	for _, at := range places {
		if len(r.Placements) == o.Most {
			r.More++
			continue
		}
		p, err := plan.ResolvePlace(bin, at, kind, plan.Definition{PlacesOnly: true})
		out := placement(p, err)
		out.Function, out.File, out.Line = at.Name, at.File, at.Line
		if at.Depth > 0 {
			out.Inlined = &Inlined{Into: at.Function.Name, File: at.CallFile, Line: at.CallLine}
		}
		r.Placements = append(r.Placements, out)
	}
}

// Function explains a probe on one function with code of its own, at its entry
// and its returns.
func Function(bin *binary.Binary, fn *binary.Function) Placement {
	p, err := plan.ResolveFunction(bin, fn, plan.Definition{Returns: true, PlacesOnly: true})
	out := placement(p, err)
	out.Function, out.File, out.Line = fn.Name, fn.File, fn.Line
	return out
}

func placement(p *plan.Plan, err error) Placement {
	out := Placement{Sites: []Site{}, Variables: []Variable{}}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Notes = p.Notes
	for _, s := range p.Sites {
		out.Sites = append(out.Sites, Site{
			Kind: s.Kind.String(), To: s.To, PC: "0x" + strconv.FormatUint(s.PC, 16), Anchor: s.Anchor.String(),
			CostNS: s.Anchor.Cost().Nanoseconds(), Restarts: s.Restarts,
		})
	}
	for _, v := range p.Variables {
		if strings.HasPrefix(v.Name, ".") {
			continue // the compiler's own: the dictionary of a generic function
		}
		out.Variables = append(out.Variables, variable(p, v))
	}
	return out
}

// shapePrefix begins the names of the types that generic code is compiled for.
const shapePrefix = "go.shape."

func variable(p *plan.Plan, v plan.Variable) Variable {
	out := Variable{Name: v.Name, Role: v.Role.String(), Type: "?", Reason: v.Unavailable}
	if t := p.Types.Get(v.Type); t != nil {
		out.Type, out.Size = t.Name, t.Size
		out.Shape = strings.Contains(t.Name, shapePrefix)
	}
	vector := 0
	for _, piece := range v.Pieces {
		out.Where = append(out.Where, where(piece))
		if piece.InVector() {
			vector++
		}
	}
	switch {
	case v.Unavailable != "":
		out.Where = nil
	case vector > 0 && vector == len(v.Pieces):
		out.Reason = plan.UnavailableVector
	case vector > 0:
		out.Readable, out.Reason = true, "split: a part is "+plan.UnavailableVector
	default:
		out.Readable = true
	}
	return out
}

// where is a piece without the bytes it is of.
func where(p plan.Piece) string {
	text, _, _ := strings.Cut(p.String(), " -> ")
	return text
}
