package binary

import (
	"debug/dwarf"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// capturedVariable is one that a function literal takes from its surroundings,
// and where it is in the closure: the variable itself or, when its name begins
// with &, a pointer to it.
type capturedVariable struct {
	name string
	off  uint64
	typ  dwarf.Offset
}

// maxClosure bounds a closure, in bytes.
const maxClosure = 1 << 16

// captured is what an entry of a variable says of a closure; ok is false when the
// function declares the variable itself.
func (d *debugInfo) captured(e die.Entry) (v capturedVariable, ok bool, err error) {
	if origin := e.Value(dwarf.AttrAbstractOrigin).Offset(); origin != 0 {
		if e, _, err = d.entry(origin); err != nil {
			return v, false, err
		}
	}
	at, typ := e.Value(attrGoClosure).Int(), e.Value(dwarf.AttrType)
	if at <= 0 || at >= maxClosure || typ.Class != die.Reference {
		return v, false, nil
	}
	name := string(e.Value(dwarf.AttrName).Bytes)
	return capturedVariable{name: name, off: uint64(at), typ: typ.Offset()}, true, nil
}

// closureType is the type of a pointer to the closure of a function: a struct of
// the captured variables, named after the function; 0 when it captures none.
func closureType(types *gotype.Table, function string, captured []capturedVariable, ids []gotype.ID) gotype.ID {
	closure := gotype.Type{Kind: gotype.Struct, Name: function, Size: wordSize}
	for i, v := range captured {
		t := types.Get(ids[i])
		if t == nil || t.Size > maxTypeSize {
			continue
		}
		closure.Fields = append(closure.Fields, gotype.Field{Name: v.name, Offset: v.off, Type: ids[i]})
		closure.Size = max(closure.Size, v.off+t.Size)
	}
	if len(closure.Fields) == 0 {
		return 0
	}
	return types.Add(gotype.Type{Kind: gotype.Pointer, Name: "*" + function, Size: wordSize, Elem: types.Add(closure)})
}
