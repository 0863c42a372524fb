package disasm

import (
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// Class says what the kernel does with a probed instruction.
type Class uint8

// Classes, cheapest first.
const (
	PushRBP  Class = iota + 1 // PUSH RBP of the frame setup: emulated
	Emulated                  // another emulated instruction
	Stepped                   // single-stepped
)

// Entry is the instruction to probe for "the function was called".
//
// At every entry the arguments are still where the caller put them and the
// canonical frame address is RSP+8: neither the stack pointer nor an argument
// register has been written yet.
type Entry struct {
	// Offset is where it is in the function, in bytes.
	Offset int
	Class  Class
	// Restarts says that the instruction may run again within a call: some jump
	// leads back to the start. Mostly this is the check for stack space, which
	// starts a function that lacks space again once its stack has grown. The runs
	// have the same goroutine and the same stack depth and follow each other
	// directly, but so do calls in a loop: nothing tells them apart for sure. An
	// entry behind the check, and one in a function without a check, never
	// restarts.
	Restarts bool
}

// prologueLength bounds the search for PUSH RBP; the longest check for stack
// space is 40 bytes.
const prologueLength = 64

// FindEntry chooses the entry of a function. It always finds one: the first
// instruction is the last resort.
func FindEntry(code []byte) Entry {
	if off, ok := frameSetup(code); ok {
		return Entry{Offset: off, Class: PushRBP}
	}
	if len(code) == 0 {
		return Entry{Class: Stepped}
	}
	if off, ok := firstEmulated(code); ok {
		return Entry{Offset: off, Class: Emulated, Restarts: jumpsTo(code, 0, 0)}
	}
	return Start(code)
}

// Start is the first instruction.
func Start(code []byte) Entry {
	class, err := ClassAt(code, 0)
	if err != nil {
		class = Stepped
	}
	return Entry{Class: class, Restarts: jumpsTo(code, 0, 0)}
}

// frameSetup finds PUSH RBP; MOV RBP, RSP with nothing but the check for stack
// space before it.
func frameSetup(code []byte) (off int, ok bool) {
	pushed := -1
	err := each(code, func(in instruction) bool {
		switch {
		case pushed >= 0:
			ok = in.isFrameMove()
			return false
		case in.off >= prologueLength:
			return false
		case in.isPushRBP():
			pushed = in.off
			return true
		}
		return in.isStackCheck()
	})
	return pushed, ok && err == nil
}

// isStackCheck reports whether the instruction can be part of the check for
// stack space: it compares, jumps if not, or computes in the scratch registers
// R12 and R13 (cmd/internal/obj/x86, stacksplit).
func (in instruction) isStackCheck() bool {
	switch in.op {
	case x86asm.CMP, x86asm.NOP:
		return true
	case x86asm.MOV, x86asm.LEA, x86asm.SUB:
		switch in.args[0] {
		case x86asm.R12, x86asm.R13:
			return true
		}
	}
	return in.isConditional()
}

// firstEmulated finds the first emulated instruction that every call runs
// exactly once before anything of interest has changed: only comparisons that
// cannot panic come before it, and no jump leads behind the start.
func firstEmulated(code []byte) (off int, ok bool) {
	off = -1
	err := each(code, func(in instruction) bool {
		if in.emulated() {
			off = in.off
			return false
		}
		return in.onlyCompares()
	})
	if err != nil || off < 0 {
		return 0, false
	}
	return off, off == 0 || !jumpsTo(code, 1, off)
}

// onlyCompares reports whether the instruction writes nothing but flags and
// cannot fault.
func (in instruction) onlyCompares() bool {
	if !in.comparesStack() && slices.ContainsFunc(in.args[:], mayFault) {
		return false
	}
	switch in.op {
	case x86asm.CMP, x86asm.TEST, x86asm.BT, x86asm.NOP, x86asm.UCOMISD, x86asm.UCOMISS:
		return true
	}
	return false
}

// comparesStack reports whether the instruction is the check for stack space,
// which reads g through R14.
func (in instruction) comparesStack() bool {
	mem, ok := in.args[1].(x86asm.Mem)
	return ok && in.op == x86asm.CMP && in.args[0] == x86asm.RSP && mem.Base == x86asm.R14
}

// jumpsTo reports whether a jump in the code may go to an offset from first to
// last: also when an instruction cannot be decoded or a jump is computed, unless
// only the start is asked about, which the compiler's jump tables never hold.
func jumpsTo(code []byte, first, last int) (found bool) {
	err := scan(code, func(b branch) bool {
		switch b.kind {
		case computed:
			found = last > 0
		case jumping, conditional:
			found = b.to >= first && b.to <= last
		}
		return !found
	})
	return found || err != nil
}
