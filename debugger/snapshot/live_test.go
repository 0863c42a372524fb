package snapshot_test

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/plan/interp"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// live captures values of this process with the reference interpreter: types from
// reflection, layouts of this toolchain, bytes from memory.
type live struct {
	table *gotype.Table
	ids   map[reflect.Type]gotype.ID
	plan  *plan.Plan
	mem   *os.File
	types uint64 // what runtime types are counted from
	// names are types that are called something else.
	names map[reflect.Type]string
}

// unknownTo are types that the plan does not know.
type unknownTo interface{ unknown() }

func newLive(tb testing.TB, limits plan.Limits) *live {
	tb.Helper()
	mem, err := os.Open("/proc/self/mem")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = mem.Close() })
	table := &gotype.Table{Runtime: gotype.Runtime{
		Types: 1, ETypes: 1 << 32, ItabType: 8,
		Swiss:    &gotype.SwissLayout{DirPtr: 16, DirLen: 24, GlobalDepth: 32, LocalDepth: 6, Index: 8, Groups: 16, LengthMask: 24},
		Chan:     gotype.ChanLayout{Capacity: 8, Buffer: 16, Closed: 28, Receive: 56},
		Location: gotype.LocationLayout{CacheStart: 80, CacheEnd: 88, CacheZone: 96, ZoneOffset: 16},
	}}
	return &live{
		table: table, ids: map[reflect.Type]gotype.ID{}, mem: mem,
		types: uint64(rtype(reflect.TypeFor[int]()))&^(1<<30-1) - 1<<30,
		plan: &plan.Plan{
			ProbeID: "live", Function: "main.live", Types: table, Limits: limits,
			Sites: []plan.Site{{Kind: plan.SiteEntry}},
		},
	}
}

func rtype(t reflect.Type) uintptr { return (*[2]uintptr)(unsafe.Pointer(&t))[1] }

// event captures variables, which the pointers lead to.
func (l *live) event(tb testing.TB, args ...arg) *event.Event {
	tb.Helper()
	var root []byte
	for _, a := range args {
		v := reflect.ValueOf(a.value).Elem()
		size := uint32(v.Type().Size())
		l.plan.Variables = append(l.plan.Variables, plan.Variable{
			Name: a.name, Role: plan.RoleArgument, Type: l.typ(v.Type()),
			Pieces: []plan.Piece{{Kind: plan.PieceStack, Offset: int32(len(root)), Size: size}},
		})
		root = append(root, unsafe.Slice((*byte)(v.Addr().UnsafePointer()), size)...)
		for len(root)%8 != 0 {
			root = append(root, 0)
		}
	}
	root = append(root, 0)
	require.NoError(tb, plan.Compile(l.plan))
	e := interp.Run(l.plan, plan.SiteEntry, interp.Machine{
		CFA: uint64(uintptr(unsafe.Pointer(&root[0]))), Types: l.types,
		Read: func(b []byte, addr uint64) error {
			_, err := l.mem.ReadAt(b, int64(addr))
			if err != nil {
				return fmt.Errorf("read %#x: %w", addr, err)
			}
			return nil
		},
	}, 0)
	runtime.KeepAlive(root)
	runtime.KeepAlive(args)
	// As it comes from the kernel.
	var parsed event.Event
	require.NoError(tb, event.Parse(event.Append(nil, e), &parsed))
	return &parsed
}

// json is the snapshot of the variables.
func (l *live) json(tb testing.TB, args ...arg) []byte {
	tb.Helper()
	e := l.event(tb, args...)
	layout, err := snapshot.NewLayout(l.plan, snapshot.Redaction{})
	require.NoError(tb, err)
	d := deps()
	d.Process = func(*event.Event) snapshot.Process { return snapshot.Process{Symbols: liveSymbols{l.types}} }
	out := snapshot.NewDecoder(d).Decode(layout, e).AppendJSON(nil)
	checkSchema(tb, out)
	return out
}

// liveSymbols are those of this process.
type liveSymbols struct{ types uint64 }

func (liveSymbols) Frames(pc uint64, dst []snapshot.Frame) []snapshot.Frame {
	if f := runtime.FuncForPC(uintptr(pc)); f != nil {
		dst = append(dst, snapshot.Frame{Function: f.Name()})
	}
	return dst
}

func (s liveSymbols) TypeName(offset uint64) (string, bool) {
	var t reflect.Type
	(*[2]uintptr)(unsafe.Pointer(&t))[0] = (*[2]uintptr)(unsafe.Pointer(new(reflect.TypeFor[int]())))[0]
	(*[2]uintptr)(unsafe.Pointer(&t))[1] = uintptr(s.types + offset)
	return nameOfType(t), true
}

func nameOfType(t reflect.Type) string {
	if t.PkgPath() != "" && t.Name() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}

// typ adds a type, and everything it refers to, to the table.
func (l *live) typ(t reflect.Type) gotype.ID {
	if id, ok := l.ids[t]; ok {
		return id
	}
	id := l.table.Add(gotype.Type{})
	l.ids[t] = id
	g := gotype.Type{Kind: kinds[t.Kind()], Name: nameOfType(t), Size: uint64(t.Size())}
	if name, ok := l.names[t]; ok {
		g.Name = name
	}
	if off := uint64(rtype(t)) - l.types; off>>32 == 0 && !t.Implements(reflect.TypeFor[unknownTo]()) {
		g.RuntimeOffset, g.Held = off, gotype.HeldBehind
		if pointerShaped(t) {
			g.Held = gotype.HeldDirect
		}
	}
	switch t.Kind() {
	case reflect.Array:
		g.Len, g.Elem = uint64(t.Len()), l.typ(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Chan:
		g.Elem = l.typ(t.Elem())
	case reflect.Map:
		g.Key, g.Elem = l.typ(t.Key()), l.typ(t.Elem())
		g.Map = mapLayout(t)
	case reflect.Interface:
		g.Empty = t.NumMethod() == 0
	case reflect.Struct:
		for f := range t.Fields() {
			g.Fields = append(g.Fields, gotype.Field{Name: f.Name, Offset: uint64(f.Offset), Type: l.typ(f.Type), Embedded: f.Anonymous})
		}
	}
	l.table.Set(id, g)
	return id
}

// pointerShaped is what an interface holds in its data word (Go 1.26).
func pointerShaped(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Array:
		return t.Len() == 1 && pointerShaped(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if pointerShaped(f.Type) {
				return t.Size() == f.Type.Size()
			}
		}
	}
	return false
}

// mapLayout is what the compiler makes of a map type (cmd/compile, reflectdata).
func mapLayout(t reflect.Type) *gotype.MapLayout {
	const largest = 128
	key, elem := t.Key(), t.Elem()
	m := &gotype.MapLayout{IndirectKey: key.Size() > largest, IndirectElem: elem.Size() > largest}
	if m.IndirectKey {
		key = reflect.TypeFor[unsafe.Pointer]()
	}
	if m.IndirectElem {
		elem = reflect.TypeFor[unsafe.Pointer]()
	}
	slot := reflect.StructOf([]reflect.StructField{{Name: "K", Type: key}, {Name: "E", Type: elem}})
	m.Keys, m.Elems = 8, 8+uint32(slot.Field(1).Offset)
	m.KeyStride, m.ElemStride = uint32(slot.Size()), uint32(slot.Size())
	m.GroupSize = 8 + gotype.Slots*m.KeyStride
	return m
}
