package disasm

import "golang.org/x/arch/x86/x86asm"

// Exits are the instructions by which control leaves a function, as offsets in
// the function, in address order.
type Exits struct {
	// Returns are the RET instructions. There the canonical frame address is
	// RSP+8, the frame has been torn down, and RBP is the caller's.
	Returns []int
	// Jumps go to code outside of the function.
	Jumps []Jump
	// Unclear counts the jumps of which nobody knows whether they leave the
	// function: to an address in a register or in memory, and on a condition to outside. Those
	// through a table, which the compiler makes of a switch, stay in the function
	// and are not counted.
	Unclear int
}

// Jump is a jump that is always taken. Target is relative to the function too.
type Jump struct {
	Offset, Target int
	Class          Class
}

// FindExits finds the exits of a function. It fails with ErrUndecodable when an
// instruction is not known, since what follows can then not be told apart.
func FindExits(code []byte) (e Exits, err error) {
	var named map[int]bool // looked for once, when there is a jump it matters to
	err = scan(code, func(b branch) bool {
		switch b.kind {
		case returning:
			e.Returns = append(e.Returns, b.off)
		case jumping, computed:
			to, known, table := b.to, b.kind == jumping, false
			if !known {
				to, known, table = computedTarget(code, b)
				if known && named == nil {
					named = namedTargets(code)
				}
				known = known && !named[b.off]
			}
			switch {
			case known && (to < 0 || to >= len(code)):
				class, _ := ClassAt(code, b.off) // it was decoded
				e.Jumps = append(e.Jumps, Jump{Offset: b.off, Target: to, Class: class})
			case !known && !table:
				e.Unclear++
			}
		case conditional:
			if b.to < 0 || b.to >= len(code) {
				e.Unclear++
			}
		}
		return true
	})
	return e, err
}

// computedTarget is where a jump through a register goes, as an offset in the code,
// when the instruction before it says so, which another jump may lead past; table says
// that it is through a table, by an index.
func computedTarget(code []byte, b branch) (to int, known, table bool) {
	jump, err := decode(code, b.off)
	if err != nil {
		return 0, false, false
	}
	before, err := decode(code, b.before)
	if err == nil {
		to, known = before.addressFor(jump)
	}
	mem, ok := jump.args[0].(x86asm.Mem)
	return to, known, ok && mem.Index != 0
}

// namedTargets are the offsets that jumps name as where they go.
func namedTargets(code []byte) map[int]bool {
	targets := map[int]bool{}
	_ = scan(code, func(b branch) bool { // FindExits fails where this ends
		if b.kind == jumping || b.kind == conditional {
			targets[b.to] = true
		}
		return true
	})
	return targets
}

// addressFor is the address that the instruction computes for the jump through a
// register that follows, as an offset in the code: assembly functions that choose
// one of several others do so.
func (in instruction) addressFor(jump instruction) (off int, ok bool) {
	if in.op != x86asm.LEA || in.args[0] != jump.args[0] {
		return 0, false
	}
	mem, ok := in.args[1].(x86asm.Mem)
	return in.off + in.len + int(int32(mem.Disp)), ok && mem.Base == x86asm.RIP
}
