package binary

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/binary/goabi"
	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Role says what a variable is to its function.
type Role uint8

// Roles.
const (
	Argument Role = iota + 1
	Result
	Local
)

// Scope is what can be named at one instruction.
type Scope struct {
	// Variables are the arguments, results and locals of the function the
	// instruction belongs to, in this order, each as declared. Of several with
	// one name the innermost is there.
	Variables []Variable
	// Types holds their types and what those are made of.
	Types *gotype.Table
}

// Variable is one variable as it is at one instruction.
type Variable struct {
	Name string
	Role Role
	Type gotype.ID
	// Line is that of its declaration, 0 when it is not recorded.
	Line int
	// Dictionary is as in Param.
	Dictionary int
	// Pieces are where it is; those of Err apart, they cover its size.
	Pieces []location.Piece
	// Indirect says that the pieces hold a pointer to the variable, because it
	// has been moved to the heap.
	Indirect bool
	// Err is why it cannot be read as a whole: location.ErrOptimisedOut,
	// ErrClobbered, ErrPartly, ErrUnsupported or ErrCorrupt.
	Err error
}

// Scope reads the variables that can be named at a place and the types in reach
// of them. It fails with ErrNoDWARF or ErrNotDescribed when they are not known.
func (b *Binary) Scope(at Place, reach Reach) (s *Scope, err error) {
	d, err := b.debugData()
	if err != nil {
		return nil, err
	}
	detail, err := b.detailed(d)
	if err != nil {
		return nil, err
	}
	defer guard(&err)()
	off, ok := d.function(at.Function.Entry)
	if !ok {
		return nil, ErrNotDescribed
	}
	w := scopeWalk{info: d, detail: detail, pc: at.PC, frames: make([]scopeFrame, 1)}
	if err := w.function(off); err != nil {
		return nil, fmt.Errorf("variables of %s: %w", at.Name, err)
	}
	if at.Depth >= len(w.frames) {
		return nil, ErrNotDescribed
	}
	found, err := w.variables(at)
	if err != nil {
		return nil, fmt.Errorf("variables of %s: %w", at.Name, err)
	}
	return b.placed(d, off, at.PC, found, reach)
}

// scopeWalk collects descriptions of variables from the tree of one function.
type scopeWalk struct {
	info   *debugInfo
	detail *dwarf.Data
	pc     uint64
	// frames are the calls inlined in each other at pc, the function itself
	// first.
	frames []scopeFrame
}

// scopeFrame is one of them.
type scopeFrame struct {
	origin dwarf.Offset // its abstract description, 0 when it has none
	found  []scopeVariable
}

type scopeVariable struct {
	formal
	local    bool
	line     int
	captured bool // by a function literal, from its surroundings
	heap     bool // it is the pointer to the variable, on the heap, that is described
}

// function walks the description of a function with code.
func (w *scopeWalk) function(off dwarf.Offset) error {
	e, r, err := w.info.entry(off)
	if err != nil {
		return err
	}
	w.frames[0].origin = e.Value(dwarf.AttrAbstractOrigin).Offset()
	if !e.Children {
		return nil
	}
	return w.children(&r, 0, 0)
}

// maxScopeDepth bounds how deep blocks and inlined calls nest.
const maxScopeDepth = 256

// children reads the variables of a block and of the blocks and inlined calls in
// it that hold pc.
func (w *scopeWalk) children(r *die.Reader, frame, depth int) error {
	if depth > maxScopeDepth {
		return ErrCorrupt
	}
	for {
		e, err := r.Next()
		if err != nil {
			return fmt.Errorf("%w (%w)", ErrCorrupt, err)
		}
		if e.Tag == 0 {
			return nil
		}
		into := -1
		switch e.Tag {
		case dwarf.TagFormalParameter, dwarf.TagVariable:
			f := &w.frames[frame]
			f.found = append(f.found, scopeVariableOf(&e))
		case dwarf.TagLexDwarfBlock:
			if w.holds(e.Off) {
				into = frame
			}
		case dwarf.TagInlinedSubroutine:
			// Siblings do not overlap: at most one of them holds pc.
			if w.holds(e.Off) && len(w.frames) == frame+1 {
				w.frames = append(w.frames, scopeFrame{origin: e.Value(dwarf.AttrAbstractOrigin).Offset()})
				into = frame + 1
			}
		}
		switch {
		case !e.Children:
		case into < 0:
			if err := r.Skip(&e); err != nil {
				return fmt.Errorf("%w (%w)", ErrCorrupt, err)
			}
		default:
			if err := w.children(r, into, depth+1); err != nil {
				return err
			}
		}
	}
}

func scopeVariableOf(e *die.Entry) scopeVariable {
	v := scopeVariable{formal: formalOf(e), local: e.Tag == dwarf.TagVariable}
	v.line = int(e.Value(dwarf.AttrDeclLine).Int())
	// The pointer to what has been moved to the heap is named after it.
	v.param.Name, v.heap = strings.CutPrefix(v.param.Name, "&")
	v.captured = e.Value(attrGoClosure).Class == die.Constant
	return v
}

// holds reports whether pc is in the ranges of the block at off; one without ranges
// is all of what surrounds it.
func (w *scopeWalk) holds(off dwarf.Offset) bool {
	e, err := standardEntry(w.detail, off)
	if err != nil {
		return false
	}
	ranges, err := w.detail.Ranges(e)
	if err != nil {
		return false
	}
	return len(ranges) == 0 || slices.ContainsFunc(ranges, func(r [2]uint64) bool { return w.pc >= r[0] && w.pc < r[1] })
}

// variables are those of the frame of a place: the abstract description of an
// inlined function has the names and types, and the variables without a trace in
// the code.
func (w *scopeWalk) variables(at Place) (found []scopeVariable, err error) {
	frame := w.frames[at.Depth]
	if frame.origin == 0 {
		found = frame.found
	} else {
		outline := scopeWalk{info: w.info, detail: w.detail, frames: make([]scopeFrame, 1)}
		if err := outline.function(frame.origin); err != nil {
			return nil, err
		}
		for _, abstract := range outline.frames[0].found {
			if i := slices.IndexFunc(frame.found, func(v scopeVariable) bool { return v.origin == abstract.off }); i >= 0 {
				c := frame.found[i].param
				abstract.param.expr, abstract.param.list, abstract.param.form = c.expr, c.list, c.form
			}
			found = append(found, abstract)
		}
		for _, v := range frame.found {
			if v.origin == 0 {
				found = append(found, v)
			}
		}
	}
	return inScope(found, at.Line), nil
}

// inScope keeps the variables that a statement at a line can name: those with a
// name of their own that are declared on an earlier line, of each name the last:
// what the line itself declares has no value yet.
func inScope(all []scopeVariable, line int) (kept []scopeVariable) {
	for _, v := range all {
		name := v.param.Name
		unnamed := name == "" || name == "_" || name[0] == '~' || name[0] == '.'
		if unnamed || (v.local && !v.captured && v.line >= line && line > 0) {
			continue
		}
		i := slices.IndexFunc(kept, func(k scopeVariable) bool { return k.param.Name == name })
		switch {
		case i < 0:
			kept = append(kept, v)
		case v.param.form != placeNone || kept[i].param.form == placeNone:
			if v.heap {
				v.local, v.param.Result = kept[i].local, kept[i].param.Result
			}
			kept[i] = v
		}
	}
	role := func(v scopeVariable) Role { return v.role() }
	slices.SortStableFunc(kept, func(a, b scopeVariable) int { return int(role(a)) - int(role(b)) })
	return kept
}

func (v scopeVariable) role() Role {
	switch {
	case v.local:
		return Local
	case v.param.Result:
		return Result
	}
	return Argument
}

// placed gives the variables their types and places at pc.
func (b *Binary) placed(d *debugInfo, fn dwarf.Offset, pc uint64, found []scopeVariable, reach Reach) (*Scope, error) {
	builder := newTypeBuilder(d, b, reach)
	sig := Signature{}
	s, lists := &Scope{}, d.listsFor(fn)
	for _, v := range found {
		param := v.param
		param.lists = lists
		if v.heap {
			param.typ = builder.pointee(param.typ)
		}
		param.Type = builder.root(param.typ)
		sig.Params = append(sig.Params, param)
		s.Variables = append(s.Variables, Variable{
			Name: param.Name, Role: v.role(), Type: param.Type, Line: v.line,
			Indirect: v.heap, Dictionary: builder.dictionary(param.typ),
		})
	}
	types, err := builder.finish()
	if err != nil {
		return nil, fmt.Errorf("types of variables: %w", err)
	}
	s.Types, sig.Types = types, types
	for i := range s.Variables {
		v := &s.Variables[i]
		if t := types.Get(v.Type); t != nil && t.Size == 0 {
			continue
		}
		expr, size, err := sig.place(i, pc)
		switch {
		case errors.Is(err, location.ErrOptimisedOut) && sig.Params[i].elsewhere():
			err = location.ErrClobbered
		case err != nil:
		case v.Indirect:
			v.Pieces, err = location.Decode(expr, wordSize)
		default:
			v.Pieces, v.Indirect, err = location.DecodeAny(expr, size)
		}
		if v.Err = err; !v.Indirect {
			insertPadding(v.Pieces, goabi.Parts(types, v.Type))
		}
	}
	return s, nil
}

// pointee is the type that the pointer type at off leads to.
func (b *typeBuilder) pointee(off dwarf.Offset) dwarf.Offset {
	if e := b.entry(b.strip(off)); e.tag == dwarf.TagPointerType && e.target != 0 {
		return e.target
	}
	return off
}

// elsewhere reports whether the parameter has a place at some instruction.
func (p *Param) elsewhere() (found bool) {
	if p.form != placeList {
		return false
	}
	err := p.lists.Each(p.list, func(e location.Entry) bool {
		found = len(e.Expr) > 0
		return !found
	})
	return found && err == nil
}
