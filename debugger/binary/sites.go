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

// Exits finds the instructions by which fn is left, relative to fn.Entry.
func (b *Binary) Exits(fn *Function) (e disasm.Exits, err error) {
	code, err := b.code(fn)
	if err != nil {
		return e, err
	}
	defer guard(&err)()
	if e, err = disasm.FindExits(code); err != nil {
		return e, fmt.Errorf("returns of %s: %w", fn.Name, err)
	}
	return e, nil
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
