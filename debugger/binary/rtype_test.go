package binary

import (
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// matrix are the builds that runtime types are read from: those that describe
// types, and maps made of buckets.
func matrix() map[string]binarytest.Build {
	builds := binarytest.Matrix()
	maps.DeleteFunc(builds, func(name string, _ binarytest.Build) bool {
		return strings.HasPrefix(name, "stripped") || strings.HasPrefix(name, "no dwarf")
	})
	builds["buckets"] = binarytest.Build{Toolchain: "go1.24.9", Experiment: "noswissmap"}
	return builds
}

// TestRuntimeTypesMatchDebugInfo reads every type of a program twice: as the
// debug information has it and as the runtime has it.
func TestRuntimeTypesMatchDebugInfo(t *testing.T) {
	t.Parallel()
	for name, build := range matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Open(binarytest.Fixture(t, "testdata/params", build))
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			d, err := b.debugData()
			require.NoError(t, err)
			checked := 0
			for _, typ := range d.types {
				ours, theirs := describe(t, b, nil, typ.runtime), describe(t, b, d, typ.runtime)
				if strings.Contains(theirs.Name, "go.shape.") || strings.Contains(theirs.Name, "noalg.") {
					continue
				}
				require.Equal(t, theirs, ours)
				checked++
			}
			require.Greater(t, checked, 500)
		})
	}
}

// description is a type in a form that does not depend on how types are
// numbered.
type description struct {
	gotype.Type
	Elem, Key string
	Fields    []string
}

func describe(t *testing.T, b *Binary, d *debugInfo, off uint64) description {
	t.Helper()
	builder := newTypeBuilder(d, b, Reach{Depth: 1})
	id := builder.part(typeRef{runtime: off})
	types, err := builder.finish()
	require.NoError(t, err)
	name := func(id gotype.ID) string {
		if got := types.Get(id); got != nil {
			return got.Name
		}
		return ""
	}
	typ := *types.Get(id)
	out := description{Type: typ, Elem: name(typ.Elem), Key: name(typ.Key)}
	for _, f := range typ.Fields {
		tags := ""
		if f.Embedded {
			tags = "embedded"
		}
		out.Fields = append(out.Fields, strings.Join([]string{f.Name, name(f.Type), tags}, " "))
	}
	typ.ID, typ.Elem, typ.Key, typ.Fields, typ.Dynamic = 0, 0, 0, nil, nil
	out.Type = typ
	return out
}

// Types that the test reads of itself.
type (
	ownPair[K comparable, V any] struct {
		Key   K
		Value V
	}
	ownNamed struct {
		time.Time
		Pairs   []ownPair[string, *strings.Builder]
		Counts  map[uint8][200]byte
		Updates <-chan int
		Any     any
		Err     error
		Done    func(int) bool
		Flags   [3]struct{ _, B bool }
	}
)

// own are values whose types are looked up in the test's own binary.
var own = []any{
	ownNamed{},
	&ownNamed{},
	ownPair[int, string]{},
	[]ownPair[string, *strings.Builder]{},
	map[string]ownNamed{},
	map[uint8][200]byte{},
	make(chan<- string), make(chan *ownNamed),
	[4]time.Duration{},
	func(int) bool { return false },
	struct{ A, B int8 }{},
	uintptr(1),
	true, complex64(1), "", reflect.TypeFor[int](), time.Now(), (*error)(nil), (**int)(nil),
}

// TestOwnTypes compares the types of this binary, which go test strips of debug
// information, with what reflect says of them.
func TestOwnTypes(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	require.NoError(t, err)
	b, err := Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	here, err := b.FindFunction("binary.TestOwnTypes")
	require.NoError(t, err)
	bias := uint64(reflect.ValueOf(TestOwnTypes).Pointer()) - here.Entry
	for _, v := range own {
		want := reflect.TypeOf(v)
		off := uint64(reflect.ValueOf(want).Pointer()) - bias - b.module.types
		types, ids, err := b.Types([]uint64{off}, Reach{Depth: 8})
		require.NoError(t, err)
		requireSameType(t, types, ids[0], want, map[gotype.ID]bool{})
		size, ok := b.RuntimeTypeSize(off)
		require.True(t, ok)
		require.Equal(t, uint64(want.Size()), size)
	}
	_, ids, err := b.Types([]uint64{3, 1 << 60}, Reach{})
	require.NoError(t, err)
	require.Equal(t, []gotype.ID{0, 0}, ids)
}

func requireSameType(t *testing.T, types *gotype.Table, id gotype.ID, want reflect.Type, seen map[gotype.ID]bool) {
	t.Helper()
	got := types.Get(id)
	if got == nil || seen[id] {
		return
	}
	seen[id] = true
	require.Equal(t, uint64(want.Size()), got.Size, want.String())
	if want.Name() != "" && want.PkgPath() != "" {
		require.Equal(t, want.PkgPath()+"."+want.Name(), got.Name)
	}
	require.Equal(t, id, types.ByRuntimeOffset(got.RuntimeOffset))
	switch want.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Chan, reflect.Array:
		requireSameType(t, types, got.Elem, want.Elem(), seen)
	case reflect.Map:
		requireSameType(t, types, got.Key, want.Key(), seen)
		requireSameType(t, types, got.Elem, want.Elem(), seen)
		require.Equal(t, want.Elem().Size() > 128, got.Map.IndirectElem)
	case reflect.Struct:
		require.Len(t, got.Fields, want.NumField())
		for i, f := range got.Fields {
			field := want.Field(i)
			require.Equal(t, gotype.Field{Name: field.Name, Offset: uint64(field.Offset), Type: f.Type, Embedded: field.Anonymous}, f)
			requireSameType(t, types, f.Type, field.Type, seen)
		}
	case reflect.Interface:
		require.Equal(t, want.NumMethod() == 0, got.Empty)
	}
}

// TestRuntimeLayout compares what is known of each toolchain with what the debug
// information of its programs says.
func TestRuntimeLayout(t *testing.T) {
	t.Parallel()
	for name, build := range matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Open(binarytest.Fixture(t, "testdata/params", build))
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			described, err := b.Runtime()
			require.NoError(t, err)
			require.Equal(t, described, b.knownLayout())
			require.Equal(t, build.Experiment == "noswissmap", described.Hash != nil)
		})
	}
}

// TestImplementers finds the dynamic types of an interface in a program.
func TestImplementers(t *testing.T) {
	t.Parallel()
	for name, build := range matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Open(binarytest.Fixture(t, "testdata/params", build))
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			fn, err := b.FindFunction("main.refs")
			require.NoError(t, err)
			sig, err := b.Signature(fn, Reach{Depth: 2, Implementers: 16})
			require.NoError(t, err)
			found := map[string][]string{}
			for id := 1; id <= sig.Types.Len(); id++ {
				typ := sig.Types.Get(gotype.ID(id))
				for _, dynamic := range typ.Dynamic {
					found[typ.Name] = append(found[typ.Name], sig.Types.Get(dynamic).Name)
				}
			}
			require.Contains(t, found["main.Shape"], "main.Point")
			require.Contains(t, found["error"], "*errors.errorString")
			require.LessOrEqual(t, len(found["error"]), 16)
		})
	}
}

// TestHeld checks where interfaces hold values, with each toolchain: what the
// runtime takes apart is one pointer, and nothing besides.
func TestHeld(t *testing.T) {
	t.Parallel()
	for name, build := range matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Open(binarytest.Fixture(t, "testdata/params", build))
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			d, err := b.debugData()
			require.NoError(t, err)
			held := map[gotype.Held]int{}
			for _, typ := range d.types {
				r, ok := b.rtypeAt(typ.runtime)
				require.True(t, ok)
				got := describe(t, b, d, typ.runtime)
				held[got.Held]++
				const pointerBytes = 8 // abi.Type.PtrBytes: as far as the pointers in it go
				// A pointer to what the runtime keeps outside of the heap counts as a
				// number.
				single := r.size() == 8 && r.word(pointerBytes) == 8
				if r.kind() == kindStruct || r.kind() == kindArray {
					// Go 1.26 takes more of them apart than the versions before.
					require.False(t, got.Held == gotype.HeldDirect && !single, got.Name)
					continue
				}
				require.Equal(t, single, got.Held == gotype.HeldDirect, got.Name)
			}
			require.Zero(t, held[gotype.HeldUnknown])
			require.Greater(t, held[gotype.HeldDirect], 100)
			require.Greater(t, held[gotype.HeldBehind], 100)
		})
	}
}

// TestSwissGroups computes the layout of every map of a program from its key and
// element, and compares it with what the runtime has.
func TestSwissGroups(t *testing.T) {
	t.Parallel()
	for name, build := range matrix() {
		if build.Experiment != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Open(binarytest.Fixture(t, "testdata/params", build))
			require.NoError(t, err)
			defer func() { require.NoError(t, b.Close()) }()
			d, err := b.debugData()
			require.NoError(t, err)
			checked := 0
			for _, typ := range d.types {
				builder := newTypeBuilder(d, b, Reach{Depth: 1})
				id := builder.part(typeRef{runtime: typ.runtime})
				types, err := builder.finish()
				require.NoError(t, err)
				if got := types.Get(id); got.Map != nil {
					require.Equal(t, got.Map, types.SwissGroup(got.Key, got.Elem), got.Name)
					checked++
				}
			}
			require.Greater(t, checked, 5)
		})
	}
}
