package disasm

import "golang.org/x/arch/x86/x86asm"

// Exits are the instructions by which control leaves a function, as offsets in
// the function, in address order.
type Exits struct {
	// Returns are the RET instructions. There the canonical frame address is
	// RSP+8, the frame has been torn down, and RBP is the caller's.
	Returns []int
	// TailJumps are direct jumps out of the function: the callee returns in its
	// place, so a call that ends by one is not seen to return.
	TailJumps []int
}

// FindExits finds the exits of a function. It fails with ErrUndecodable when an
// instruction is not known, since what follows can then not be told apart.
func FindExits(code []byte) (e Exits, err error) {
	err = each(code, func(in instruction) bool {
		switch in.op {
		case x86asm.RET:
			e.Returns = append(e.Returns, in.off)
		case x86asm.JMP:
			if to, ok := in.target(); ok && (to < 0 || to >= len(code)) {
				e.TailJumps = append(e.TailJumps, in.off)
			}
		}
		return true
	})
	return e, err
}
