package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/disasm"
	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Definition is what a probe asks for, as far as one binary is concerned.
type Definition struct {
	// ProbeID and Version identify the probe.
	ProbeID string
	Version int
	// Function is a qualified Go name, or the end of one that fits a single
	// function (binary.Binary.FindFunction).
	Function string
	// Returns asks for a site at each return, and for the results.
	Returns bool
	// Limits bound the capture; zero fields are the defaults.
	Limits Limits
	// Types are dynamic types to know besides, by their distance from
	// runtime.types: those that snapshots of an earlier plan met in interfaces
	// and did not know.
	Types []uint64
	// PlacesOnly asks where the variables are and no more: nothing behind a
	// pointer or interface is collected. Such a plan is to be looked at.
	PlacesOnly bool
}

// Resolve turns a definition into a plan for one binary: everything but Code,
// which Compile adds. A stripped binary gives a plan with sites, without
// variables, and a note. It fails with the errors of FindFunction, and when the
// function has no instruction in the file.
func Resolve(bin *binary.Binary, def Definition) (*Plan, error) {
	fn, err := bin.FindFunction(def.Function)
	if err != nil {
		return nil, err
	}
	return ResolveFunction(bin, fn, def)
}

// ResolveFunction is Resolve for a function that is found already.
func ResolveFunction(bin *binary.Binary, fn *binary.Function, def Definition) (*Plan, error) {
	p := &Plan{
		ProbeID: def.ProbeID, ProbeVersion: def.Version,
		Function: fn.Name, File: fn.File, Line: fn.Line,
		Types: &gotype.Table{}, Limits: def.Limits.OrDefaults(),
	}
	r := resolver{bin: bin, fn: fn, plan: p, returns: def.Returns, types: def.Types, places: def.PlacesOnly}
	for _, step := range []func() error{r.sites, r.variables, r.goid} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("function %s: %w", fn.Name, err)
		}
	}
	layout(p)
	return p, nil
}

// resolver fills in one plan.
type resolver struct {
	bin     *binary.Binary
	fn      *binary.Function
	plan    *Plan
	returns bool
	types   []uint64
	places  bool
	entry   uint64 // address of the entry site
}

func (r *resolver) note(format string, args ...any) {
	r.plan.Notes = append(r.plan.Notes, fmt.Sprintf(format, args...))
}

// goid finds what tells goroutines and their calls apart. Without variables the
// table of types is empty, and needs no more than that.
func (r *resolver) goid() (err error) {
	if r.plan.Types.Len() == 0 {
		if r.plan.Types.Runtime, err = r.bin.Runtime(); err != nil {
			return err
		}
	}
	r.plan.GoIDOffset, err = r.bin.GoIDOffset()
	return err
}

var anchors = map[disasm.Class]Anchor{disasm.PushRBP: AnchorPushRBP, disasm.Emulated: AnchorEmulated, disasm.Stepped: AnchorStepped}

// returnSize is what is on the stack above the stack pointer at an entry or
// return before the caller's frame begins: the return address.
const returnSize = 8

// sites chooses the entry and, when they are asked for, the returns.
func (r *resolver) sites() error {
	e, err := r.bin.Entry(r.fn)
	if err != nil {
		return err
	}
	exits, err := r.exits()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(exits.TailJumps, func(j binary.TailJump) bool { return j.Offset == e.Offset }) {
		// One instruction cannot be both ends of a call.
		if e, err = r.bin.Start(r.fn); err != nil {
			return err
		}
	}
	r.entry = r.fn.Entry + uint64(e.Offset)
	if err := r.site(Site{PC: r.entry, Kind: SiteEntry, Anchor: anchors[e.Class], Restarts: e.Restarts}); err != nil {
		return err
	}
	if e.Restarts {
		r.note("the entry is before the check for stack space: a call that grows the stack is seen twice")
	}
	for _, off := range exits.Returns {
		if err := r.exit(Site{PC: r.fn.Entry + uint64(off), Kind: SiteReturn, Anchor: AnchorStepped}); err != nil {
			return err
		}
	}
	for _, j := range exits.TailJumps {
		if err := r.exit(Site{PC: r.fn.Entry + uint64(j.Offset), Kind: SiteTail, Anchor: anchors[j.Class], To: j.To}); err != nil {
			return err
		}
	}
	slices.SortFunc(r.plan.Sites[1:], func(a, b Site) int { return cmp.Compare(a.PC, b.PC) })
	return nil
}

// exits are the ways out of the function that are to be probed.
func (r *resolver) exits() (exits binary.Exits, err error) {
	if !r.returns {
		return exits, nil
	}
	exits, err = r.bin.Exits(r.fn)
	switch {
	case errors.Is(err, disasm.ErrUndecodable):
		r.note("returns are not probed: %v", err)
		return binary.Exits{}, nil
	case err != nil:
		return exits, err
	case exits.Unclear > 0:
		r.note("%d jumps may leave the function: calls that end by one are not seen to return", exits.Unclear)
	case len(exits.Returns)+len(exits.TailJumps) == 0:
		r.note("the function never returns")
	}
	return exits, nil
}

// exit adds a site at which calls end.
func (r *resolver) exit(s Site) error {
	if s.PC == r.entry {
		what := "return instruction"
		if s.Kind == SiteTail {
			what = "jump to " + s.To
		}
		r.note("the function is a single %s: its return is not probed", what)
		return nil
	}
	return r.site(s)
}

// site adds a site where the canonical frame address is above the return
// address, which holds at entries and returns.
func (r *resolver) site(s Site) error {
	off, ok := r.bin.FileOffset(s.PC)
	if !ok {
		return fmt.Errorf("%w (no byte of the file is at %#x)", binary.ErrCorrupt, s.PC)
	}
	s.FileOffset, s.CFAOffset = off, returnSize
	r.plan.Sites = append(r.plan.Sites, s)
	return nil
}

// variables places the arguments at the entry, and the results at returns when
// they are asked for.
func (r *resolver) variables() error {
	sig, err := r.signature()
	switch {
	case errors.Is(err, binary.ErrNoDWARF), errors.Is(err, binary.ErrNotDescribed):
		r.note("%v", err)
		return nil
	case err != nil:
		return err
	}
	if r.fn.Assembly {
		r.note("the function is written in assembly: its parameters are not described")
	}
	r.plan.Types = sig.Types
	places := placesOf(sig, r.fn.Name, r.entry)
	words, hasDictionary := 0, places.dictionary != nil || isShapeLiteral(r.fn.Name)
	for i, param := range sig.Params {
		if param.Result && !r.returns || isDictionary(param) {
			continue
		}
		v := Variable{Name: sourceName(param.Name), Role: RoleArgument, Type: param.Type}
		if param.Result {
			v.Role = RoleResult
		}
		pieces, err := places.of(i)
		if err != nil {
			v.Unavailable = err.Error()
		}
		v.Pieces = piecesOf(pieces)
		if places.trusted && hasDictionary && param.Dictionary != binary.NoDictionary && param.Dictionary < maxInstances {
			v.Instance = param.Dictionary + 1
			words = max(words, v.Instance)
		}
		r.plan.Variables = append(r.plan.Variables, v)
	}
	if words > 0 && places.dictionary != nil {
		r.plan.Dictionary = &Dictionary{Pieces: piecesOf(places.dictionary), Words: words}
	}
	r.closure(sig, places, words)
	return nil
}

// maxInstances bounds the words of a dictionary that are of interest: parameters
// are in the first ones.
const maxInstances = 256

// implementers is how many dynamic types are known for each interface with
// methods. What is missing is reported by snapshots.
const implementers = 32

// reach is what is collected beside the variables themselves: what the program
// converts to the interfaces there, what was asked for, and, where there is an
// empty interface, what these most often hold.
func (r *resolver) reach(holdsAny bool) binary.Reach {
	if r.places {
		return binary.Reach{}
	}
	reach := binary.Reach{Depth: r.plan.Limits.Depth, Implementers: implementers, Dynamic: r.types}
	if holdsAny {
		reach.Dynamic = slices.Concat(r.bin.CommonTypes(), r.types)
	}
	return reach
}

// signature reads the parameters with the types in reach.
func (r *resolver) signature() (*binary.Signature, error) {
	sig, err := r.bin.Signature(r.fn, r.reach(false))
	if err != nil || r.places || !hasEmptyInterface(sig.Types) {
		return sig, err
	}
	return r.bin.Signature(r.fn, r.reach(true))
}

func hasEmptyInterface(t *gotype.Table) bool {
	for id := gotype.ID(1); int(id) <= t.Len(); id++ {
		if typ := t.Get(id); typ.Kind == gotype.Interface && typ.Empty {
			return true
		}
	}
	return false
}

func piecesOf(from []location.Piece) (pieces []Piece) {
	kinds := map[location.Kind]PieceKind{location.Register: PieceRegister, location.Stack: PieceStack}
	for _, p := range from {
		pieces = append(pieces, Piece{Kind: kinds[p.Kind], Reg: p.Reg, Offset: p.Offset, Dest: p.Dest, Size: p.Size})
	}
	return pieces
}

// rootAlign is the alignment of variables in the root item, in bytes.
const rootAlign = 8

// maxRoot keeps offsets in range; Compile refuses far smaller roots.
const maxRoot = 1 << 30

// layout puts the variables side by side in the root item.
func layout(p *Plan) {
	var at uint64
	for i := range p.Variables {
		v := &p.Variables[i]
		t := p.Types.Get(v.Type)
		if t == nil || v.Unavailable != "" {
			continue
		}
		if t.Size > maxRoot || at+t.Size > maxRoot {
			v.Pieces, v.Unavailable = nil, UnavailableLarge
			continue
		}
		v.RootOffset = uint32(at)
		at = (at + t.Size + rootAlign - 1) &^ (rootAlign - 1)
	}
	if d := p.Dictionary; d != nil && (d.InClosure == 0 || p.KeepsDictionary()) {
		p.Dictionary.RootOffset = uint32(at)
		at += wordSize
	}
	p.RootSize = uint32(at)
}
