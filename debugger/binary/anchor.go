package binary

import (
	"errors"
	"reflect"
	"slices"

	"github.com/vigil-agent/vigil/debugger/binary/disasm"
	"github.com/vigil-agent/vigil/debugger/binary/location"
)

// Cheaper is the place of a line at which a probe costs less and sees the same,
// or the place itself when there is none: an instruction of the same statement
// that runs whenever its first one does, before the program has done anything,
// and with every variable where it was.
func (b *Binary) Cheaper(at Place) (best Place) {
	best = at
	code, err := b.code(&at.Function)
	if err != nil || at.End <= at.PC || at.End > at.Function.End {
		return best
	}
	defer guard(&err)() // what is wrong with the file shows when the place is used
	start := at.Function.Entry
	later, ok := disasm.FindLater(code, int(at.PC-start), int(at.End-start))
	if !ok {
		return best
	}
	to := at
	to.move(b, start+uint64(later.Offset))
	if b.sameScope(at, to, later.Writes) {
		best = to
	}
	return best
}

// sameScope reports whether the variables are at the same places at two
// instructions, none of them in a register that is written in between.
func (b *Binary) sameScope(at, to Place, written []uint8) bool {
	before, err := b.Scope(at, Reach{})
	if errors.Is(err, ErrNoDWARF) || errors.Is(err, ErrNotDescribed) {
		return true // none can be read
	}
	if err != nil {
		return false
	}
	after, err := b.Scope(to, Reach{})
	if err != nil || !reflect.DeepEqual(before.Variables, after.Variables) {
		return false
	}
	for _, v := range before.Variables {
		if slices.ContainsFunc(v.Pieces, func(p location.Piece) bool { return p.Kind == location.Register && slices.Contains(written, p.Reg) }) {
			return false
		}
	}
	return true
}
