package goabi

import "github.com/vigil-agent/vigil/debugger/gotype"

// Part is a run of bytes of a value that travels as one: a number, a pointer, a
// word of a string.
type Part struct {
	Offset, Size uint64
}

// Parts are the parts of a value in order, padding left out; nil when the value
// does not come apart: it holds an array of more than one element.
func Parts(types *gotype.Table, id gotype.ID) []Part {
	a := AMD64
	a.Int, a.Float = make([]uint8, maxParts), make([]uint8, maxParts)
	s := assigner{arch: a, types: types}
	pieces, ok := s.register(nil, types.Get(id), 0)
	if !ok {
		return nil
	}
	parts := make([]Part, 0, len(pieces))
	for _, p := range pieces {
		parts = append(parts, Part{Offset: uint64(p.Dest), Size: uint64(p.Size)})
	}
	return parts
}

// maxParts bounds the parts of one value: the compiler keeps values of few parts
// in registers only.
const maxParts = 64
