package plan

import (
	"fmt"
	"slices"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Bounds of the byte-code; the kernel program is built with the same ones.
const (
	// MaxItem is the most bytes one item holds, the root included
	// (debugger specification, section 4: data item, string).
	MaxItem = 8192
	// maxRoutine bounds the instructions of one routine: arrays are unrolled
	// into it, and what lies beyond is not followed.
	maxRoutine = 1024
	// maxNesting bounds how deep structs and arrays nest within one routine.
	// Go has no such bound; a table made from a damaged file needs one.
	maxNesting = 64
	// maxVisits bounds the values one routine comes by. A type that contains
	// itself many times, which only a damaged table has, would take for ever.
	maxVisits = 1 << 16
	// generalRegisters is the number of DWARF registers, from 0, that a probe
	// sees on amd64: RAX to R15. The vector registers follow the return
	// address, from 17. On arm64 Go passes integers in R0 to R15 too and the
	// vector registers start at 64.
	generalRegisters = 16
)

// UnavailableVector is why a variable in a floating-point register cannot be
// read: such registers are still live in the processor when a uprobe runs and
// are not part of the registers the kernel saved.
const UnavailableVector = "in a vector register, which the kernel does not expose to probes"

// UnavailableLarge is why a variable that does not fit the root cannot be read.
var UnavailableLarge = fmt.Sprintf("the variables together are larger than %d bytes", MaxItem)

// Compile generates p.Code from p.Variables, p.Types and p.Limits. It also
//   - lays out the root item, in declaration order with 8-byte alignment, when
//     p.RootSize is 0;
//   - marks the variables that cannot be read: Unavailable says why and Pieces
//     is emptied. A variable of which only a part cannot be read stays, and the
//     part becomes a hole of the root (event.Event.Unread).
//
// The same plan always gives the same code. An error means that the plan
// contradicts itself and names the variable.
func Compile(p *Plan) error {
	c := compiler{types: p.Types, limits: p.Limits.OrDefaults(), wanted: map[routine]uint32{}, referring: map[gotype.ID]bool{}}
	if c.types == nil {
		c.types = &gotype.Table{}
	}
	if err := c.check(p); err != nil {
		return err
	}
	c.layout(p)
	c.dictionary, c.keep = p.Dictionary, p.KeepsDictionary()
	if d := p.Dictionary; d != nil && (d.Words <= 0 || d.Words > maxInstances) {
		c.dictionary, c.keep = nil, false
	}
	c.root(p, false)
	if p.Returns() {
		c.root(p, true)
	}
	if p.has(SiteTail) {
		c.noResults(p)
	}
	c.dynamicTypes(p)
	// Emitting a routine can ask for further ones, which join the end.
	starts := []uint32{0}
	for i := 0; i < len(c.order); i++ {
		starts = append(starts, uint32(len(c.code)))
		c.emit(c.order[i])
	}
	for i := range c.code {
		c.code[i].Routine = starts[c.code[i].Routine]
	}
	for i := range c.dynamic {
		c.dynamic[i].Op.Routine = starts[c.dynamic[i].Op.Routine]
	}
	p.Dynamic = c.dynamic
	p.Code = c.code
	return nil
}

// OrDefaults replaces each limit that is not set by its default.
func (l Limits) OrDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, def *int }{
		{&l.Depth, &d.Depth},
		{&l.Collection, &d.Collection},
		{&l.Length, &d.Length},
		{&l.Fields, &d.Fields},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}

// routine is what is run on each element of an item.
type routine struct {
	id   gotype.ID
	part part
}

// part says which of the items of a type: its elements, or those that the
// runtime keeps behind it.
type part uint8

const (
	partElement part = iota
	partMap
	partDirectory
	partGroup
	partChan
	partLocation
	partClosure
)

type compiler struct {
	types  *gotype.Table
	limits Limits
	code   []Op
	// start is the first instruction of the routine being emitted, visits how many
	// values it has come by.
	start, visits int
	// order are the routines to emit, in the order they were asked for; wanted
	// has the position of each, counted from 1, which is what Op.Routine holds
	// until all are emitted.
	order   []routine
	wanted  map[routine]uint32
	dynamic []Dynamic
	// dictionary is that of the plan, which keep says is kept with calls.
	dictionary *Dictionary
	keep       bool
	// referring remembers the answers of refers.
	referring map[gotype.ID]bool
}

// check rejects what would make the kernel program write outside its place.
func (c *compiler) check(p *Plan) error {
	for i := range p.Variables {
		v := &p.Variables[i]
		if v.Unavailable != "" || len(v.Pieces) == 0 {
			continue
		}
		t := c.types.Get(v.Type)
		if t == nil {
			return fmt.Errorf("compile %s: variable %s has type id %d, which the plan's table does not hold", p.Function, v.Name, v.Type)
		}
		for _, piece := range v.Pieces {
			end := uint64(piece.Dest) + uint64(piece.Size)
			if end > t.Size || piece.Kind == PieceRegister && piece.Size > 8 {
				return fmt.Errorf("compile %s: variable %s of %d bytes has a piece of %d bytes at %d", p.Function, v.Name, t.Size, piece.Size, piece.Dest)
			}
			if piece.Kind != PieceRegister && piece.Kind != PieceStack {
				return fmt.Errorf("compile %s: variable %s has a piece of unknown kind %d", p.Function, v.Name, piece.Kind)
			}
		}
		if p.RootSize != 0 && uint64(v.RootOffset)+t.Size > uint64(p.RootSize) {
			return fmt.Errorf("compile %s: variable %s of %d bytes at %d does not fit the root of %d", p.Function, v.Name, t.Size, v.RootOffset, p.RootSize)
		}
	}
	return nil
}

// layout decides what can be read and where it goes.
func (c *compiler) layout(p *Plan) {
	given := p.RootSize != 0
	var end uint64
	for i := range p.Variables {
		v := &p.Variables[i]
		var size uint64
		if t := c.types.Get(v.Type); t != nil {
			size = t.Size
		}
		at := (end + 7) &^ 7
		if given {
			at = uint64(v.RootOffset)
		}
		switch {
		case v.Unavailable != "":
		case len(v.Pieces) > 0 && allVector(v.Pieces):
			v.Unavailable = UnavailableVector
		case size > MaxItem || at+size > MaxItem:
			v.Unavailable = UnavailableLarge
		}
		if v.Unavailable != "" {
			v.Pieces = nil
			continue
		}
		v.RootOffset, end = uint32(at), max(end, at+size)
	}
	if !given {
		p.RootSize = uint32((end + 7) &^ 7)
		if d := p.Dictionary; d != nil && (d.InClosure == 0 || p.KeepsDictionary()) {
			d.RootOffset = p.RootSize
			p.RootSize += wordSize
		}
	}
	p.RootSize = min(p.RootSize, MaxItem)
}

func allVector(pieces []Piece) bool {
	for _, piece := range pieces {
		if !piece.vector() {
			return false
		}
	}
	return true
}

func (p Piece) vector() bool { return p.Kind == PieceRegister && p.Reg >= generalRegisters }

// root emits a routine that fills the root with the results, or with the other
// variables: every copy first, because what is followed is read from the copies.
func (c *compiler) root(p *Plan, results bool) {
	wanted := func(v *Variable) bool { return len(v.Pieces) > 0 && (v.Role == RoleResult) == results }
	for i := range p.Variables {
		if v := &p.Variables[i]; wanted(v) {
			c.copies(v.Pieces, v.RootOffset)
		}
	}
	d := c.dictionary
	switch {
	case d == nil || d.RootOffset+wordSize > p.RootSize:
		d = nil
	case results && c.keep:
		c.code = append(c.code, Op{Code: OpKept, Offset: d.RootOffset, Size: wordSize})
		c.follows(d, d.RootOffset, false)
	case results || d.InClosure > 0:
		d = nil
	default:
		c.copies(d.Pieces, d.RootOffset)
		c.follows(d, d.RootOffset, c.keep)
	}
	c.start, c.visits = len(c.code), 0
	for i := range p.Variables {
		v := &p.Variables[i]
		if !wanted(v) {
			continue
		}
		if v.Indirect || v.Closure {
			c.free(v.Type, uint64(v.RootOffset), v.Closure)
			continue
		}
		if d == nil || v.Instance == 0 {
			c.follow(v.Type, uint64(v.RootOffset), 0)
			continue
		}
		at := len(c.code)
		c.code = append(c.code, Op{
			Code: OpInstance, Offset: v.RootOffset, CFA: int32(d.RootOffset), Aux: uint32(v.Instance - 1),
			Size: uint32(min(c.types.Get(v.Type).Size, MaxItem)), Type: v.Type,
		})
		c.follow(v.Type, uint64(v.RootOffset), 0)
		c.code[at].Limit = uint32(len(c.code) - at - 1)
	}
	c.code = append(c.code, Op{Code: OpEnd})
}

// follows emits the capture of the dictionary that a word leads to, and keeps it
// with the call when that is asked for.
func (c *compiler) follows(d *Dictionary, at uint32, keep bool) {
	c.code = append(c.code, Op{
		Code: OpPointer, Flags: FlagFree, Offset: at, Type: event.TypeDictionary, Size: uint32(d.Words) * wordSize, Limit: 1,
	})
	if keep {
		c.code = append(c.code, Op{Code: OpKeep, Offset: at})
	}
}

// KeepsDictionary reports whether the root has the dictionary where calls return:
// when results are of types in it.
func (p *Plan) KeepsDictionary() bool {
	return p.Dictionary != nil && p.Returns() && slices.ContainsFunc(p.Variables, func(v Variable) bool {
		return v.Role == RoleResult && v.Instance > 0
	})
}

// noResults emits a routine for where the results are not there yet.
func (c *compiler) noResults(p *Plan) {
	for _, v := range p.Variables {
		if v.Role != RoleResult || v.Unavailable != "" {
			continue
		}
		if t := c.types.Get(v.Type); t != nil && t.Size > 0 {
			c.code = append(c.code, Op{Code: OpHole, Reason: event.ReasonUnavailable, Offset: v.RootOffset, Size: uint32(t.Size)})
		}
	}
	c.code = append(c.code, Op{Code: OpEnd})
}

// copies emits the copies of pieces to the root.
func (c *compiler) copies(pieces []Piece, root uint32) {
	for _, piece := range pieces {
		op := Op{Offset: root + piece.Dest, Size: piece.Size}
		switch {
		case piece.Size == 0:
			continue
		case piece.vector():
			op.Code, op.Reason = OpHole, event.ReasonUnavailable
		case piece.Kind == PieceRegister:
			op.Code, op.Reg = OpRegister, piece.Reg
		default:
			op.Code, op.CFA, op.Reason = OpStack, piece.Offset, event.ReasonUnavailable
		}
		c.code = append(c.code, op)
	}
}

// emit emits a routine.
func (c *compiler) emit(r routine) {
	c.start, c.visits = len(c.code), 0
	switch r.part {
	case partElement:
		c.follow(r.id, 0, 0)
	case partMap:
		c.mapHeader(r.id)
	case partDirectory:
		c.mapDirectory(r.id)
	case partGroup:
		c.mapGroup(r.id)
	case partChan:
		c.chanHeader(r.id)
	case partLocation:
		c.location(r.id)
	case partClosure:
		c.closure(r.id)
	}
	c.code = append(c.code, Op{Code: OpEnd})
}

// follow emits the instructions for a value of type id at an offset of the
// current element. Structs and arrays are flattened.
func (c *compiler) follow(id gotype.ID, at uint64, nesting int) {
	if nesting > maxNesting || c.full(at) || !c.refers(id) {
		return
	}
	c.visits++
	t := c.types.Get(id)
	op := Op{Offset: uint32(at)}
	switch t.Kind {
	case gotype.Struct:
		if isTime(t) {
			c.time(t, at)
			return
		}
		if pointer, offset, ok := c.types.AtomicPointer(t); ok {
			c.follow(pointer, at+offset, nesting+1)
			return
		}
		for i := range min(len(t.Fields), c.limits.Fields) {
			if leadsToSpan(t, t.Fields[i]) {
				c.follow(t.Fields[i].Type, at+t.Fields[i].Offset, nesting+1)
			}
		}
		return
	case gotype.Array:
		size := c.types.Get(t.Elem).Size
		for i := range min(t.Len, uint64(c.limits.Collection)) {
			if c.full(at + i*size) {
				return
			}
			c.follow(t.Elem, at+i*size, nesting+1)
		}
		return
	case gotype.String:
		op.Code, op.Type, op.Size = OpString, id, 1
		op.Limit, op.Reason = clip(c.limits.Length, MaxItem, event.ReasonLength)
	case gotype.Slice:
		elem := c.types.Get(t.Elem)
		op.Code, op.Type, op.Size = OpSlice, id, uint32(min(elem.Size, MaxItem+1))
		op.Limit, op.Reason = clip(c.limits.Collection, int(MaxItem/elem.Size), event.ReasonCollection)
		if op.Limit > 0 {
			op.Routine = c.element(t.Elem)
		}
	case gotype.Pointer:
		op = c.pointer(t.Elem, at)
	case gotype.Map:
		op.Code, op.Type, op.Size, op.Limit = OpPointer, id, c.mapHeaderSize(), 1
		op.Aux = uint32(c.limits.Collection)
		if t.Key != 0 && t.Elem != 0 {
			op.Routine = c.want(id, partMap)
		}
	case gotype.Chan:
		op.Code, op.Type, op.Size, op.Limit = OpPointer, id, c.chanHeaderSize(), 1
		if elem := c.types.Get(t.Elem); elem != nil && elem.Size > 0 && elem.Size <= MaxItem {
			op.Routine = c.want(id, partChan)
		}
	case gotype.Func:
		// A function's word leads to a closure, whose first word is the code.
		op.Code, op.Flags, op.Type, op.Size, op.Limit = OpPointer, FlagFree, id, wordSize, 1
	case gotype.Interface:
		op.Code, op.Type, op.Size = OpInterface, id, 2*wordSize
		if !t.Empty {
			op.Flags, op.CFA = FlagItab, int32(c.types.Runtime.ItabType)
		}
		if t.Name == contextName {
			op.Flags |= FlagFree
		}
	}
	c.code = append(c.code, op)
}

// pointer is the instruction for a pointer to type id at an offset.
func (c *compiler) pointer(id gotype.ID, at uint64) Op {
	size := c.types.Get(id).Size
	op := Op{Code: OpPointer, Offset: uint32(at), Type: id, Size: uint32(min(size, MaxItem)), Limit: 1, Routine: c.element(id)}
	if size > MaxItem {
		op.Reason = event.ReasonTooLarge
	}
	return op
}

// full reports whether nothing more can be followed: the offset is beyond what
// an item holds, or the routine has reached its bound.
func (c *compiler) full(at uint64) bool {
	return at >= MaxItem || len(c.code)-c.start >= maxRoutine || c.visits >= maxVisits
}

// clip is the smaller of a limit the user set and one of the event, with the
// reason to give for it.
func clip(limit, room int, reason event.Reason) (uint32, event.Reason) {
	if limit > room {
		return uint32(room), event.ReasonTooLarge
	}
	return uint32(limit), reason
}

// refers reports whether following a value of type id emits anything.
func (c *compiler) refers(id gotype.ID) bool {
	answer, known := c.referring[id]
	if known {
		return answer
	}
	// A type that contains itself by value exists only in a damaged table:
	// while its answer is being found, it is no.
	c.referring[id] = false
	t := c.types.Get(id)
	if t == nil {
		return false
	}
	switch t.Kind {
	case gotype.String, gotype.Func:
		answer = true
	case gotype.Pointer, gotype.Slice:
		elem := c.types.Get(t.Elem)
		answer = elem != nil && elem.Size > 0 && !t.AnyPointer()
	case gotype.Array:
		answer = t.Len > 0 && c.refers(t.Elem)
	case gotype.Map:
		answer = t.Map != nil && t.Map.GroupSize > 0 && t.Map.GroupSize <= MaxItem && t.Map.Control == 0 && c.mapHeaderSize() > 0
	case gotype.Chan:
		answer = c.chanHeaderSize() > 0
	case gotype.Interface:
		answer = c.types.Runtime.Types > 0 && (t.Empty || c.types.Runtime.ItabType > 0)
	case gotype.Struct:
		if isTime(t) {
			answer = c.types.Runtime.Location.CacheZone > 0
			break
		}
		if pointer, _, ok := c.types.AtomicPointer(t); ok {
			answer = c.refers(pointer)
			break
		}
		for i := range min(len(t.Fields), c.limits.Fields) {
			if c.refers(t.Fields[i].Type) {
				answer = true
				break
			}
		}
	}
	c.referring[id] = answer
	return answer
}

// element is the routine for elements of type id; 0 when they refer to nothing.
func (c *compiler) element(id gotype.ID) uint32 {
	if !c.refers(id) {
		return 0
	}
	return c.want(id, partElement)
}

func (c *compiler) want(id gotype.ID, p part) uint32 {
	r := routine{id, p}
	if c.wanted[r] == 0 {
		c.order = append(c.order, r)
		c.wanted[r] = uint32(len(c.order))
	}
	return c.wanted[r]
}
