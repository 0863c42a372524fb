// Package location reads where DWARF says a variable is: location lists, which
// give an expression for a range of program counters, and the expressions the Go
// compiler writes, which name registers and stack slots. The standard
// debug/dwarf reads neither.
//
// It is pure: every function works on bytes and is bounds-checked.
package location

import "errors"

// Kind is the place a piece is in.
type Kind uint8

// Places.
const (
	Register Kind = iota + 1 // the low Size bytes of register Reg
	Stack                    // at the canonical frame address plus Offset
)

// Piece is a run of bytes of a variable.
type Piece struct {
	Kind Kind
	// Reg is a DWARF register number of amd64: 0 RAX, 1 RDX, 2 RCX, 3 RBX, 4
	// RSI, 5 RDI, 6 RBP, 7 RSP, 8-15 R8-R15, 17-32 XMM0-XMM15 (System V AMD64
	// ABI, figure 3.36).
	Reg uint8
	// Offset is relative to the canonical frame address, in bytes.
	Offset int32
	// Dest is where the bytes go in the variable.
	Dest, Size uint32
}

// Reasons why a variable has no readable place.
var (
	// ErrOptimisedOut says that the variable has no place at this instruction.
	ErrOptimisedOut = errors.New("optimised out")
	// ErrClobbered says that the variable has a place at other instructions of
	// the function, but not at this one: what held it is used for something
	// else, or does not hold it yet.
	ErrClobbered = errors.New("register clobbered: readable at other lines of the function only")
	// ErrPartly says that only some parts of the variable have a place.
	ErrPartly = errors.New("partly optimised out")
	// ErrIndirect says that the variable lives on the heap and its place holds
	// a pointer to it.
	ErrIndirect = errors.New("moved to the heap")
	// ErrUnsupported says that the expression uses operations the Go compiler
	// is not known to write.
	ErrUnsupported = errors.New("location expression is not supported")
	// ErrCorrupt says that a list or an expression is cut.
	ErrCorrupt = errors.New("corrupt location")
)
