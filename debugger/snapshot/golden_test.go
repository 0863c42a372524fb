package snapshot_test

import (
	"crypto/rsa"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// boot is the wall time at which the test's monotonic clock was 0.
var boot = time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC)

// symbols is a symbol table: the second address lies in two inlined functions.
type symbols struct{}

func (symbols) Frames(pc uint64, dst []snapshot.Frame) []snapshot.Frame {
	switch pc {
	case 0x401000:
		return append(dst, snapshot.Frame{Function: "main.handle", File: "/src/main.go", Line: 31})
	case 0x401fff:
		return append(dst,
			snapshot.Frame{Function: "main.(*Server).inlined", File: "/src/server.go", Line: 12},
			snapshot.Frame{Function: "main.(*Server).serve", File: "/src/server.go", Line: 58})
	}
	return dst
}

func deps() snapshot.Deps {
	return snapshot.Deps{
		Wall:    func(ktime uint64) time.Time { return boot.Add(time.Duration(ktime)) },
		Process: func(*event.Event) snapshot.Process { return snapshot.Process{Service: "shop", Symbols: symbols{}} },
		NewID:   func() uuid.UUID { return uuid.MustParse("01234567-89ab-4cde-8f01-23456789abcd") },
	}
}

// decode decodes an event once with a new decoder.
func decode(tb testing.TB, p *plan.Plan, e *event.Event) *snapshot.Snapshot {
	tb.Helper()
	l, err := snapshot.NewLayout(p, snapshot.Redaction{})
	require.NoError(tb, err)
	return snapshot.NewDecoder(deps()).Decode(l, e)
}

// Types of the cases. Their package path is that of the test.
type (
	order struct {
		ID    int
		Item  string
		Price float64
	}
	node struct {
		Value int
		Next  *node
	}
	numbers struct {
		B    bool
		I8   int8
		I16  int16
		I32  int32
		I64  int64
		I    int
		U8   uint8
		U16  uint16
		U32  uint32
		U64  uint64
		U    uint
		P    uintptr
		F32  float32
		F64  float64
		C64  complex64
		C128 complex128
	}
	blanks struct {
		_ int32
		A int32
		_ int32
	}
	base    struct{ ID int }
	derived struct {
		base
		*order
		Name string
	}
	login struct {
		User      string
		Pass_word string
		APIKey    *string
		Session   struct{ ID int }
		Note      string
	}
	wide   struct{ F01, F02, F03, F04, F05, F06, F07, F08, F09, F10, F11, F12, F13, F14, F15, F16, F17, F18, F19, F20, F21, F22 int8 }
	label  string
	meters float32
	nested []nested
)

// cases are one for each row of the value table of the specification, and for
// each way a value can be missing.
var cases = map[string]func(m *memory) *memory{
	"numbers": func(m *memory) *memory {
		m.plan.Limits.Fields = 30
		return m.args(
			arg{"n", &numbers{true, -8, -16, -32, -64, -1, 8, 16, 32, 64, 1, 0xdeadbeef, 1.5, 1e21, 1 - 2i, complex(0, math.Inf(-1))}},
			arg{"limits", new([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324, 0.1, math.Copysign(0, -1)})},
			arg{"extremes", new([2]int64{math.MinInt64, math.MaxInt64})},
			arg{"max", new(uint64(math.MaxUint64))},
			arg{"height", new(meters(1.25))},
		)
	},
	"strings": func(m *memory) *memory {
		return m.args(
			arg{"plain", new("tea")}, arg{"empty", new("")}, arg{"named", new(label("green"))},
			arg{"escaped", new("a\"b\\c\n\x00<é世>")}, arg{"invalid", new("a\xffb\xc3")},
			arg{"long", new(strings.Repeat("0123456789", 30))},
			arg{"cut", new(strings.Repeat("é", 200))},
			arg{"cutInvalid", new(strings.Repeat("\xff", 300))},
		)
	},
	"strings_unread": func(m *memory) *memory {
		m.drop[reflect.TypeFor[string]()] = event.ReasonNone
		m.drop[reflect.TypeFor[label]()] = event.ReasonUnavailable
		return m.args(arg{"absent", new("tea")}, arg{"faulted", new(label("green"))})
	},
	"string_too_large": func(m *memory) *memory {
		m.args(arg{"s", new("0123456789")})
		m.items[0].Data, m.items[0].Reason = m.items[0].Data[:4], event.ReasonTooLarge
		return m
	},
	"string_limit": func(m *memory) *memory {
		m.plan.Limits.Length = 4
		return m.args(arg{"s", new("0123456789")})
	},
	"pointers": func(m *memory) *memory {
		n, s, o := new(5), new("tea"), &order{42, "tea", 3.5}
		return m.args(
			arg{"null", new((*order)(nil))}, arg{"number", &n}, arg{"text", &s}, arg{"order", &o},
			arg{"deep", new(&o)}, arg{"toNull", new(new((*int)(nil)))},
			arg{"empty", new(&struct{}{})}, arg{"unsafe", new(unsafe.Pointer(n))}, arg{"nullUnsafe", new(unsafe.Pointer(nil))},
		)
	},
	"pointers_unread": func(m *memory) *memory {
		m.drop[reflect.TypeFor[order]()] = event.ReasonUnavailable
		m.drop[reflect.TypeFor[node]()] = event.ReasonNone
		return m.args(arg{"faulted", new(&order{})}, arg{"absent", new(&node{})})
	},
	"depth": func(m *memory) *memory {
		list := &node{1, &node{2, &node{3, &node{4, nil}}}}
		return m.args(arg{"list", &list})
	},
	"depth_of_the_plan": func(m *memory) *memory {
		m.plan.Limits.Depth = 1
		list := &node{1, &node{2, &node{3, nil}}}
		return m.args(arg{"list", &list}, arg{"pp", new(new(new(7)))})
	},
	"cycle": func(m *memory) *memory {
		a := &node{Value: 1}
		a.Next = &node{2, a}
		m.plan.Limits.Depth, m.depth = 9, 9
		return m.args(arg{"list", &a}, arg{"again", &a})
	},
	"cycle_of_slices": func(m *memory) *memory {
		n := make(nested, 2)
		n[1] = n
		return m.args(arg{"n", &n})
	},
	"structs": func(m *memory) *memory {
		return m.args(
			arg{"order", &order{42, "tea", 3.5}}, arg{"empty", &struct{}{}},
			arg{"embedded", &derived{base{7}, &order{1, "x", 0}, "d"}},
			arg{"blanks", &blanks{A: 5}}, arg{"_", new(1)}, arg{"_", new(2)},
			arg{"wide", &wide{F01: 1, F20: 20, F21: 21}},
		)
	},
	"arrays": func(m *memory) *memory {
		m.plan.Limits.Collection = 3
		return m.args(
			arg{"two", &[2]string{"a", "b"}}, arg{"none", &[0]int{}}, arg{"grid", &[2][2]int8{{1, 2}, {3, 4}}},
			arg{"clipped", &[5]uint8{1, 2, 3, 4, 5}}, arg{"empties", &[2]struct{}{}},
		)
	},
	"slices": func(m *memory) *memory {
		m.plan.Limits.Collection = 3
		array := [4]int{1, 2, 3, 4}
		return m.args(
			arg{"null", new([]int(nil))}, arg{"empty", new([]int{})}, arg{"bytes", new([]byte("te"))},
			arg{"orders", new([]order{{1, "a", 0.5}, {2, "b", 1}})}, arg{"rows", new([][]string{{"x"}, nil, {}})},
			arg{"clipped", new([]int{1, 2, 3, 4, 5})}, arg{"empties", new(make([]struct{}, 2))},
			arg{"short", new(array[:1])}, arg{"long", new(array[:2])},
		)
	},
	"slices_unread": func(m *memory) *memory {
		m.drop[reflect.TypeFor[[]int]()] = event.ReasonNone
		m.drop[reflect.TypeFor[[]int8]()] = event.ReasonUnavailable
		m.args(arg{"absent", new([]int{1})}, arg{"faulted", new([]int8{1})},
			arg{"clipped", new([]int16{1, 2, 3})}, arg{"large", new([]int32{1, 2, 3})}, arg{"torn", new([]int64{1, 2, 3})})
		for i, why := range map[int]event.Reason{1: event.ReasonCollection, 2: event.ReasonTooLarge, 3: event.ReasonNone} {
			m.items[i].Data, m.items[i].Reason = m.items[i].Data[:len(m.items[i].Data)/2], why
		}
		return m
	},
	"references": func(m *memory) *memory {
		return m.args(
			arg{"nullMap", new(map[string]int(nil))}, arg{"map", new(map[string]int{"a": 1})},
			arg{"nullChan", new((chan int)(nil))}, arg{"chan", new(make(chan int, 3))},
			arg{"nullFunc", new((func())(nil))}, arg{"func", new(func() {})},
			arg{"nullAny", new(any(nil))}, arg{"any", new(any(5))},
			arg{"nullError", new(error(nil))}, arg{"error", new(errors.New("no tea"))},
		)
	},
	"times": func(m *memory) *memory {
		now := time.Date(2026, 10, 9, 8, 7, 6, 500, time.UTC)
		return m.args(
			arg{"zero", &time.Time{}}, arg{"plain", &now},
			arg{"monotonic", monotonic(now)},
			arg{"zoned", new(now.In(time.FixedZone("x", 3600)))},
			arg{"pointer", new(&now)}, arg{"duration", new(3 * time.Second)},
		)
	},
	"redaction": func(m *memory) *memory {
		key := &rsa.PrivateKey{}
		return m.args(
			arg{"password", new("hunter2")}, arg{"Access_Token", new(&order{})},
			arg{"in", &login{User: "ann", Pass_word: "hunter2", APIKey: new("k"), Note: "n"}},
			arg{"key", &key}, arg{"keys", new([]rsa.PrivateKey{{}})}, arg{"tokenizer", new("shown")},
		)
	},
	"unavailable": func(m *memory) *memory {
		m.args(arg{"n", new(1)}, arg{"gone", new(2)}, arg{"token", new(3)})
		for i := 1; i < 3; i++ {
			m.plan.Variables[i].Unavailable = "optimised out"
		}
		return m
	},
	"locals": func(m *memory) *memory {
		m.args(arg{"total", new(1)}, arg{"n", new(2)})
		m.plan.Variables[0].Role = plan.RoleLocal
		return m
	},
	"nothing": func(m *memory) *memory { return m },
	"root_short": func(m *memory) *memory {
		m.args(arg{"n", new(1)}, arg{"o", &order{42, "tea", 3.5}}, arg{"last", new("x")})
		m.root = m.root[:16]
		return m
	},
	"too_many_pointers": func(m *memory) *memory {
		m.drop[reflect.TypeFor[node]()] = event.ReasonNone
		m.drop[reflect.TypeFor[string]()] = event.ReasonNone
		m.drop[reflect.TypeFor[[]int]()] = event.ReasonNone
		o := &struct {
			N int
			P *node
			S string
			L []int
		}{1, &node{}, "tea", []int{1}}
		m.args(arg{"o", &o})
		m.items[0].Reason = event.ReasonPointers
		return m
	},
	"holes": func(m *memory) *memory {
		m.args(arg{"n", new(1)}, arg{"gone", new(2)}, arg{"part", &order{42, "tea", 3.5}}, arg{"at", new(boot)}, arg{"list", &[2]int32{5, 6}})
		m.holes = [][2]uint32{{8, 8}, {40, 8}, {50, 1}, {76, 4}}
		return m
	},
	"unknown_types": func(m *memory) *memory {
		m.args(arg{"opaque", new(1)}, arg{"odd", new(2)}, arg{"none", new(3)}, arg{"to", new(new(4))})
		v := m.plan.Variables
		v[0].Type = m.table.Add(gotype.Type{Kind: gotype.Opaque, Name: "main.blob", Size: 8})
		v[1].Type = m.table.Add(gotype.Type{Kind: gotype.Int, Name: "int24", Size: 3})
		v[2].Type = 999
		v[3].Type = m.table.Add(gotype.Type{Kind: gotype.Pointer, Name: "*main.beyond"})
		return m
	},
}

// monotonic is t as time.Now would have made it: with a monotonic reading.
func monotonic(t time.Time) *time.Time {
	now := time.Now()
	out := now.Add(t.Sub(now))
	return &out
}

// TestGolden compares the captures, the line and the tree of every case.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := build(newMemory())
			s := decode(t, m.plan, m.event())
			text := "-- json --\n" + indent(t, s.AppendJSON(nil)) + "\n-- line --\n" + string(s.AppendText(nil)) + "-- tree --\n" + string(s.AppendTree(nil))
			checkGolden(t, filepath.Join("testdata", "golden", name+".txt"), text)
		})
	}
}

// indent shows the part of an envelope that differs between the cases.
func indent(t *testing.T, envelope []byte) string {
	t.Helper()
	checkSchema(t, envelope)
	_, captures, ok := strings.Cut(string(envelope), `"captures":`)
	require.True(t, ok)
	v := jsontext.Value(`{"captures":` + strings.TrimSuffix(captures, "}}"))
	require.NoError(t, v.Indent())
	return string(v)
}

func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
