package control

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// Resolution is what became of one definition in one binary: its places, or the
// reason why there is none.
type Resolution struct {
	Definition probe.Definition
	// Layouts are one for each place: a function has several when it is generic or
	// was inlined, and so has a line of it.
	Layouts []*snapshot.Layout
	// Notes say which places are left out, and why.
	Notes []string
	// Types are the dynamic types that were asked for besides: those that
	// snapshots met and did not know (plan.Definition.Types).
	Types []uint64
	Err   error
}

// maxSites bounds the instructions that one definition is placed on (debugger
// specification, section 9.5). The first place is never cut.
const maxSites = 200

// Resolve finds the definitions in a binary, in their order. The binary's debug
// information is released afterwards: it takes most of the memory and is not
// needed any more.
func Resolve(bin *binary.Binary, definitions []probe.Definition, hide snapshot.Redaction) []Resolution {
	defer bin.ReleaseDebugInfo()
	out := make([]Resolution, len(definitions))
	for i, d := range definitions {
		out[i] = resolve(bin, d, nil, hide)
	}
	return out
}

func resolve(bin *binary.Binary, d probe.Definition, types []uint64, hide snapshot.Redaction) Resolution {
	r := Resolution{Definition: d, Types: types}
	places, err := find(bin, d)
	if err != nil {
		r.Err = err
		return r
	}
	wanted := plan.Definition{ProbeID: d.ID, Version: d.Version, Returns: d.Returns, Limits: d.Limits, Types: types}
	sites, failed := 0, error(nil)
	for i, at := range places {
		layout, err := at.layout(bin, wanted, hide)
		if err != nil {
			failed = err
			r.Notes = append(r.Notes, "a place is left out: "+err.Error())
			continue
		}
		if more := len(layout.Plan().Sites); sites > 0 && sites+more > maxSites {
			r.Notes = append(r.Notes, fmt.Sprintf("%d of %d places are left out: a probe is placed on at most %d instructions", len(places)-i, len(places), maxSites))
			break
		}
		sites += len(layout.Plan().Sites)
		r.Layouts = append(r.Layouts, layout)
	}
	if len(r.Layouts) == 0 {
		r.Notes, r.Err = nil, failed
	}
	return r
}

// place is a function with code of its own, or an instruction inside of one.
type place struct {
	function *binary.Function
	inside   binary.Place
	kind     plan.SiteKind
}

func (p place) layout(bin *binary.Binary, d plan.Definition, hide snapshot.Redaction) (*snapshot.Layout, error) {
	resolved, err := (*plan.Plan)(nil), error(nil)
	if p.function != nil {
		resolved, err = plan.ResolveFunction(bin, p.function, d)
	} else {
		resolved, err = plan.ResolvePlace(bin, p.inside, p.kind, d)
	}
	if err == nil {
		err = plan.Compile(resolved)
	}
	if err != nil {
		return nil, err
	}
	return snapshot.NewLayout(resolved, hide)
}

// find is where a definition is to be placed.
func find(bin *binary.Binary, d probe.Definition) (places []place, err error) {
	if d.Line != 0 {
		return findLine(bin, d)
	}
	fns, copies, err := plan.Find(bin, d.Function)
	if err != nil {
		return nil, err
	}
	for i := range fns {
		places = append(places, place{function: &fns[i]})
	}
	for _, at := range copies {
		places = append(places, place{inside: at, kind: plan.SiteEntry})
	}
	return places, nil
}

// ErrNotInFunction says that a line has code, and none of it is of the function
// that was named.
var ErrNotInFunction = errors.New("the line is not in the function")

func findLine(bin *binary.Binary, d probe.Definition) (places []place, err error) {
	found, err := bin.FindLine(d.File, d.Line)
	if err != nil {
		return nil, err
	}
	var others []string
	for _, at := range found {
		if d.Function != "" && !names(d.Function, at.Name) {
			if !slices.Contains(others, at.Name) {
				others = append(others, at.Name)
			}
			continue
		}
		places = append(places, place{inside: at, kind: plan.SiteLine})
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("%s:%d: %w %s: it is in %s", d.File, d.Line, ErrNotInFunction, d.Function, strings.Join(others, ", "))
	}
	return places, nil
}

// names reports whether a name is that of a function, or the end of it from a dot
// or slash on; both may lack type arguments.
func names(name, function string) bool {
	f := binary.Function{Name: function}
	for _, have := range []string{function, f.Plain()} {
		if rest, ok := strings.CutSuffix(have, name); ok && (rest == "" || strings.HasSuffix(rest, ".") || strings.HasSuffix(rest, "/")) {
			return true
		}
	}
	return false
}
