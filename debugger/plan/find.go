package plan

import (
	"errors"

	"github.com/vigil-agent/vigil/debugger/binary"
)

// Find finds everything that a probe on a function is placed on: the functions
// with code of their own, more than one when it is generic, and the copies that
// were inlined into others, both in address order. Errors are those of
// binary.FindFunction; a function that exists as copies only is none.
func Find(bin *binary.Binary, name string) (fns []binary.Function, copies []binary.Place, err error) {
	fns, err = bin.FindInstances(name)
	inlined := (*binary.InlinedError)(nil)
	switch {
	case errors.As(err, &inlined):
		name = inlined.Name
	case err != nil:
		return nil, nil, err
	default:
		name = fns[0].Plain()
	}
	copies, copiesErr := bin.Inlined(name)
	switch {
	case copiesErr != nil:
		return nil, nil, copiesErr
	case len(fns)+len(copies) == 0:
		return nil, nil, err
	}
	return fns, copies, nil
}
