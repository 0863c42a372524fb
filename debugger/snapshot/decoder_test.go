package snapshot_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// everything is the plan of all cases in one, so that a fuzzer meets every kind
// of type.
func everything() *memory {
	m := newMemory()
	for _, name := range []string{"numbers", "strings", "pointers", "cycle", "cycle_of_slices", "structs", "arrays", "slices", "references", "times", "redaction"} {
		cases[name](m)
	}
	m.depth, m.plan.Limits.Depth, m.plan.Limits.Collection, m.plan.Limits.Fields = 9, 9, 50, 40
	return m
}

// FuzzDecode feeds arbitrary bytes as items to a plan with every kind of type:
// whatever they hold, the result is a document of the schema and of the size.
func FuzzDecode(f *testing.F) {
	m := everything()
	e := m.event()
	l, err := snapshot.NewLayout(m.plan, snapshot.Redaction{})
	require.NoError(f, err)
	whole := pack(e.Items)
	f.Add(whole, uint64(1), uint64(1))
	f.Add(whole[:len(whole)/2], uint64(0), uint64(0))
	f.Add([]byte{}, uint64(1<<63), ^uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, ktime, goid uint64) {
		e := &event.Event{Items: unpack(data, m.table.Len()), Ktime: ktime, GoID: goid}
		s := snapshot.NewDecoder(deps()).Decode(l, e)
		out := s.AppendJSON(nil)
		require.LessOrEqual(t, len(out), 1<<20)
		checkSchema(t, out)
		s.AppendText(nil)
		s.AppendTree(nil)
	})
}

// pack writes items as type, reason, length (a byte, a byte, two bytes),
// address and data; unpack reads any bytes so.
func pack(items []event.Item) []byte {
	var out []byte
	for _, it := range items {
		out = append(out, byte(it.Type), byte(it.Reason))
		out = binary.LittleEndian.AppendUint16(out, uint16(len(it.Data)))
		out = binary.LittleEndian.AppendUint64(out, it.Addr)
		out = append(out, it.Data...)
	}
	return out
}

func unpack(data []byte, types int) []event.Item {
	var items []event.Item
	for len(data) >= 12 {
		it := event.Item{Type: gotype.ID(int(data[0]) % (types + 2)), Reason: event.Reason(data[1] % 7), Addr: binary.LittleEndian.Uint64(data[4:])}
		n := int(binary.LittleEndian.Uint16(data[2:]))
		data = data[12:]
		n = min(n, len(data))
		it.Data, data = data[:n], data[n:]
		items = append(items, it)
	}
	return items
}

// TestDecodeIsBounded decodes values that would be far over 1 MiB: a graph that
// fans out at every level, and one whose text grows sixfold when it is escaped.
func TestDecodeIsBounded(t *testing.T) {
	t.Parallel()
	type leaf struct{ S1, S2, S3, S4 string }
	type fan struct{ Next []*leaf }
	control := strings.Repeat("\x01", 8000)
	leaves := make([]*leaf, 60)
	for i := range leaves {
		leaves[i] = &leaf{control, control, control, control}
	}
	top := make([]fan, 60)
	for i := range top {
		top[i].Next = leaves
	}
	m := newMemory()
	m.clip, m.plan.Limits.Length = 8192, 8192
	m.args(arg{"top", &top}, arg{"n", new(1)})
	s := decode(t, m.plan, m.event())
	out := s.AppendJSON(nil)
	require.Less(t, len(out), 1<<20)
	require.Greater(t, len(out), 1<<19)
	require.Contains(t, string(out), `"notCapturedReason":"pruned"`)
	require.Contains(t, string(out), `"n":{"type":"int","value":"1"}`)
	checkSchema(t, out)
}

// TestDecodeNesting reads a chain of slices that each hold the next: they nest
// without following a pointer.
func TestDecodeNesting(t *testing.T) {
	t.Parallel()
	var n nested
	for range 500 {
		n = nested{n}
	}
	m := newMemory().args(arg{"n", &n})
	out := decode(t, m.plan, m.event()).AppendJSON(nil)
	require.Equal(t, 129, strings.Count(string(out), `"elements":[`))
	require.Contains(t, string(out), `"notCapturedReason":"captureNestingTooDeep"`)
	checkSchema(t, out)
}

// TestDecoderIsReusable decodes events of different plans alternately: nothing
// of one may show in the next.
func TestDecoderIsReusable(t *testing.T) {
	t.Parallel()
	type prepared struct {
		layout *snapshot.Layout
		event  *event.Event
		want   string
	}
	var list []prepared
	for _, build := range cases {
		m := build(newMemory())
		l, err := snapshot.NewLayout(m.plan, snapshot.Redaction{})
		require.NoError(t, err)
		e := m.event()
		list = append(list, prepared{l, e, string(snapshot.NewDecoder(deps()).Decode(l, e).AppendJSON(nil))})
	}
	rapid.Check(t, func(t *rapid.T) {
		d := snapshot.NewDecoder(deps())
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(list)-1), 1, 40).Draw(t, "order") {
			require.Equal(t, list[i].want, string(d.Decode(list[i].layout, list[i].event).AppendJSON(nil)))
		}
	})
}

// TestDecodeScalarsAgreeWithFmt holds the scalars to another implementation.
func TestDecodeScalarsAgreeWithFmt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		i8, i32, i64 := rapid.Int8().Draw(t, "i8"), rapid.Int32().Draw(t, "i32"), rapid.Int64().Draw(t, "i64")
		u16, u64 := rapid.Uint16().Draw(t, "u16"), rapid.Uint64().Draw(t, "u64")
		b, s := rapid.Bool().Draw(t, "b"), rapid.String().Draw(t, "s")
		at := time.Unix(rapid.Int64Range(-1e11, 1e11).Draw(t, "sec"), rapid.Int64Range(0, 1e9-1).Draw(t, "nsec"))
		m := newMemory()
		m.clip, m.plan.Limits.Length = 8192, 8192
		m.args(arg{"i8", &i8}, arg{"i32", &i32}, arg{"i64", &i64}, arg{"u16", &u16}, arg{"u64", &u64}, arg{"b", &b}, arg{"s", &s}, arg{"at", &at})
		l, err := snapshot.NewLayout(m.plan, snapshot.Redaction{})
		require.NoError(t, err)
		tree := string(snapshot.NewDecoder(deps()).Decode(l, m.event()).AppendTree(nil))
		want := fmt.Sprintf("  i8 int8 = %d\n  i32 int32 = %d\n  i64 int64 = %d\n  u16 uint16 = %d\n  u64 uint64 = %d\n  b bool = %t\n  s string = %q\n  at time.Time = %s\n",
			i8, i32, i64, u16, u64, b, s, at.UTC().Format(time.RFC3339Nano))
		require.Contains(t, tree, want)
	})
}

// steady is a snapshot of middling size: a slice of orders, a list, a stack.
func steady(tb testing.TB) (*snapshot.Decoder, *snapshot.Layout, *event.Event) {
	tb.Helper()
	orders := make([]order, 20)
	for i := range orders {
		orders[i] = order{i, "a pot of \"green\" tea", 3.5}
	}
	list := &node{1, &node{2, &node{3, nil}}}
	m := newMemory().args(arg{"orders", &orders}, arg{"list", &list}, arg{"name", new("shop")}, arg{"at", new(boot)}, arg{"err", new(error(nil))})
	l, err := snapshot.NewLayout(m.plan, snapshot.Redaction{})
	require.NoError(tb, err)
	d := deps()
	d.NewID = nil
	return snapshot.NewDecoder(d), l, m.event()
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	d, l, e := steady(t)
	var out []byte
	require.Zero(t, testing.AllocsPerRun(200, func() { out = d.Decode(l, e).AppendJSON(out[:0]) }))
}

func BenchmarkEncode(b *testing.B) {
	d, l, e := steady(b)
	out := d.Decode(l, e).AppendJSON(nil)
	b.ReportAllocs()
	before := userTime(b)
	for b.Loop() {
		out = d.Decode(l, e).AppendJSON(out[:0])
	}
	b.SetBytes(int64(len(out)))
	kib := float64(b.N) * float64(len(out)) / 1024
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/kib, "ns/KiB")
	// What a busy machine shows too.
	b.ReportMetric(float64(userTime(b)-before)/kib, "user-ns/KiB")
}

// userTime is the processor time this process used.
func userTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano())
}

func BenchmarkText(b *testing.B) {
	d, l, e := steady(b)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = d.Decode(l, e).AppendText(out[:0])
	}
}
