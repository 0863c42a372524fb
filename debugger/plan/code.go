package plan

import (
	"encoding/binary"
	"slices"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// OpCode is what an instruction does.
type OpCode uint8

// Instructions. The first group fills the root item and appears in the root
// routine only. The second follows a value found in the current element: it
// captures what the value refers to as a new item and, when Routine is set,
// queues that item so that its own elements are followed later, breadth first.
const (
	OpEnd OpCode = iota // end of the routine; it runs again for the next element, if there is one

	OpRegister // root[Offset:][:Size] = low bytes of Reg
	OpStack    // root[Offset:][:Size] = memory at CFA + CFA
	OpHole     // root[Offset:][:Size] is not readable

	OpPointer   // pointer at Offset: capture Size bytes; costs one level of depth
	OpString    // string header at Offset: capture at most Limit bytes
	OpSlice     // slice header at Offset: capture at most Limit elements of Size bytes
	OpInterface // interface at Offset: capture its type and, when that is one of Plan.Dynamic, its value
	OpRing      // channel: capture the elements that wait, at most Limit of Size bytes
	OpGroups    // groups or buckets of a map: capture those with entries, each an item
	OpInstance  // value of Size bytes at Offset: when its type, the word Aux of the dictionary at CFA of the root, is one of Plan.Dynamic, follow it as that and pass over Limit instructions
	OpKeep      // dictionary at Offset: keep it with the call until that returns, when it is at most DictionaryFar from runtime.types

	OpKept // root[Offset:][:8] = what the entry of the call has kept; 0 when it was not seen
)

// DictionaryFar is how far, in bytes, a dictionary is from runtime.types at most:
// the linker puts both into the same part of a program. What a closure has at the
// place of one may be something else, when nothing in it needs one.
const DictionaryFar = 1 << 31

// OpFlags refine an instruction.
type OpFlags uint8

// Flags.
const (
	FlagFree   OpFlags = 1 << iota // costs no level of depth
	FlagDirect                     // of a dynamic type: the data word of the interface is the value
	FlagItab                       // the type word leads to an itab, with the type at CFA
	FlagBucket                     // slots are marked as in buckets, not as in groups of a Swiss map
)

// Where OpGroups finds groups; in Op.Reg.
const (
	// GroupsSmall is one group, at the pointer at Offset, unless the word at Aux
	// is set.
	GroupsSmall uint8 = iota
	// GroupsTable are those of the table of Limit bytes that the pointer at Offset
	// leads to: there the pointer to the groups is at CFA and their number, less
	// one, at Aux.
	GroupsTable
	// GroupsBuckets is an array of buckets; the byte at Aux is the logarithm of
	// their number.
	GroupsBuckets
	// GroupsOld is the array before, of half as many, or as many when the byte at
	// CFA has a bit of Limit.
	GroupsOld
	// GroupsNext is one bucket, that of the overflow.
	GroupsNext
)

// Op is one instruction. The code of a plan is a list of routines, each a run
// of instructions up to an OpEnd: first the one that fills the root where the
// function is entered, then, when there are such sites, the one that fills it
// where the function returns, then one for its jumps to other functions, then
// one for each type whose values refer to memory.
type Op struct {
	Code OpCode
	// Reg is the DWARF number of a general-purpose register.
	Reg uint8
	// Reason is given when the value is clipped to Limit (or to Size, for
	// OpPointer); ReasonNone when it cannot be.
	Reason event.Reason
	Flags  OpFlags
	// Offset is relative to the root for copies, and to the current element
	// for the others.
	Offset uint32
	// CFA is relative to the canonical frame address. For OpRing it is the offset
	// of the number of elements, with the capacity in the next word.
	CFA int32
	// Size is in bytes: of the copy, the pointee, or one element.
	Size uint32
	// Limit is a number of elements; a string's are bytes.
	Limit uint32
	// Type is the type of the new item.
	Type gotype.ID
	// Routine is the index of the first instruction to run on each element of
	// the new item; 0 when its elements refer to nothing.
	Routine uint32
	// Aux is, for OpRing, the offset of the index of the first element, for
	// OpGroups as said there, and for what leads to a map the number of entries
	// that are wanted of it.
	Aux uint32
}

// Dynamic is what OpInterface does with the values of one type: an OpPointer, or
// with FlagDirect the routine to run on the data word itself.
type Dynamic struct {
	// Offset is the type's from runtime.types.
	Offset uint32
	Op     Op
}

// RootRoutine is the index of the first instruction to run at sites of a kind.
// Where calls end results are captured, elsewhere everything but results. The plan
// must have been compiled.
func (p *Plan) RootRoutine(k SiteKind) uint32 {
	before := 0
	switch {
	case k == SiteTail && p.has(SiteTail):
		before = 2
	case k.Ends() && p.Returns():
		before = 1
	}
	for i, op := range p.Code {
		if before == 0 {
			return uint32(i)
		}
		if op.Code == OpEnd {
			before--
		}
	}
	return 0
}

// Returns reports whether the ends of calls are probed.
func (p *Plan) Returns() bool {
	return slices.ContainsFunc(p.Sites, func(s Site) bool { return s.Kind.Ends() })
}

func (p *Plan) has(k SiteKind) bool {
	return slices.ContainsFunc(p.Sites, func(s Site) bool { return s.Kind == k })
}

// RecordSize is the length of an encoded instruction in bytes.
const RecordSize = 32

// AppendRecord appends the instruction as the kernel program reads it
// (struct op in bpf/c/layout.h), in the order of the fields, little-endian.
func (o Op) AppendRecord(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, byte(o.Code), o.Reg, byte(o.Reason), byte(o.Flags))
	dst = le.AppendUint32(dst, o.Offset)
	dst = le.AppendUint32(dst, uint32(o.CFA))
	dst = le.AppendUint32(dst, o.Size)
	dst = le.AppendUint32(dst, o.Limit)
	dst = le.AppendUint32(dst, uint32(o.Type))
	dst = le.AppendUint32(dst, o.Routine)
	return le.AppendUint32(dst, o.Aux)
}
