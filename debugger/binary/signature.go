package binary

import (
	"debug/dwarf"
	"fmt"
	"slices"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/binary/goabi"
	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Signature is what debug information says about the parameters of a function.
type Signature struct {
	// Params are the arguments, the receiver first, then the results.
	Params []Param
	// Closure is the type of the pointer to its closure that a function literal
	// is called with, in goabi.Closure: a struct of the variables it takes from
	// its surroundings, or pointers to them. It is 0 when there are none.
	Closure gotype.ID
	// Types holds the parameters' types and what they are made of.
	Types *gotype.Table
}

// Param is one argument or result.
type Param struct {
	// Name is as written; results without a name are "~r0", "~r1" …
	Name   string
	Result bool
	Type   gotype.ID
	// Dictionary is, for a parameter of a generic function whose Type is a shape
	// shared by several types, the index in the function's dictionary of the
	// type it really has; otherwise NoDictionary.
	Dictionary int

	expr  []byte // one place for the whole function
	list  uint64 // or a list of places
	lists *location.Lists
	form  placeForm
	typ   dwarf.Offset
}

type placeForm uint8

const (
	placeNone placeForm = iota
	placeFixed
	placeList
)

// Signature reads the parameters of a function and their types, and the types in
// reach of them. It fails with ErrNoDWARF when the binary is stripped.
func (b *Binary) Signature(fn *Function, reach Reach) (sig *Signature, err error) {
	d, err := b.debugData()
	if err != nil {
		return nil, err
	}
	defer guard(&err)()
	off, ok := d.function(fn.Entry)
	if !ok {
		return nil, ErrNotDescribed
	}
	params, captured, err := d.params(off)
	if err != nil {
		return nil, fmt.Errorf("parameters of %s: %w", fn.Name, err)
	}
	builder := newTypeBuilder(d, b, reach)
	for i := range params {
		params[i].Type = builder.root(params[i].typ)
		params[i].Dictionary = builder.dictionary(params[i].typ)
	}
	ids := make([]gotype.ID, len(captured))
	for i, v := range captured {
		ids[i] = builder.root(v.typ)
	}
	types, err := builder.finish()
	if err != nil {
		return nil, fmt.Errorf("types of %s: %w", fn.Name, err)
	}
	return &Signature{Params: params, Closure: closureType(types, fn.Name, captured, ids), Types: types}, nil
}

// At says where parameter i is before the instruction at a link-time pc runs. It
// fails with location.ErrOptimisedOut and the like. Without a list a place holds
// for the body of the function only: before the prologue has run it is not yet
// filled, see Tracked.
func (s *Signature) At(i int, pc uint64) (pieces []location.Piece, err error) {
	defer guard(&err)()
	expr, size, err := s.place(i, pc)
	if err != nil {
		return nil, err
	}
	pieces, err = location.Decode(expr, size)
	insertPadding(pieces, goabi.Parts(s.Types, s.Params[i].Type))
	return pieces, err
}

// place is the expression for the place of parameter i at pc, and its size.
func (s *Signature) place(i int, pc uint64) (expr []byte, size uint32, err error) {
	p := &s.Params[i]
	t := s.Types.Get(p.Type)
	if t == nil || t.Size > maxParamSize {
		return nil, 0, location.ErrOptimisedOut
	}
	switch p.form {
	case placeFixed:
		return p.expr, uint32(t.Size), nil
	case placeList:
		expr, err = p.lists.Find(p.list, pc)
		return expr, uint32(t.Size), err
	}
	return nil, 0, location.ErrOptimisedOut
}

// maxParamSize bounds a parameter, in bytes; the compiler's own bound on what
// may be on the stack is as large.
const maxParamSize = 1 << 30

// insertPadding moves the pieces of a variable to where its parts are: the
// compiler writes them one after the other, without the padding between fields.
func insertPadding(pieces []location.Piece, parts []goabi.Part) {
	if len(pieces) != len(parts) {
		return
	}
	for i, p := range pieces {
		if uint64(p.Size) != parts[i].Size {
			return
		}
	}
	for i := range pieces {
		pieces[i].Dest = uint32(parts[i].Offset)
	}
}

// Tracked reports whether the compiler recorded where the parameter is for each
// instruction (optimised code), rather than one place for the whole function
// (built with -N).
func (p *Param) Tracked() bool { return p.form == placeList }

// Call lays the parameters out by a calling convention. dictionary is the index
// of the argument before which a generic function takes its dictionary,
// NoDictionary for other functions.
func (s *Signature) Call(convention goabi.Arch, dictionary int) Call {
	var args, results []gotype.ID
	var place []int // place[i] is the index of parameter i among args or results
	for i, p := range s.Params {
		if p.Result {
			place = append(place, len(results))
			results = append(results, p.Type)
			continue
		}
		if i == dictionary {
			args = append(args, goabi.HiddenWord)
		}
		place = append(place, len(args))
		args = append(args, p.Type)
	}
	out := convention.Assign(s.Types, args, results)
	call := make(Call, len(s.Params))
	for i, p := range s.Params {
		if p.Result {
			call[i] = out.Results[place[i]]
		} else {
			call[i] = out.Args[place[i]]
		}
	}
	return call
}

// DictionaryPlace is where a convention puts the pointer to the dictionary, when
// the function takes it before the argument of an index.
func (s *Signature) DictionaryPlace(convention goabi.Arch, dictionary int) []location.Piece {
	var args []gotype.ID
	at := NoDictionary
	for i, p := range s.Params {
		if i == dictionary {
			at = len(args)
			args = append(args, goabi.HiddenWord)
		}
		if !p.Result {
			args = append(args, p.Type)
		}
	}
	if at < 0 && dictionary == len(s.Params) {
		at = len(args)
		args = append(args, goabi.HiddenWord)
	}
	if at < 0 {
		return nil
	}
	return convention.Assign(s.Types, args, nil).Args[at]
}

// NoDictionary is the argument of Call for a function that is not generic, and
// the index of a type that is not in a dictionary.
const NoDictionary = -1

// Call is where the calling convention puts each parameter of a signature:
// arguments when the function is called, results when it returns.
type Call [][]location.Piece

// params reads the parameters of the function described at off, and the variables
// of its closure. A function that is inlined elsewhere is described twice: names
// and types by the abstract description, places by the concrete one.
func (d *debugInfo) params(off dwarf.Offset) ([]Param, []capturedVariable, error) {
	e, r, err := d.entry(off)
	if err != nil {
		return nil, nil, err
	}
	all, captured, err := d.formals(r, e)
	if err != nil {
		return nil, nil, err
	}
	if origin := e.Value(dwarf.AttrAbstractOrigin).Offset(); origin != 0 {
		e, r, err := d.entry(origin)
		if err != nil {
			return nil, nil, err
		}
		abstract, _, err := d.formals(r, e)
		if err != nil {
			return nil, nil, err
		}
		all = merge(abstract, all)
	}
	all = dropCopies(all)
	lists := d.listsFor(off)
	args, results := make([]Param, 0, len(all)), []Param(nil)
	for _, f := range all {
		f.param.lists = lists
		if f.param.Result {
			results = append(results, f.param)
		} else {
			args = append(args, f.param)
		}
	}
	return append(args, results...), captured, nil
}

// formal is one description of a parameter.
type formal struct {
	off, origin dwarf.Offset
	param       Param
}

// merge combines the two descriptions of a function, in the order of
// declaration: the concrete one has the places, and the parameters without a
// name; the abstract one has those that the code does not use.
func merge(abstract, concrete []formal) []formal {
	var all []formal
	next := 0 // abstract parameters before next are in all
	for _, c := range concrete {
		i := slices.IndexFunc(abstract, func(a formal) bool { return c.origin != 0 && a.off == c.origin })
		if i < 0 {
			all = append(all, c)
			continue
		}
		for ; next < i; next++ {
			all = append(all, abstract[next])
		}
		named := abstract[i]
		named.param.expr, named.param.list, named.param.form = c.param.expr, c.param.list, c.param.form
		all = append(all, named)
		next = max(next, i+1)
	}
	return append(all, abstract[next:]...)
}

// dropCopies keeps one of the descriptions of a parameter: one that is moved to
// the heap is described twice, for the place it comes in and for the copy.
func dropCopies(all []formal) []formal {
	kept := all[:0]
	for _, f := range all {
		i := slices.IndexFunc(kept, func(k formal) bool {
			return k.param.Name == f.param.Name && k.param.Result == f.param.Result
		})
		switch {
		case i < 0 || f.param.Name == "":
			kept = append(kept, f)
		case kept[i].param.form == placeNone:
			f.off = kept[i].off
			kept[i] = f
		}
	}
	return kept
}

// formals are the parameters among the children of an entry, and the variables of
// a closure.
func (d *debugInfo) formals(r die.Reader, e die.Entry) (found []formal, captured []capturedVariable, err error) {
	for c, err := range r.Children(e) {
		if err != nil {
			return nil, nil, fmt.Errorf("%w (%w)", ErrCorrupt, err)
		}
		switch c.Tag {
		case dwarf.TagFormalParameter:
			found = append(found, formalOf(&c))
		case dwarf.TagVariable:
			v, ok, err := d.captured(c)
			if err != nil {
				return nil, nil, err
			}
			if ok {
				captured = append(captured, v)
			}
		}
	}
	return found, captured, nil
}

func formalOf(e *die.Entry) formal {
	f := formal{off: e.Off}
	p := &f.param
	for attr, v := range e.Each {
		switch attr {
		case dwarf.AttrAbstractOrigin:
			f.origin = v.Offset()
		case dwarf.AttrName:
			p.Name = string(v.Bytes)
		case dwarf.AttrVarParam:
			p.Result = v.True()
		case dwarf.AttrType:
			p.typ = v.Offset()
		case dwarf.AttrLocation:
			switch {
			case v.Class == die.Block && len(v.Bytes) > 0:
				p.expr, p.form = v.Bytes, placeFixed
			case v.Class == die.Constant:
				p.list, p.form = v.N, placeList
			}
		}
	}
	return f
}
