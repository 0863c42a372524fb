package binary

import (
	"fmt"

	"github.com/vigil-agent/vigil/debugger/binary/disasm"
)

// Entry chooses the instruction to probe for "fn was called"; its Offset is
// relative to fn.Entry.
func (b *Binary) Entry(fn *Function) (e disasm.Entry, err error) {
	code, err := b.code(fn)
	if err != nil {
		return e, err
	}
	defer guard(&err)()
	return disasm.FindEntry(code), nil
}

// Start is the first instruction of a function as an Entry, for when the one that
// Entry chooses has another use.
func (b *Binary) Start(fn *Function) (e disasm.Entry, err error) {
	code, err := b.code(fn)
	if err != nil {
		return e, err
	}
	defer guard(&err)()
	return disasm.Start(code), nil
}

// Exits are the instructions by which a function is left, relative to its entry.
type Exits struct {
	// Returns are the RET instructions, of which there need not be any.
	Returns []int
	// TailJumps are the jumps to other functions, which return in its place.
	TailJumps []TailJump
	// Unclear counts the jumps of which it is not known that they leave it, or
	// that its frame is gone by then.
	Unclear int
}

// TailJump is a jump to another function, at which nothing is left of the frame:
// as at a return, the canonical frame address is RSP+8.
type TailJump struct {
	Offset int
	Class  disasm.Class
	// To is the function, which may be the same one for the other calling
	// convention; "" for code that is not Go's.
	To string
}

// Exits finds the instructions by which fn is left. A jump back to its start,
// once its stack has grown, stays in it; so does one to what the C compiler has
// moved out of it as unlikely.
func (b *Binary) Exits(fn *Function) (e Exits, err error) {
	code, err := b.code(fn)
	if err != nil {
		return e, err
	}
	defer guard(&err)()
	found, err := disasm.FindExits(code)
	if err != nil {
		return e, fmt.Errorf("returns of %s: %w", fn.Name, err)
	}
	e.Returns, e.Unclear = found.Returns, found.Unclear
	for _, j := range found.Jumps {
		to, whole := b.beginsAt(fn.Entry + uint64(j.Target))
		if !whole || to == fn.Name+coldPart || !b.frameGone(fn.Entry+uint64(j.Offset)) {
			e.Unclear++
			continue
		}
		e.TailJumps = append(e.TailJumps, TailJump{Offset: j.Offset, Class: j.Class, To: to})
	}
	return e, nil
}

// coldPart ends the name of what C compilers move out of a function.
const coldPart = ".cold"

// beginsAt is the function that begins at an address; "" when the address is in
// none. It is not whole when the address is within a function.
func (b *Binary) beginsAt(pc uint64) (name string, whole bool) {
	f, ok := b.table.Find(pc)
	switch {
	case !ok:
		return "", true
	case f.Entry != pc:
		return "", false
	}
	return f.Name(), true
}

// frameGone reports whether the stack pointer is where it was at the function's
// entry.
func (b *Binary) frameGone(pc uint64) bool {
	f, ok := b.table.Find(pc)
	if !ok {
		return false
	}
	delta, ok := f.SPDelta(pc)
	return ok && delta == 0
}

// code are the instructions of a function, in the mapping.
func (b *Binary) code(fn *Function) ([]byte, error) {
	if b.data == nil {
		return nil, errClosed
	}
	mem := b.bytesAt(fn.Entry)
	if fn.End <= fn.Entry || fn.End-fn.Entry > uint64(len(mem)) {
		return nil, fmt.Errorf("%w (no code for function %s)", ErrCorrupt, fn.Name)
	}
	return mem[:fn.End-fn.Entry], nil
}

// frameSetup is the length of PUSH RBP; MOV RBP, RSP.
const frameSetup = 4

// Inside says how the instruction at a place can be probed: what the kernel does
// with it, whether RBP points to the function's frame there, and whether it may
// run again within a call because it is before the check for stack space.
func (b *Binary) Inside(at Place) (class disasm.Class, framed, restarts bool, err error) {
	code, err := b.code(&at.Function)
	if err != nil {
		return 0, false, false, err
	}
	defer guard(&err)()
	if class, err = disasm.ClassAt(code, int(at.PC-at.Function.Entry)); err != nil {
		return 0, false, false, fmt.Errorf("instruction of %s: %w", at.Function.Name, err)
	}
	entry := disasm.FindEntry(code)
	anchor := at.Function.Entry + uint64(entry.Offset)
	framed = entry.Class == disasm.PushRBP && at.PC >= anchor+frameSetup && at.CFAOffset > returnAddress
	restarts = at.PC < anchor || (at.PC == anchor && entry.Restarts)
	return class, framed, restarts, nil
}
