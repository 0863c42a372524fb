package plan

import (
	"errors"
	"fmt"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// ResolvePlace makes the plan for one instruction inside of a function: a source
// line (SiteLine), or a copy of an inlined function (SiteEntry). It captures
// every variable that can be named there; named results are locals. A name with
// several places needs a plan for each.
func ResolvePlace(bin *binary.Binary, at binary.Place, kind SiteKind, def Definition) (*Plan, error) {
	p := &Plan{
		ProbeID: def.ProbeID, ProbeVersion: def.Version, Function: at.Name, File: at.File, Line: at.Line,
		Types: &gotype.Table{}, Limits: def.Limits.OrDefaults(),
	}
	if kind == SiteLine {
		at = bin.Cheaper(at)
	}
	r := resolver{bin: bin, fn: &at.Function, plan: p, types: def.Types, places: def.PlacesOnly}
	steps := []func() error{
		func() error { return r.inside(at, kind) },
		func() error { return r.scope(at) },
		r.goid,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, fmt.Errorf("%s at %s:%d: %w", at.Name, at.File, at.Line, err)
		}
	}
	layout(p)
	return p, nil
}

// inside adds the site at a place.
func (r *resolver) inside(at binary.Place, kind SiteKind) error {
	class, framed, restarts, err := r.bin.Inside(at)
	if err != nil {
		return err
	}
	off, ok := r.bin.FileOffset(at.PC)
	if !ok {
		return fmt.Errorf("%w (no byte of the file is at %#x)", binary.ErrCorrupt, at.PC)
	}
	site := Site{
		PC: at.PC, FileOffset: off, Kind: kind, Anchor: anchors[class],
		CFAOffset: at.CFAOffset, Framed: framed, Restarts: restarts,
	}
	if kind == SiteLine {
		site.File, site.Line = at.File, at.Line
	}
	r.plan.Sites = append(r.plan.Sites, site)
	if at.Depth > 0 && kind == SiteEntry {
		r.note("the function is inlined: its return is not seen")
	}
	return nil
}

// scope adds the variables at a place.
func (r *resolver) scope(at binary.Place) error {
	scope, err := r.bin.Scope(at, r.reach(false))
	if err == nil && !r.places && hasEmptyInterface(scope.Types) {
		scope, err = r.bin.Scope(at, r.reach(true))
	}
	switch {
	case errors.Is(err, binary.ErrNoDWARF), errors.Is(err, binary.ErrNotDescribed):
		r.note("%v", err)
		return nil
	case err != nil:
		return err
	}
	r.plan.Types = scope.Types
	for _, from := range scope.Variables {
		if isInternal(from.Name) {
			continue
		}
		v := Variable{Name: from.Name, Role: RoleLocal, Type: from.Type, Pieces: piecesOf(from.Pieces)}
		if from.Role == binary.Argument {
			v.Role = RoleArgument
		}
		if from.Err != nil {
			v.Pieces, v.Unavailable = nil, from.Err.Error()
		}
		if from.Indirect {
			v.Type, v.Indirect = pointerTo(scope.Types, from.Type), true
		}
		r.plan.Variables = append(r.plan.Variables, v)
	}
	return nil
}

// pointerTo is the type of pointers to a type: what is captured of a variable on
// the heap.
func pointerTo(types *gotype.Table, to gotype.ID) gotype.ID {
	name := "*"
	if t := types.Get(to); t != nil {
		name += t.Name
	}
	for id := gotype.ID(1); int(id) <= types.Len(); id++ {
		if t := types.Get(id); t.Kind == gotype.Pointer && t.Elem == to && t.Name == name {
			return id
		}
	}
	const pointerSize = 8
	return types.Add(gotype.Type{Kind: gotype.Pointer, Name: name, Size: pointerSize, Elem: to})
}

// InVector reports whether the piece is in a register that probes cannot read.
func (p Piece) InVector() bool { return p.Kind == PieceRegister && p.Reg >= firstVector }
