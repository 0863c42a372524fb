package snapshot

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// plainForm is how a type of sync or sync/atomic is shown: by what it means, not
// by the fields it is made of.
type plainForm struct {
	state state
	// offset is that of the word that says so.
	offset uint64
	// as is the type of the value there, when it is shown as a value.
	as *typeInfo
}

// state is what the word at the offset means; none is a value.
type state uint8

const (
	stateNone      state = iota
	stateMutex           // bit 0 is set while it is locked
	stateRWMutex         // the number of readers, or negative while there is a writer
	stateOnce            // not zero once it was done
	stateWaitGroup       // the counter
)

// appendState appends the text of a state.
func (p *plainForm) appendState(dst, data []byte) []byte {
	n := int32(binary.LittleEndian.Uint32(data))
	switch p.state {
	case stateMutex:
		if n&1 != 0 {
			return append(dst, "locked"...)
		}
		return append(dst, "unlocked"...)
	case stateRWMutex:
		switch {
		case n < 0:
			return append(dst, "locked"...)
		case n > 0:
			return append(strconv.AppendInt(append(dst, "locked by "...), int64(n), 10), " readers"...)
		}
		return append(dst, "unlocked"...)
	case stateOnce:
		if n != 0 {
			return append(dst, "done"...)
		}
		return append(dst, "not done"...)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// boolean is the type of what an atomic.Bool holds.
var boolean = &typeInfo{kind: gotype.Bool, size: 1, name: []byte(`"bool"`), short: "bool"}

// plainForm is nil for types that are shown by their fields.
func (l *Layout) plainForm(t *gotype.Type) *plainForm {
	if t.Kind != gotype.Struct {
		return nil
	}
	switch t.Name {
	case "sync.Mutex":
		return l.stateOf(t, stateMutex, 0, "state")
	case "sync.RWMutex":
		return l.stateOf(t, stateRWMutex, 0, "readerCount")
	case "sync.Once":
		return l.stateOf(t, stateOnce, 0, "done")
	case "sync.WaitGroup":
		return l.stateOf(t, stateWaitGroup, 4, "state") // the high half
	case "sync/atomic.Bool":
		if off, id, ok := l.leaf(t, "v", 0); ok && l.table.Get(id).Size == 4 {
			return &plainForm{offset: off, as: boolean}
		}
		return nil
	}
	if !strings.HasPrefix(t.Name, "sync/atomic.") {
		return nil
	}
	if pointer, offset, ok := l.table.AtomicPointer(t); ok {
		return &plainForm{offset: offset, as: l.typ(pointer)}
	}
	for _, f := range t.Fields {
		if f.Name == "v" && l.table.Get(f.Type) != nil {
			return &plainForm{offset: f.Offset, as: l.typ(f.Type)}
		}
	}
	return nil
}

// stateOf is the form of a type whose state is a number of a field, at least
// four bytes of it from the shift on.
func (l *Layout) stateOf(t *gotype.Type, s state, shift uint64, field string) *plainForm {
	off, id, ok := l.leaf(t, field, 0)
	if !ok || l.table.Get(id).Size < shift+4 {
		return nil
	}
	return &plainForm{state: s, offset: off + shift}
}

// leaf finds a number in the field of a name, or in the only field of that name
// in the structs around it: versions of Go wrap them differently.
func (l *Layout) leaf(t *gotype.Type, name string, nesting int) (off uint64, id gotype.ID, ok bool) {
	const maxNesting = 4
	for _, f := range t.Fields {
		part := l.table.Get(f.Type)
		if part == nil || nesting > maxNesting {
			continue
		}
		if part.Kind == gotype.Struct {
			inner := name
			if f.Name == name {
				inner = "v" // an atomic number
			}
			if off, id, ok = l.leaf(part, inner, nesting+1); ok {
				return f.Offset + off, id, true
			}
			continue
		}
		if f.Name == name && (part.Kind == gotype.Int || part.Kind == gotype.Uint) {
			return f.Offset, f.Type, true
		}
	}
	return 0, 0, false
}

// plain reads a struct that has a plain form.
func (r *reader) plain(i int, t *typeInfo, w view, at where) {
	v := &r.values[i]
	if !r.whole(v, t, w) {
		return
	}
	p := t.plain
	if p.as != nil {
		r.fill(i, p.as, w.sub(p.offset, p.as.size), at)
		return
	}
	v.content, v.data = contentState, w.sub(p.offset, 4).data
	if len(v.data) < 4 {
		v.content, v.reason = contentNone, reasonNoType
	}
}
