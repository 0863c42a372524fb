package snapshot_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

type stranger struct{ N int }

func (stranger) unknown() {}

type shape interface{ Area() float64 }

type square struct{ Side float64 }

func (s square) Area() float64 { return s.Side * s.Side }

type circle struct{ R float64 }

func (c *circle) Area() float64 { return c.R }

type box struct{ P *int }

// Types that are called like those of OpenTelemetry.
type (
	spanKeyType int
	spanContext struct {
		traceID [16]byte
		spanID  [8]byte
		_       byte
	}
	liveSpan struct {
		_           string
		parent      spanContext
		spanContext spanContext
	}
	remoteSpan struct{ sc spanContext }
)

type guarded struct {
	mu    sync.Mutex
	idle  sync.Mutex
	rw    sync.RWMutex
	once  sync.Once
	wg    sync.WaitGroup
	n     atomic.Int64
	u     atomic.Uint32
	ok    atomic.Bool
	ptr   atomic.Pointer[order]
	value atomic.Value
}

func squares(n int) map[int]int {
	m := map[int]int{}
	for i := range n {
		m[i] = i * i
	}
	return m
}

// grown is a map that has been larger: its tables have groups without entries.
func grown(n, rest int) map[int]int {
	m := squares(n)
	for i := range n - rest {
		delete(m, i)
	}
	return m
}

func wrapped() chan string {
	c := make(chan string, 4)
	for _, s := range []string{"a", "b", "c", "d"} {
		c <- s
	}
	<-c
	<-c
	c <- "e"
	return c
}

func closed() chan int {
	c := make(chan int, 3)
	c <- 7
	close(c)
	return c
}

func named() {}

// behindCases are values that the runtime keeps behind a word.
var behindCases = map[string]func(l *live) []arg{
	"maps": func(*live) []arg {
		type key struct{ A, B int8 }
		large := [200]byte{1: 'x'}
		type loop map[string]any
		self := loop{}
		self["self"] = self
		return []arg{
			{"null", new(map[string]int(nil))},
			{"empty", new(map[string]int{})},
			{"one", new(map[string]int{"a": 1})},
			{"full", new(squares(8))},
			{"two groups", new(squares(12))},
			{"nested", new(map[string]map[int]bool{"x": {1: true, 2: false}, "y": nil})},
			{"of structs", new(map[key]order{{1, 2}: {1, "tea", 2.5}})},
			{"of pointers", new(map[string]*order{"p": {2, "cake", 3}, "q": nil})},
			{"set", new(map[string]struct{}{"in": {}})},
			{"large", new(map[[200]byte][200]byte{large: large})},
			{"users", new(map[string]string{"user": "ann", "Password": "hunter2"})},
			{"self", &self},
			{"pointer", new(&map[bool]string{true: "yes"})},
		}
	},
	"maps_limited": func(l *live) []arg {
		l.plan.Limits = plan.Limits{Depth: 1, Collection: 3}
		return []arg{{"many", new(map[string]int{"a": 1, "b": 1, "c": 1, "d": 1})}, {"far", new(&map[int]int{1: 1})}}
	},
	"channels": func(*live) []arg {
		c := make(chan chan int, 1)
		c <- closed()
		return []arg{
			{"null", new((chan int)(nil))},
			{"empty", new(make(chan int))},
			{"buffered", new(make(chan bool, 5))},
			{"wrapped", new(wrapped())},
			{"closed", new(closed())},
			{"of channels", &c},
			{"directed", new((<-chan int)(closed()))},
			{"empty elements", new(make(chan struct{}, 2))},
		}
	},
	"functions": func(*live) []arg {
		n := 5
		return []arg{{"null", new((func())(nil))}, {"named", new(named)}, {"closure", new(func() int { return n })}, {"method", new(square{2}.Area)}}
	},
	"interfaces": func(l *live) []arg {
		for _, v := range []any{1, "", square{}, &circle{}, box{}, &order{}, []int{}, map[string]int{}, errors.New(""), time.Second, struct{}{}} {
			l.typ(reflect.TypeOf(v))
		}
		five := 5
		var nilOrder *order
		return []arg{
			{"null", new(any(nil))},
			{"int", new(any(42))},
			{"small", new(any(int8(3)))},
			{"text", new(any("tea"))},
			{"slice", new(any([]int{1, 2}))},
			{"map", new(any(map[string]int{"a": 1}))},
			{"pointer", new(any(&order{1, "tea", 2}))},
			{"typed nil", new(any(nilOrder))},
			{"direct struct", new(any(box{&five}))},
			{"nothing", new(any(struct{}{}))},
			{"square", new(shape(square{3}))},
			{"circle", new(shape(&circle{4}))},
			{"no shape", new(shape(nil))},
			{"error", new(errors.New("no tea"))},
			{"duration", new(any(time.Minute))},
			{"stranger", new(any(stranger{1}))},
			{"stranger pointer", new(unknownTo(&stranger{1}))},
			{"list", new([]any{1, "two", nil, []any{3}})},
		}
	},
	"interfaces_far": func(l *live) []arg {
		l.plan.Limits.Depth = 1
		l.typ(reflect.TypeFor[square]())
		l.typ(reflect.TypeFor[*circle]())
		return []arg{{"square", new(new(shape(square{3})))}, {"circle", new(new(shape(&circle{3})))}, {"near", new(shape(square{3}))}}
	},
	"contexts": func(l *live) []arg {
		l.names = map[reflect.Type]string{
			reflect.TypeFor[spanKeyType](): "go.opentelemetry.io/otel/trace.traceContextKeyType",
			reflect.TypeFor[spanContext](): "go.opentelemetry.io/otel/trace.SpanContext",
		}
		for _, t := range []any{context.Background(), context.WithValue(context.Background(), stranger{}, 1), spanKeyType(0), &liveSpan{}, remoteSpan{}} {
			l.typ(reflect.TypeOf(t))
		}
		cancelled, cancel := context.WithTimeout(context.Background(), time.Hour)
		l.typ(reflect.TypeOf(cancelled))
		cancel()
		span := &liveSpan{parent: spanContext{spanID: [8]byte{7: 3}}, spanContext: spanContext{traceID: [16]byte{7: 1, 15: 2}, spanID: [8]byte{7: 9}}}
		return []arg{
			{"null", new(context.Context(nil))},
			{"background", new(context.Background())},
			{"cancelled", &cancelled},
			{"value", new(context.WithValue(cancelled, stranger{}, 1))},
			{"span", new(context.WithValue(context.WithValue(cancelled, spanKeyType(0), span), stranger{}, 1))},
			{"remote", new(context.WithValue(context.Background(), spanKeyType(0), remoteSpan{sc: span.spanContext}))},
			{"unknown", new(context.WithValue(context.Background(), spanKeyType(0), stranger{}))},
		}
	},
	"zones": func(*live) []arg {
		at := time.Date(2026, 10, 9, 8, 7, 6, 500, time.UTC)
		zoned := at.In(time.FixedZone("x", -90*60))
		return []arg{
			{"zero", &time.Time{}},
			{"utc", &at},
			{"zoned", &zoned},
			{"pointer", new(&zoned)},
			{"monotonic", monotonic(at)},
			{"list", new([]time.Time{at, zoned})},
		}
	},
	"sync": func(l *live) []arg {
		l.typ(reflect.TypeFor[int]())
		l.typ(reflect.TypeFor[*order]())
		g := &guarded{}
		g.mu.Lock()
		_ = g.idle.TryLock()
		g.idle.Unlock()
		g.rw.RLock()
		g.once.Do(named)
		g.wg.Add(3)
		g.n.Store(-5)
		g.u.Store(6)
		g.ok.Store(true)
		g.ptr.Store(&order{1, "tea", 2})
		g.value.Store(7)
		return []arg{{"g", &g}}
	},
	"capacities": func(*live) []arg {
		return []arg{{"grown", new(make([]int, 1, 4))}, {"empty", new(make([]string, 0, 2))}}
	},
}

var address = regexp.MustCompile(`"address": "0x[0-9a-f]+"`)

func TestBehindGolden(t *testing.T) {
	for name, build := range behindCases {
		t.Run(name, func(t *testing.T) {
			l := newLive(t, plan.Limits{})
			args := build(l)
			var got bytes.Buffer
			var doc struct {
				Debugger struct {
					Snapshot struct {
						Captures json.RawMessage `json:"captures"`
					} `json:"snapshot"`
				} `json:"debugger"`
			}
			require.NoError(t, json.Unmarshal(l.json(t, args...), &doc))
			require.NoError(t, json.Indent(&got, doc.Debugger.Snapshot.Captures, "", "  "))
			got.WriteByte('\n')
			text := address.ReplaceAll(got.Bytes(), []byte(`"address": "0x…"`))
			path := filepath.Join("testdata", "behind", name+".json")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, text, 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(text))
		})
	}
}

// TestActiveSpan is in the envelope when a context has one.
func TestActiveSpan(t *testing.T) {
	for name, want := range map[string]any{
		"contexts": map[string]any{"trace_id": "00000000000000010000000000000002", "span_id": "9", "parent_id": "3"},
		"sync":     nil,
	} {
		l := newLive(t, plan.Limits{})
		var doc map[string]any
		require.NoError(t, json.Unmarshal(l.json(t, behindCases[name](l)...), &doc))
		require.Equal(t, want, doc["dd"], name)
	}
}

// TestRedactionOfEntries hides what has a sensitive key, however deep and of
// whatever type the key is, and what may have one.
func TestRedactionOfEntries(t *testing.T) {
	type header map[string][]string
	type field string
	const secret = "hunter2"
	v := struct {
		Nested map[string]map[string]map[string]string
		Header header
		Named  map[field]string
		Any    map[any]any
		In     any
		List   []map[string]*string
	}{
		Nested: map[string]map[string]map[string]string{"a": {"password": {"x": secret}, "b": {"API_KEY": secret}}},
		Header: header{"Authorization": {secret}, "X-Api-Key": {secret}},
		Named:  map[field]string{"client_secret": secret},
		Any:    map[any]any{"token": secret, field("jwt"): secret, 3: "shown"},
		In:     map[string]any{"credentials": map[string]any{"user": secret}},
		List:   []map[string]*string{{"cookie": new(secret)}},
	}
	for _, limits := range []plan.Limits{{}, {Length: 3}, {Depth: 1}, {Depth: 9, Length: 1}, {Collection: 1}} {
		l := newLive(t, limits)
		l.typ(reflect.TypeFor[map[string]any]())
		out := string(l.json(t, arg{"v", &v}))
		require.NotContains(t, out, `"value":"h`, "%+v", limits)
		if limits == (plan.Limits{}) {
			require.Equal(t, 9, strings.Count(out, "redactedIdent"), out)
			require.Contains(t, out, `"value":"shown"`)
		}
	}
}

// TestEntriesAreInOrder makes the same maps again: each has a hash of its own,
// and their snapshots are the same.
func TestEntriesAreInOrder(t *testing.T) {
	type place struct {
		Name string
		At   [2]float32
	}
	type all struct {
		Floats  map[float64]int
		Arrays  map[[2]int8]int
		Structs map[place]int
		Any     map[any]int
		Shapes  map[shape]int
	}
	documents := map[string]bool{}
	for range 5 {
		v := all{map[float64]int{}, map[[2]int8]int{}, map[place]int{}, map[any]int{}, map[shape]int{}}
		for i := range 20 {
			v.Floats[float64(i)-9.5] = i
			v.Arrays[[2]int8{int8(i % 3), int8(-i)}] = i
			v.Structs[place{strconv.Itoa(i % 4), [2]float32{1, float32(i)}}] = i
			v.Any[[...]any{i, strconv.Itoa(i), float64(i), place{Name: strconv.Itoa(i)}}[i%4]] = i
			v.Shapes[square{float64(i)}] = i
		}
		l := newLive(t, plan.Limits{})
		l.typ(reflect.TypeFor[square]())
		documents[fmt.Sprint(parse(t, l.json(t, arg{"v", &v})))] = true
	}
	require.Len(t, documents, 1)
}

// TestMapsOfEverySize captures maps as they grow and shrink: every entry, or as
// many as the limit allows and the reason.
func TestMapsOfEverySize(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 14, 15, 28, 29, 100, 101, 448, 449, 897, 1000, 5000, 50_000} {
		for _, rest := range []int{n, n / 3} {
			m := grown(n, rest)
			for _, limit := range []int{1, 100, 2000} {
				l := newLive(t, plan.Limits{Collection: limit})
				got := parse(t, l.json(t, arg{"m", &m}))["m"].(map[string]any)
				require.Equal(t, strconv.Itoa(rest), got["size"])
				entries := got["entries"].([]any)
				require.Len(t, entries, min(rest, limit), "%d of %d, limit %d", rest, n, limit)
				seen := map[string]bool{}
				for _, e := range entries {
					pair := e.([]any)
					k := pair[0].(map[string]any)["value"].(string)
					i, err := strconv.Atoi(k)
					require.NoError(t, err)
					require.Equal(t, strconv.Itoa(i*i), pair[1].(map[string]any)["value"])
					require.False(t, seen[k])
					seen[k] = true
				}
				if rest > limit {
					require.Equal(t, "collectionSize", got["notCapturedReason"])
				} else {
					require.NotContains(t, got, "notCapturedReason")
				}
			}
		}
	}
}

// parse is the arguments of a snapshot.
func parse(tb testing.TB, out []byte) map[string]any {
	tb.Helper()
	var doc map[string]any
	require.NoError(tb, json.Unmarshal(out, &doc))
	for _, key := range []string{"debugger", "snapshot", "captures", "entry", "arguments"} {
		doc = doc[key].(map[string]any)
	}
	return doc
}

// TestDamagedMapsAreBounded decodes maps that claim to have many groups, a thousand
// times: what is looked for is bounded for all of them together.
func TestDamagedMapsAreBounded(t *testing.T) {
	const maps = 1000
	for _, buckets := range []bool{false, true} {
		l := newLive(t, plan.Limits{Collection: maps})
		m := squares(20)
		e := l.event(t, arg{"maps", new(slices.Repeat([]map[int]int{m}, maps))})
		word := binary.LittleEndian.AppendUint64
		var header, directory []byte
		for range 8 {
			header = word(header, 0x1010)
		}
		for i := range uint64(1024) {
			directory = word(directory, 0x2000_0000+i<<20)
		}
		for i := range e.Items {
			if e.Items[i].Addr == uint64(reflect.ValueOf(m).Pointer()) {
				e.Items[i].Data = header
				e.Items = append(e.Items, event.Item{Type: e.Items[i].Type, Addr: 0x1010, Data: directory})
			}
		}
		if buckets {
			l.table.Runtime.Swiss, l.table.Runtime.Hash = nil, &gotype.HashLayout{Flags: 8, B: 9, Buckets: 16, OldBuckets: 24, SameSize: 8}
		}
		layout, err := snapshot.NewLayout(l.plan, snapshot.Redaction{})
		require.NoError(t, err)
		s := snapshot.NewDecoder(deps()).Decode(layout, e)
		out := s.AppendJSON(nil)
		require.Equal(t, maps, strings.Count(string(out), `"notCapturedReason":"pruned"`))
		require.Negative(t, s.Lookups())
		require.GreaterOrEqual(t, s.Lookups(), -2*maps)
	}
}

// FuzzDecodeBehind feeds arbitrary bytes as items to a plan with everything that
// the runtime keeps behind a word.
func FuzzDecodeBehind(f *testing.F) {
	layouts, types := map[bool]*snapshot.Layout{}, 0
	for _, buckets := range []bool{false, true} {
		l := newLive(f, plan.Limits{Depth: 9, Collection: 50, Fields: 40})
		var args []arg
		for _, name := range []string{"channels", "functions", "interfaces", "zones", "sync"} {
			args = append(args, behindCases[name](l)...)
		}
		args = append(args, arg{"map", new(map[string]map[int]*order{"a": {1: {1, "tea", 2}}})}, arg{"many", new(squares(20))})
		f.Add(pack(l.event(f, args...).Items), buckets)
		if buckets {
			l.table.Runtime.Swiss, l.table.Runtime.Hash = nil, &gotype.HashLayout{Flags: 8, B: 9, Buckets: 16, OldBuckets: 24, SameSize: 8}
		}
		layout, err := snapshot.NewLayout(l.plan, snapshot.Redaction{})
		require.NoError(f, err)
		layouts[buckets], types = layout, l.table.Len()
	}
	f.Fuzz(func(t *testing.T, data []byte, buckets bool) {
		s := snapshot.NewDecoder(deps()).Decode(layouts[buckets], &event.Event{Items: unpack(data, types)})
		out := s.AppendJSON(nil)
		require.LessOrEqual(t, len(out), 1<<20)
		checkSchema(t, out)
		s.AppendText(nil)
		s.AppendTree(nil)
	})
}
