package snapshot_test

import (
	"encoding/binary"
	"reflect"
	"time"
	"unsafe"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// memory captures real Go values of the test the way the kernel program
// captures those of a process: types from reflection, bytes from memory. Every
// address is replaced by a stable one, in the order of discovery.
type memory struct {
	table *gotype.Table
	ids   map[reflect.Type]gotype.ID
	addrs map[uintptr]uint64
	keep  []any // what must not move or be collected while it is read

	plan  *plan.Plan
	root  []byte
	holes [][2]uint32 // offset and size of what was not read of it
	items []event.Item
	seen  map[visit]bool
	// depth and clip are limits as the kernel program would apply them. drop
	// holds the types whose data is not captured and the item's reason then;
	// with ReasonNone there is no item at all.
	depth int
	clip  int
	drop  map[reflect.Type]event.Reason
}

type visit struct {
	id   gotype.ID
	addr uintptr
}

type arg struct {
	name  string
	value any // a pointer to the variable, so that interfaces keep their type
}

func newMemory() *memory {
	table := &gotype.Table{}
	return &memory{
		table: table, ids: map[reflect.Type]gotype.ID{},
		addrs: map[uintptr]uint64{}, seen: map[visit]bool{}, drop: map[reflect.Type]event.Reason{},
		depth: 3, clip: 255,
		plan: &plan.Plan{
			ProbeID: "golden", ProbeVersion: 2, Function: "main.handle", Types: table,
			Sites: []plan.Site{{Kind: plan.SiteEntry, Anchor: plan.AnchorPushRBP}},
		},
	}
}

// args captures the variables that the pointers lead to.
func (m *memory) args(list ...arg) *memory {
	for _, a := range list {
		v := reflect.ValueOf(a.value).Elem()
		m.keep = append(m.keep, a.value)
		m.plan.Variables = append(m.plan.Variables, plan.Variable{
			Name: a.name, Role: plan.RoleArgument, Type: m.typ(v.Type()), RootOffset: uint32(len(m.root)),
		})
		m.root = append(m.root, m.bytes(v.Type(), v.Addr().UnsafePointer(), 1)...)
		for len(m.root)%8 != 0 {
			m.root = append(m.root, 0)
		}
		m.chase(v.Type(), v.Addr().UnsafePointer(), m.depth)
	}
	return m
}

func (m *memory) event() *event.Event {
	m.plan.RootSize = uint32(len(m.root))
	e := &event.Event{
		PID: 4242, GoID: 18, Ktime: uint64(90 * time.Second),
		Stack: []uint64{0x401000, 0x402000, 0x403000},
		Items: append([]event.Item{{Data: m.root}}, m.items...),
	}
	for _, h := range m.holes {
		e.MarkUnread(h[0], h[1])
	}
	return e
}

// typ adds the type, and everything it refers to, to the table.
func (m *memory) typ(t reflect.Type) gotype.ID {
	if id, ok := m.ids[t]; ok {
		return id
	}
	id := m.table.Add(gotype.Type{})
	m.ids[t] = id
	name := t.String()
	if t.PkgPath() != "" && t.Name() != "" {
		name = t.PkgPath() + "." + t.Name()
	}
	g := gotype.Type{Kind: kinds[t.Kind()], Name: name, Size: uint64(t.Size())}
	switch t.Kind() {
	case reflect.Array:
		g.Len, g.Elem = uint64(t.Len()), m.typ(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Chan:
		g.Elem = m.typ(t.Elem())
	case reflect.Map:
		g.Key, g.Elem = m.typ(t.Key()), m.typ(t.Elem())
	case reflect.Interface:
		g.Empty = t.NumMethod() == 0
	case reflect.Struct:
		for f := range t.Fields() {
			g.Fields = append(g.Fields, gotype.Field{Name: f.Name, Offset: uint64(f.Offset), Type: m.typ(f.Type), Embedded: f.Anonymous})
		}
	}
	m.table.Set(id, g)
	return id
}

// bytes copies n values of type t and replaces the addresses in the copy.
func (m *memory) bytes(t reflect.Type, p unsafe.Pointer, n int) []byte {
	out := append([]byte(nil), unsafe.Slice((*byte)(p), uintptr(n)*t.Size())...)
	for i := range n {
		m.patch(t, out[uintptr(i)*t.Size():])
	}
	return out
}

func (m *memory) patch(t reflect.Type, b []byte) {
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer, reflect.Map, reflect.Chan, reflect.Func, reflect.String, reflect.Slice:
		binary.LittleEndian.PutUint64(b, m.stable(uintptr(binary.LittleEndian.Uint64(b))))
	case reflect.Array:
		for i := range t.Len() {
			m.patch(t.Elem(), b[uintptr(i)*t.Elem().Size():])
		}
	case reflect.Struct:
		for f := range t.Fields() {
			m.patch(f.Type, b[f.Offset:])
		}
	}
}

func (m *memory) stable(addr uintptr) uint64 {
	if addr == 0 {
		return 0
	}
	if _, ok := m.addrs[addr]; !ok {
		m.addrs[addr] = 0xc000000000 + 0x100*uint64(len(m.addrs))
	}
	return m.addrs[addr]
}

// chase captures what the value at p leads to.
func (m *memory) chase(t reflect.Type, p unsafe.Pointer, depth int) {
	switch t.Kind() {
	case reflect.Pointer:
		to := *(*unsafe.Pointer)(p)
		if to != nil && depth > 0 && m.capture(t.Elem(), t.Elem(), to, 1, event.ReasonNone) {
			m.chase(t.Elem(), to, depth-1)
		}
	case reflect.String:
		s := *(*string)(p)
		n, why := min(len(s), m.clip), event.ReasonNone
		if n < len(s) {
			why = event.ReasonLength
		}
		if len(s) > 0 {
			m.capture(t, reflect.TypeFor[byte](), unsafe.Pointer(unsafe.StringData(s)), n, why)
		}
	case reflect.Slice:
		h := (*[]byte)(p)
		data, size := unsafe.Pointer(unsafe.SliceData(*h)), len(*h)
		if size > 0 && m.capture(t, t.Elem(), data, size, event.ReasonNone) {
			for i := range size {
				m.chase(t.Elem(), unsafe.Add(data, uintptr(i)*t.Elem().Size()), depth)
			}
		}
	case reflect.Array:
		for i := range t.Len() {
			m.chase(t.Elem(), unsafe.Add(p, uintptr(i)*t.Elem().Size()), depth)
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return // its Location is the machine's
		}
		for f := range t.Fields() {
			m.chase(f.Type, unsafe.Add(p, f.Offset), depth)
		}
	}
}

// capture adds the item of n values of type elem under the key of type t.
func (m *memory) capture(t, elem reflect.Type, p unsafe.Pointer, n int, why event.Reason) bool {
	key := visit{m.typ(t), uintptr(p)}
	if m.seen[key] {
		return false
	}
	m.seen[key] = true
	it := event.Item{Type: key.id, Addr: m.stable(uintptr(p)), Reason: why}
	if reason, ok := m.drop[t]; ok {
		if reason == event.ReasonNone {
			return false
		}
		it.Reason = reason
	} else {
		it.Data = m.bytes(elem, p, n)
	}
	m.items = append(m.items, it)
	return true
}

var kinds = map[reflect.Kind]gotype.Kind{
	reflect.Bool: gotype.Bool,
	reflect.Int:  gotype.Int, reflect.Int8: gotype.Int, reflect.Int16: gotype.Int, reflect.Int32: gotype.Int, reflect.Int64: gotype.Int,
	reflect.Uint: gotype.Uint, reflect.Uint8: gotype.Uint, reflect.Uint16: gotype.Uint, reflect.Uint32: gotype.Uint, reflect.Uint64: gotype.Uint,
	reflect.Uintptr: gotype.Uintptr,
	reflect.Float32: gotype.Float, reflect.Float64: gotype.Float,
	reflect.Complex64: gotype.Complex, reflect.Complex128: gotype.Complex,
	reflect.String: gotype.String, reflect.UnsafePointer: gotype.UnsafePointer, reflect.Pointer: gotype.Pointer,
	reflect.Struct: gotype.Struct, reflect.Array: gotype.Array, reflect.Slice: gotype.Slice,
	reflect.Map: gotype.Map, reflect.Chan: gotype.Chan, reflect.Func: gotype.Func, reflect.Interface: gotype.Interface,
}
