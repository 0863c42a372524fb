// Package goabi computes where the Go calling convention puts arguments and
// results: ABIInternal, as cmd/compile/abi-internal.md describes it. It answers
// where DWARF is silent: results, whose location is empty in optimised code, and
// arguments before the prologue has run.
package goabi

import (
	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Arch is a sequence of registers, as DWARF numbers.
type Arch struct {
	Int, Float []uint8
	// Word is the size of a pointer, in bytes.
	Word uint64
}

// AMD64 is the convention of 64-bit x86: integers in RAX, RBX, RCX, RDI, RSI,
// R8-R11, floating-point numbers in X0-X14.
var AMD64 = Arch{
	Int:   []uint8{0, 3, 2, 5, 4, 8, 9, 10, 11},
	Float: []uint8{17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
	Word:  8,
}

// Closure is where a function literal finds the pointer to its closure when it
// is called on AMD64: RDX.
var Closure = location.Piece{Kind: location.Register, Reg: 1, Size: 8}

// maxSteps bounds the parts of one value that are looked at, so that a hostile
// type that contains itself comes to an end: a value in registers has at most 24
// parts with a size.
const maxSteps = 4096

// ABI0 is the convention of assembly: everything is on the stack.
var ABI0 = Arch{Word: 8}

// HiddenWord stands, among the arguments of Assign, for one of pointer size that
// the source does not show: the dictionary of a generic function.
const HiddenWord = ^gotype.ID(0)

// Assignment says where the values of one call are. Pieces on the stack are
// relative to the canonical frame address, which is where the caller's outgoing
// area starts; they hold at the callee's entry and at its returns.
type Assignment struct {
	// Args has one entry for each argument, the receiver first; Results one
	// for each result. A value without size has no pieces.
	Args, Results [][]location.Piece
}

// Assign lays out a call.
func (a Arch) Assign(types *gotype.Table, args, results []gotype.ID) Assignment {
	var out Assignment
	s := assigner{arch: a, types: types}
	for _, id := range args {
		out.Args = append(out.Args, s.assign(id))
	}
	s.stack = align(s.stack, a.Word)
	s.ints, s.floats = 0, 0
	for _, id := range results {
		out.Results = append(out.Results, s.assign(id))
	}
	return out
}

type assigner struct {
	arch         Arch
	types        *gotype.Table
	ints, floats int
	stack        uint64
	steps        int
}

// assign places one value, in registers when all of it fits there.
func (s *assigner) assign(id gotype.ID) []location.Piece {
	t := s.types.Get(id)
	if id == HiddenWord {
		t = &gotype.Type{Kind: gotype.Uintptr, Size: s.arch.Word}
	}
	if t == nil {
		return nil
	}
	if t.Size > 0 {
		ints, floats := s.ints, s.floats
		s.steps = 0
		if pieces, ok := s.register(nil, t, 0); ok {
			return pieces
		}
		s.ints, s.floats = ints, floats
	}
	s.stack = align(s.stack, Align(s.types, id))
	at := s.stack
	s.stack += t.Size
	if t.Size == 0 || at > 1<<30 || t.Size > 1<<30 {
		return nil
	}
	return []location.Piece{{Kind: location.Stack, Offset: int32(at), Size: uint32(t.Size)}}
}

// register assigns the parts of a value at an offset to registers.
func (s *assigner) register(dst []location.Piece, t *gotype.Type, off uint64) ([]location.Piece, bool) {
	if s.steps++; t == nil || s.steps > maxSteps {
		return nil, false
	}
	word := s.arch.Word
	switch t.Kind {
	case gotype.Bool, gotype.Int, gotype.Uint, gotype.Uintptr:
		return s.integer(dst, off, t.Size)
	case gotype.Pointer, gotype.UnsafePointer, gotype.Map, gotype.Chan, gotype.Func:
		return s.integer(dst, off, word)
	case gotype.Float:
		return s.float(dst, off, t.Size)
	case gotype.Complex:
		first, ok := s.float(dst, off, t.Size/2)
		if !ok {
			return nil, false
		}
		return s.float(first, off+t.Size/2, t.Size/2)
	case gotype.String, gotype.Interface:
		return s.words(dst, off, 2)
	case gotype.Slice:
		return s.words(dst, off, 3)
	case gotype.Struct:
		var ok bool
		for _, f := range t.Fields {
			if dst, ok = s.register(dst, s.types.Get(f.Type), off+f.Offset); !ok {
				return nil, false
			}
		}
		return dst, true
	case gotype.Array:
		switch t.Len {
		case 0:
			return dst, true
		case 1:
			return s.register(dst, s.types.Get(t.Elem), off)
		}
	}
	return nil, false
}

func (s *assigner) words(dst []location.Piece, off uint64, n int) ([]location.Piece, bool) {
	var ok bool
	for i := range n {
		if dst, ok = s.integer(dst, off+uint64(i)*s.arch.Word, s.arch.Word); !ok {
			return nil, false
		}
	}
	return dst, true
}

func (s *assigner) integer(dst []location.Piece, off, size uint64) ([]location.Piece, bool) {
	if s.ints == len(s.arch.Int) || size > s.arch.Word {
		return nil, false
	}
	s.ints++
	return append(dst, piece(s.arch.Int[s.ints-1], off, size)), true
}

func (s *assigner) float(dst []location.Piece, off, size uint64) ([]location.Piece, bool) {
	if s.floats == len(s.arch.Float) {
		return nil, false
	}
	s.floats++
	return append(dst, piece(s.arch.Float[s.floats-1], off, size)), true
}

func piece(reg uint8, off, size uint64) location.Piece {
	return location.Piece{Kind: location.Register, Reg: reg, Dest: uint32(off), Size: uint32(size)}
}

func align(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

// Align is the alignment of a type on 64-bit machines, in bytes.
func Align(types *gotype.Table, id gotype.ID) uint64 {
	steps := 0
	return alignOf(types, id, &steps)
}

func alignOf(types *gotype.Table, id gotype.ID, steps *int) uint64 {
	t := types.Get(id)
	if *steps++; t == nil || *steps > maxSteps {
		return 1
	}
	switch t.Kind {
	case gotype.Struct:
		most := uint64(1)
		for _, f := range t.Fields {
			most = max(most, alignOf(types, f.Type, steps))
		}
		return most
	case gotype.Array:
		return alignOf(types, t.Elem, steps)
	case gotype.Complex:
		return wordAlign(t.Size / 2)
	case gotype.Bool, gotype.Int, gotype.Uint, gotype.Float:
		return wordAlign(t.Size)
	}
	return 8
}

// wordAlign is the alignment of a number of so many bytes.
func wordAlign(size uint64) uint64 {
	switch size {
	case 1, 2, 4:
		return size
	}
	return 8
}
