package disasm

import (
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"
)

// branch is an instruction that may be followed by another one than the next,
// calls apart.
type branch struct {
	kind branchKind
	// off and len are its offset and length; before is the offset of the
	// instruction before it, off itself for the first one.
	off, len, before int
	// to is where a direct jump goes, as an offset in the code.
	to int
}

type branchKind uint8

const (
	noBranch branchKind = iota
	returning
	jumping     // always, to a place that the instruction names
	conditional // to a place that the instruction names
	computed    // to an address in a register or in memory
)

// scan calls f for each branch in order until it returns false. Of the other
// instructions it finds the length only.
func scan(code []byte, f func(branch) bool) error {
	before := 0
	for off := 0; off < len(code); {
		b := branch{off: off, before: before}
		if n, form, opcode := length(code[off:]); n > 0 {
			b.len = n
			b.kind, b.to = branchOf(code[off:off+n], form, opcode)
			b.to += off + n
		} else {
			in, err := decode(code, off)
			if err != nil {
				return err
			}
			b.len = in.len
			b.kind, b.to = in.branch()
		}
		if b.kind != noBranch && !f(b) {
			return nil
		}
		before, off = off, off+b.len
	}
	return nil
}

// branchOf tells what kind of branch an instruction is, and how far from its end a
// direct jump goes. form and opcode are as length has them.
func branchOf(in []byte, form byte, opcode int) (kind branchKind, distance int) {
	switch form {
	case ret, retImm:
		return returning, 0
	case indirect:
		if in[opcode+1]>>3&7 == 4 {
			return computed, 0
		}
		return noBranch, 0
	case shortJump:
		distance = int(int8(in[len(in)-1]))
	case nearJump:
		distance = int(int32(binary.LittleEndian.Uint32(in[len(in)-4:])))
	default:
		return noBranch, 0
	}
	if in[opcode] == 0xeb || in[opcode] == 0xe9 {
		return jumping, distance
	}
	return conditional, distance
}

// branch tells what kind of branch an instruction is, and where a direct jump goes.
func (in instruction) branch() (kind branchKind, to int) {
	to, direct := in.target()
	switch {
	case in.op == x86asm.RET:
		return returning, to
	case in.op == x86asm.CALL:
		return noBranch, to
	case in.op == x86asm.JMP && direct:
		return jumping, to
	case in.op == x86asm.JMP:
		return computed, to
	case direct:
		return conditional, to
	}
	return noBranch, to
}
