package binary

import (
	"debug/dwarf"
	"fmt"

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

// captured are the variables of the closure of the function described at off.
func (d *debugInfo) captured(off dwarf.Offset) (found []capturedVariable, err error) {
	e, r, err := d.entry(off)
	if err != nil || !e.Children {
		return nil, err
	}
	for {
		c, err := r.Next()
		if err != nil {
			return nil, fmt.Errorf("read debug information: %w", err)
		}
		if c == nil || c.Tag == 0 {
			return found, nil
		}
		if c.Children {
			r.SkipChildren()
		}
		if c.Tag != dwarf.TagVariable {
			continue
		}
		if origin, ok := c.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
			if c, _, err = d.entry(origin); err != nil {
				return nil, err
			}
		}
		at, ok := c.Val(attrGoClosure).(int64)
		typ, hasType := c.Val(dwarf.AttrType).(dwarf.Offset)
		if name, _ := c.Val(dwarf.AttrName).(string); ok && hasType && at > 0 && at < maxClosure {
			found = append(found, capturedVariable{name: name, off: uint64(at), typ: typ})
		}
	}
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
