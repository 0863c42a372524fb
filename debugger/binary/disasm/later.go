package disasm

import (
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// Later is an instruction that runs whenever an earlier one does, shortly after
// it and with nothing done in between that the program could tell.
type Later struct {
	Offset int
	// Writes are the registers that are written in between, by their DWARF
	// numbers.
	Writes []uint8
}

// FindLater looks for an emulated instruction to probe instead of the
// single-stepped one at an offset, before end. In between there are only
// instructions that write registers or flags and cannot fault, so that a line
// which panics is still seen, and no jump leads there. It finds none when the
// instruction is emulated itself.
func FindLater(code []byte, off, end int) (l Later, ok bool) {
	if class, err := ClassAt(code, off); err != nil || class != Stepped {
		return l, false
	}
	for at := off; at < min(end, len(code)); {
		in, err := decode(code, at)
		switch {
		case err != nil:
			return l, false
		case in.emulated():
			l.Offset = at
			return l, !jumpsTo(code, off+1, at)
		case !in.unnoticed(&l.Writes):
			return l, false
		}
		at += in.len
	}
	return l, false
}

// unnoticed reports whether the instruction writes nothing but flags and one
// register, which it adds, and cannot fault.
func (in instruction) unnoticed(writes *[]uint8) bool {
	switch in.op {
	case x86asm.NOP:
		return true
	case x86asm.LEA:
		return in.writes(writes)
	}
	if slices.ContainsFunc(in.args[:], mayFault) {
		return false
	}
	switch in.op {
	case x86asm.CMP, x86asm.TEST, x86asm.UCOMISD, x86asm.UCOMISS:
		return true
	case x86asm.BT:
		_, reg := in.args[0].(x86asm.Reg) // of memory it may read what is far away
		return reg
	case x86asm.IMUL:
		return in.args[1] != nil && in.writes(writes) // with one operand it writes two registers
	case x86asm.MOV, x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD, x86asm.MOVSD_XMM, x86asm.MOVSS, x86asm.MOVUPS,
		x86asm.XOR, x86asm.AND, x86asm.OR, x86asm.NOT, x86asm.NEG, x86asm.ADD, x86asm.SUB, x86asm.INC, x86asm.DEC,
		x86asm.SHL, x86asm.SHR, x86asm.SAR, x86asm.XORPS:
		return in.writes(writes)
	}
	return false
}

// mayFault reports whether an operand is memory other than the stack and what is
// at a fixed distance from the code.
func mayFault(arg x86asm.Arg) bool {
	mem, ok := arg.(x86asm.Mem)
	return ok && (mem.Base != x86asm.RSP && mem.Base != x86asm.RIP || mem.Index != 0 || mem.Segment != 0)
}

// writes adds the register that is the first operand; not the stack and the
// frame pointer.
func (in instruction) writes(to *[]uint8) bool {
	reg, ok := in.args[0].(x86asm.Reg)
	if !ok {
		return false
	}
	n, ok := dwarfNumber(reg)
	if !ok || n == dwarfRSP || n == dwarfRBP {
		return false
	}
	*to = append(*to, n)
	return true
}

// DWARF numbers (System V ABI for AMD64, figure 3.36).
const (
	dwarfRBP  = 6
	dwarfRSP  = 7
	dwarfXMM0 = 17
)

// dwarfOf are the numbers of the general registers, in the order of the
// processor.
var dwarfOf = [...]uint8{0, 2, 1, 3, dwarfRSP, dwarfRBP, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15}

// dwarfNumber is the number of a register; not known of parts of a byte.
func dwarfNumber(r x86asm.Reg) (n uint8, ok bool) {
	for _, first := range []x86asm.Reg{x86asm.AX, x86asm.EAX, x86asm.RAX} {
		if r >= first && r < first+x86asm.Reg(len(dwarfOf)) {
			return dwarfOf[r-first], true
		}
	}
	if r >= x86asm.X0 && r <= x86asm.X15 {
		return dwarfXMM0 + uint8(r-x86asm.X0), true
	}
	return 0, false
}
