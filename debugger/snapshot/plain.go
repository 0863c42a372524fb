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
	// words are the offsets of those that say so.
	words [3]uint64
	// as is the type of the value at the first, when it is shown as a value.
	as *typeInfo
}

// state is what the words mean; none is a value.
type state uint8

const (
	stateNone      state = iota
	stateMutex           // bit 0 is set while it is locked; above bit 2, how many wait
	stateRWMutex         // readers, less maxReaders while a writer has it or waits; readers that it waits for; the mutex of the writers
	stateOnce            // not zero once it was done
	stateWaitGroup       // the counter
)

const (
	mutexLocked  = 1
	mutexWaiters = 3       // internal/sync, mutexWaiterShift
	maxReaders   = 1 << 30 // sync, rwmutexMaxReaders
)

// appendState appends the text of a state.
func (p *plainForm) appendState(dst, data []byte) []byte {
	word := func(i int) int32 { return int32(binary.LittleEndian.Uint32(data[p.words[i]:])) }
	n := word(0)
	switch p.state {
	case stateMutex:
		if n&mutexLocked == 0 {
			dst = append(dst, "un"...)
		}
		dst = append(dst, "locked"...)
		if waiting := n >> mutexWaiters; waiting > 0 {
			dst = append(strconv.AppendInt(append(dst, ", "...), int64(waiting), 10), " waiting"...)
		}
		return dst
	case stateRWMutex:
		return appendRWMutex(dst, n, word(1), word(2)>>mutexWaiters)
	case stateOnce:
		if n != 0 {
			return append(dst, "done"...)
		}
		return append(dst, "not done"...)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendRWMutex says who has a sync.RWMutex and who waits for it. Beside the
// writer that is next, or has it, further writers wait for the mutex of writers.
func appendRWMutex(dst []byte, readers, departing, writers int32) []byte {
	waiting := int32(0)
	switch {
	case readers == 0:
		return append(dst, "unlocked"...)
	case readers > 0:
		return appendCount(append(dst, "locked by "...), readers, "reader")
	case departing > 0:
		dst = appendCount(append(dst, "locked by "...), departing, "reader")
		waiting, writers = readers+maxReaders-departing, writers+1
	default:
		dst = append(dst, "locked by a writer"...)
		waiting = readers + maxReaders
	}
	if writers > 0 {
		dst = append(appendCount(append(dst, ", "...), writers, "writer"), " waiting"...)
	}
	if waiting > 0 {
		dst = append(appendCount(append(dst, ", "...), waiting, "reader"), " waiting"...)
	}
	return dst
}

func appendCount(dst []byte, n int32, what string) []byte {
	dst = append(append(strconv.AppendInt(dst, int64(n), 10), ' '), what...)
	if n != 1 {
		dst = append(dst, 's')
	}
	return dst
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
		return l.stateOf(t, stateRWMutex, 0, "readerCount", "readerWait", "state")
	case "sync.Once":
		return l.stateOf(t, stateOnce, 0, "done")
	case "sync.WaitGroup":
		return l.stateOf(t, stateWaitGroup, 4, "state") // the high half
	case "sync/atomic.Bool":
		if off, id, ok := l.leaf(t, "v", 0); ok && l.table.Get(id).Size == 4 {
			return &plainForm{words: [3]uint64{off}, as: boolean}
		}
		return nil
	}
	if !strings.HasPrefix(t.Name, "sync/atomic.") {
		return nil
	}
	if pointer, offset, ok := l.table.AtomicPointer(t); ok {
		return &plainForm{words: [3]uint64{offset}, as: l.typ(pointer)}
	}
	for _, f := range t.Fields {
		if f.Name == "v" && l.table.Get(f.Type) != nil {
			return &plainForm{words: [3]uint64{f.Offset}, as: l.typ(f.Type)}
		}
	}
	return nil
}

// stateOf is the form of a type whose state is in the numbers of some fields, in
// four bytes of each from the shift on.
func (l *Layout) stateOf(t *gotype.Type, s state, shift uint64, fields ...string) *plainForm {
	form := &plainForm{state: s}
	for i, field := range fields {
		off, id, ok := l.leaf(t, field, 0)
		if !ok || l.table.Get(id).Size < shift+4 || off+shift+4 > t.Size {
			return nil
		}
		form.words[i] = off + shift
	}
	return form
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
	if p := t.plain; p.as != nil {
		r.fill(i, p.as, w.sub(p.words[0], p.as.size), at)
		return
	}
	v.content, v.data = contentState, w.data
}
