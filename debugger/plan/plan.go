// Package plan is pure data: what one probe does to one binary. It says which
// sites are probed, which variables are read there and from where, and holds the
// byte-code the kernel program runs. It asks nothing of the kernel or of a
// process, so it is the same on every machine and can be printed and compared.
//
// A plan belongs to a binary, not to a process: the same plan serves every
// process that runs the same file.
package plan

import "github.com/vigil-agent/vigil/debugger/gotype"

// Plan is one probe resolved against one binary.
type Plan struct {
	// ProbeID and ProbeVersion identify the definition.
	ProbeID      string
	ProbeVersion int
	// Function is the qualified Go name, e.g. "main.(*Server).Handle".
	Function string
	// File and Line are where the function is declared, as the compiler
	// recorded them.
	File string
	Line int
	// Sites are the instructions that are probed, in address order; a plan
	// without returns has one.
	Sites []Site
	// Variables are what is captured, in declaration order. RootSize is the
	// length of the root item: the bytes of all variables side by side.
	Variables []Variable
	RootSize  uint32
	// Dictionary is where a generic function is told its type arguments; nil for
	// others.
	Dictionary *Dictionary
	// Types holds every type that Variables and Code refer to.
	Types *gotype.Table
	// Limits bound what is captured.
	Limits Limits
	// Code is the byte-code of the capture, in execution order.
	Code []Op
	// Dynamic are the types whose values are captured from interfaces, by their
	// Offset.
	Dynamic []Dynamic
	// GoIDOffset is the offset of goid in runtime.g, in bytes.
	GoIDOffset uint32
	// Notes say, in words, what this plan cannot do and why; none of them keeps
	// it from being installed.
	Notes []string
}

// SiteKind says what the execution of a site means.
type SiteKind uint8

// Kinds of site.
const (
	SiteEntry  SiteKind = iota + 1 // the function was called
	SiteReturn                     // the function is about to return
	SiteLine                       // a source line is about to run
	SiteTail                       // the function is about to be left by a jump to another one, which returns in its place
)

// Ends reports whether a call of the function ends at such a site.
func (k SiteKind) Ends() bool { return k == SiteReturn || k == SiteTail }

// Anchor classifies the probed instruction by what the kernel does with it: an
// emulated instruction costs one breakpoint trap, a stepped one a second trap
// (about twenty times as much under virtualisation).
type Anchor uint8

// Anchors, cheapest first.
const (
	AnchorPushRBP  Anchor = iota + 1 // PUSH RBP: emulated, runs once a call
	AnchorEmulated                   // another instruction the kernel emulates
	AnchorStepped                    // single-stepped out of line
)

// Site is one instruction to probe.
type Site struct {
	// PC is the link-time virtual address; FileOffset is where it is in the
	// file, which is what the kernel attaches to.
	PC, FileOffset uint64
	Kind           SiteKind
	Anchor         Anchor
	// CFAOffset is the distance from the stack pointer at this site, before
	// the instruction runs, to the canonical frame address (the stack pointer
	// before the caller's CALL pushed the return address).
	CFAOffset int32
	// Framed says that RBP already points to this function's frame at the
	// site; when false the caller's return address is at CFA-8 and RBP is the
	// caller's frame pointer.
	Framed bool
	// Restarts says that the site may run again within a call: it is at or
	// before the check for stack space, and a function that lacks space starts
	// again once its stack has grown. Such a hit looks like a second call from a
	// loop, so it is not left out: a note says that calls may be seen twice.
	Restarts bool
	// To is the function that a SiteTail goes on in; "" when it has no name.
	To string
	// File and Line are what a SiteLine is, as the compiler recorded them.
	File string
	Line int
}

// Role says what a variable is to the function.
type Role uint8

// Roles.
const (
	RoleArgument Role = iota + 1
	RoleResult
	RoleLocal
)

// Variable is one captured value.
type Variable struct {
	Name string
	Role Role
	Type gotype.ID
	// RootOffset is where its bytes start in the root item.
	RootOffset uint32
	// Pieces say where the bytes come from; together they cover the type's
	// size, padding excepted. Empty when the variable cannot be read or has no
	// size. Those of arguments hold at entry sites, those of results at return
	// sites.
	Pieces []Piece
	// Instance is the word of the dictionary, counted from 1, with the type that
	// the variable really has when its Type is the shape that instances share; 0
	// when it is not in the dictionary.
	Instance int
	// Indirect says that the variable is on the heap: the bytes are the pointer
	// to it, and Type is the pointer's.
	Indirect bool
	// Closure says that the bytes are the pointer to the closure of a function
	// literal: the variables it takes from its surroundings are the fields of
	// what Type leads to, one that begins with & by a pointer to it. Instances are
	// those of the fields.
	Closure   bool
	Instances []int
	// Unavailable is why it cannot be read here, in words ("optimised out");
	// empty when it can.
	Unavailable string
}

// Dictionary is an argument that generic functions take besides: a pointer to
// words, of which some are the run-time types of an instance. It is read at
// entries, into the root at RootOffset, and kept with the call: where it returns
// the root has it again. Function literals have it in their closure, at InClosure;
// there is no piece then.
type Dictionary struct {
	Pieces     []Piece
	RootOffset uint32
	InClosure  uint32
	// Words is how many are of interest.
	Words int
}

// PieceKind is the place a piece of a variable is in.
type PieceKind uint8

// Places.
const (
	PieceRegister PieceKind = iota + 1 // Reg, low Size bytes
	PieceStack                         // CFA + Offset
)

// Piece is a run of bytes of a variable.
type Piece struct {
	Kind PieceKind
	// Reg is the DWARF register number (amd64: 0 RAX, 3 RBX, 17-31 XMM0-14 …).
	Reg uint8
	// Offset is relative to the canonical frame address.
	Offset int32
	// Dest is the offset within the variable; Size is at most 8 for registers.
	Dest, Size uint32
}

// Limits bound one snapshot. The zero value means "the defaults".
type Limits struct {
	// Depth is how many pointers are followed; a string or slice header's own
	// data does not count as one.
	Depth int
	// Collection is how many elements of a slice or array are captured.
	Collection int
	// Length is how many bytes of a string are captured.
	Length int
	// Fields is how many fields of a struct are shown.
	Fields int
}

// DefaultLimits are those of the debugger specification, section 9.5.
func DefaultLimits() Limits { return Limits{Depth: 3, Collection: 100, Length: 255, Fields: 20} }
