package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
)

// Options bound a report.
type Options struct {
	// Most is how many placements are explained; 0 means DefaultMost. The others
	// are counted.
	Most int
	// Code asks for the byte-code of each placement. What is behind pointers and
	// interfaces is collected for it, which takes longer.
	Code bool
	// Costs are what hits cost; it is called when there is a placement. When nil
	// they are nominal.
	Costs func() plan.Costs
}

// definition is the probe that is explained.
func (o Options) definition(returns bool) plan.Definition {
	return plan.Definition{Returns: returns, PlacesOnly: !o.Code}
}

func (o Options) costs() plan.Costs {
	if o.Costs == nil {
		return plan.NominalCosts("not measured")
	}
	return o.Costs()
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
	} else if err := r.function(bin, what, o); err != nil {
		return nil, err
	}
	r.Costs = costsOf(o.costs())
	return r, nil
}

func costsOf(c plan.Costs) Costs {
	return Costs{
		Measured: c.Nominal == "", Why: c.Nominal,
		PushNS: c.PushRBP.Nanoseconds(), EmulatedNS: c.Emulated.Nanoseconds(), SteppedNS: c.Stepped.Nanoseconds(),
	}
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
		r.Placements = append(r.Placements, function(bin, &fns[i], o))
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
		p, err := plan.ResolvePlace(bin, at, kind, o.definition(false))
		out := placement(p, err, o)
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
	return function(bin, fn, Options{})
}

func function(bin *binary.Binary, fn *binary.Function, o Options) Placement {
	p, err := plan.ResolveFunction(bin, fn, o.definition(true))
	out := placement(p, err, o)
	out.Function, out.File, out.Line = fn.Name, fn.File, fn.Line
	return out
}

func placement(p *plan.Plan, err error, o Options) Placement {
	out := Placement{Sites: []Site{}, Variables: []Variable{}}
	if err == nil && o.Code {
		if err = plan.Compile(p); err == nil {
			out.Code = strings.Split(strings.TrimSuffix(plan.DumpCode(p), "\n"), "\n")
		}
	}
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Notes = p.Notes
	costs := o.costs()
	for _, s := range p.Sites {
		out.Sites = append(out.Sites, Site{
			Kind: s.Kind.String(), To: s.To, PC: "0x" + strconv.FormatUint(s.PC, 16), Anchor: s.Anchor.String(),
			CostNS: costs.Of(s.Anchor).Nanoseconds(), Restarts: s.Restarts,
		})
	}
	for _, v := range p.Variables {
		switch {
		case strings.HasPrefix(v.Name, "."):
			continue // the compiler's own: the dictionary of a generic function
		case v.Closure:
			out.Variables = append(out.Variables, captured(p, v)...)
			continue
		}
		out.Variables = append(out.Variables, variable(p, v))
	}
	return out
}

// shapePrefix begins the names of the types that generic code is compiled for.
const shapePrefix = "go.shape."

func variable(p *plan.Plan, v plan.Variable) Variable {
	out := Variable{Name: v.Name, Role: v.Role.String(), Type: "?", Reason: v.Unavailable}
	out.is(p.Types, v.Type, v.Indirect)
	out.Resolved = out.Shape && v.Instance > 0
	vector := 0
	for _, piece := range v.Pieces {
		at := where(piece)
		if v.Indirect {
			at = behind(at)
		}
		out.Where = append(out.Where, at)
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

// is sets the type: the given one, or what that leads to.
func (v *Variable) is(types *gotype.Table, id gotype.ID, indirect bool) {
	t := types.Get(id)
	if t != nil && indirect {
		t = types.Get(t.Elem)
	}
	if t != nil {
		v.Type, v.Size, v.Shape = t.Name, t.Size, strings.Contains(t.Name, shapePrefix)
	}
}

// behind is the memory that a place points to.
func behind(place string) string { return "[" + place + "]" }

// captured are the variables in a closure.
func captured(p *plan.Plan, closure plan.Variable) (all []Variable) {
	pointer := p.Types.Get(closure.Type)
	if pointer == nil || len(closure.Pieces) != 1 {
		return nil
	}
	in := p.Types.Get(pointer.Elem)
	if in == nil {
		return nil
	}
	for i, f := range in.Fields {
		name, indirect := strings.CutPrefix(f.Name, "&")
		v := Variable{Name: name, Role: closure.Role.String(), Type: "?", Readable: true}
		v.is(p.Types, f.Type, indirect)
		v.Resolved = v.Shape && i < len(closure.Instances) && closure.Instances[i] > 0
		at := behind(fmt.Sprintf("%s+%d", where(closure.Pieces[0]), f.Offset))
		if indirect {
			at = behind(at)
		}
		v.Where = []string{at}
		all = append(all, v)
	}
	return all
}

// where is a piece without the bytes it is of.
func where(p plan.Piece) string {
	text, _, _ := strings.Cut(p.String(), " -> ")
	return text
}
