// Package disasm finds the instructions of a Go function where a probe goes: one
// that runs once for each call, and the returns. It reads machine code of
// amd64.
//
// Which instructions are cheap to probe is the kernel's choice: it emulates
// PUSH, CALL, JMP, conditional jumps and NOP, and single-steps everything else,
// at about twenty times the cost under virtualisation (arch/x86/kernel/uprobes.c,
// branch_xol_ops and push_xol_ops).
package disasm

import (
	"errors"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// ErrUndecodable says that an instruction is not known.
var ErrUndecodable = errors.New("cannot decode instruction")

// instruction is one decoded instruction; op is 0 when only the length is known.
type instruction struct {
	off, len int
	op       x86asm.Op
	args     x86asm.Args
	raw      []byte
}

// decode reads the instruction at off. Vector encodings come first: x86asm takes
// their prefixes for instructions of 32-bit code.
func decode(code []byte, off int) (instruction, error) {
	if n := unknownLength(code[off:]); n > 0 {
		return instruction{off: off, len: n, raw: code[off:][:n]}, nil
	}
	inst, err := x86asm.Decode(code[off:], 64)
	// x86asm takes a cut instruction for a lone prefix, which has no Op.
	if err != nil || inst.Op == 0 || inst.Len > len(code)-off {
		return instruction{}, fmt.Errorf("%w at +%#x", ErrUndecodable, off)
	}
	return instruction{off: off, len: inst.Len, op: inst.Op, args: inst.Args, raw: code[off:][:inst.Len]}, nil
}

// each calls f for each instruction in order until it returns false.
func each(code []byte, f func(instruction) bool) error {
	for off := 0; off < len(code); {
		in, err := decode(code, off)
		if err != nil {
			return err
		}
		if !f(in) {
			return nil
		}
		off += in.len
	}
	return nil
}

// target is where a direct branch goes, as an offset in the code.
func (in instruction) target() (off int, ok bool) {
	rel, ok := in.args[0].(x86asm.Rel)
	return in.off + in.len + int(rel), ok
}

// isPushRBP reports whether the instruction is PUSH RBP in its one-byte form, which
// is the one the compiler writes.
func (in instruction) isPushRBP() bool { return len(in.raw) == 1 && in.raw[0] == 0x55 }

func (in instruction) isFrameMove() bool {
	return in.op == x86asm.MOV && in.args[0] == x86asm.RBP && in.args[1] == x86asm.RSP
}

// isConditional reports whether the instruction is a conditional jump.
func (in instruction) isConditional() bool {
	switch b := in.raw[0]; {
	case b >= 0x70 && b <= 0x7f:
		return true
	case b == 0x0f && len(in.raw) > 1:
		return in.raw[1] >= 0x80 && in.raw[1] <= 0x8f
	}
	return false
}

// emulated reports whether the kernel emulates the instruction.
func (in instruction) emulated() bool {
	switch b := in.raw[0]; {
	case b >= 0x50 && b <= 0x57, b == 0xe8, b == 0xe9, b == 0xeb, b == 0x90:
		return true
	case b == 0x41 && len(in.raw) == 2:
		return in.raw[1] >= 0x50 && in.raw[1] <= 0x57
	}
	return in.isConditional()
}
