package snapshot_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// truth makes random values of random types, and what a snapshot without limits
// says about them, by its own means.
type truth struct {
	r    *rand.Rand
	left int // values that may still be made
}

// comparable kinds for keys of maps, and the others.
var (
	scalars = []reflect.Type{
		reflect.TypeFor[bool](), reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
		reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[string](),
	}
	others = []reflect.Type{
		reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128](), reflect.TypeFor[uintptr](),
		reflect.TypeFor[any](), reflect.TypeFor[*node](), reflect.TypeFor[map[string]any](), reflect.TypeFor[[]any](), reflect.TypeFor[struct{}](),
	}
	// dynamic are what an empty interface holds.
	dynamic = slices.Concat(scalars, others[:4], []reflect.Type{reflect.TypeFor[*node](), reflect.TypeFor[order](), reflect.TypeFor[[]int](), reflect.TypeFor[map[int]string](), reflect.TypeFor[box]()})
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// typ is a random type.
func (g *truth) typ(depth int) reflect.Type {
	if depth == 0 {
		return pick(g.r, append(scalars, others...))
	}
	switch g.r.IntN(8) {
	case 0:
		return reflect.PointerTo(g.typ(depth - 1))
	case 1:
		return reflect.SliceOf(g.typ(depth - 1))
	case 2:
		return reflect.ArrayOf(g.r.IntN(4), g.typ(depth-1))
	case 3:
		return reflect.MapOf(pick(g.r, scalars), g.typ(depth-1))
	case 4:
		return reflect.ChanOf(reflect.BothDir, g.typ(depth-1))
	case 5, 6:
		var fields []reflect.StructField
		for i := range g.r.IntN(5) {
			fields = append(fields, reflect.StructField{Name: fmt.Sprint("F", i), Type: g.typ(depth - 1)})
		}
		return reflect.StructOf(fields)
	}
	return g.typ(0)
}

// value fills v, which can be set, and returns the truth about it.
func (g *truth) value(v reflect.Value) map[string]any {
	out := map[string]any{"type": nameOfType(v.Type())}
	g.fill(v, out)
	return out
}

// few is a number of elements.
func (g *truth) few() int {
	if g.left <= 0 || g.r.IntN(4) == 0 {
		return 0
	}
	n := g.r.IntN(4)
	if g.r.IntN(10) == 0 {
		n = g.r.IntN(20)
	}
	g.left -= n
	return n
}

// null makes a value stay nil, sometimes, and at the end of the budget always.
func (g *truth) null(out map[string]any) bool {
	g.left--
	if g.left > 0 && g.r.IntN(5) > 0 {
		return false
	}
	out["isNull"] = true
	return true
}

func (g *truth) fill(v reflect.Value, out map[string]any) {
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(g.r.IntN(2) == 0)
		out["value"] = strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(g.r.Uint64()) >> g.r.IntN(64) << (64 - 8*t.Size()) >> (64 - 8*t.Size()))
		out["value"] = strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(g.r.Uint64() << (64 - 8*t.Size()) >> (64 - 8*t.Size()))
		out["value"] = strconv.FormatUint(v.Uint(), 10)
	case reflect.Uintptr:
		v.SetUint(g.r.Uint64())
		out["value"] = fmt.Sprintf("0x%x", v.Uint())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(g.float())
		out["value"] = strconv.FormatFloat(v.Float(), 'f', -1, int(8*t.Size()))
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(g.r.IntN(100)), float64(g.r.IntN(100)-50)))
		c := v.Complex()
		out["value"] = fmt.Sprintf("(%g%+gi)", real(c), imag(c))
	case reflect.String:
		v.SetString(string(slices.Repeat([]rune{rune('a' + g.r.IntN(26)), 'é', '"'}, g.r.IntN(30))))
		out["value"] = v.String()
	case reflect.Pointer:
		if g.null(out) {
			return
		}
		v.Set(reflect.New(t.Elem()))
		g.fill(v.Elem(), out)
	case reflect.Struct:
		fields := map[string]any{}
		for i := range t.NumField() {
			f := v.Field(i)
			if !f.CanSet() {
				f = reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
			}
			fields[t.Field(i).Name] = g.value(f)
		}
		out["fields"] = fields
	case reflect.Array:
		out["size"] = strconv.Itoa(v.Len())
		out["elements"] = g.elements(v)
	case reflect.Slice:
		if g.null(out) {
			return
		}
		n := g.few()
		v.Set(reflect.MakeSlice(t, n, n+g.r.IntN(2)))
		out["size"] = strconv.Itoa(n)
		if v.Cap() != n {
			out["capacity"] = strconv.Itoa(v.Cap())
		}
		out["elements"] = g.elements(v)
	case reflect.Map:
		if g.null(out) {
			return
		}
		g.mapping(v, out)
	case reflect.Chan:
		if g.null(out) {
			return
		}
		g.channel(v, out)
	case reflect.Interface:
		if g.null(out) {
			return
		}
		held := reflect.New(pick(g.r, dynamic)).Elem()
		data := g.value(held)
		v.Set(held)
		out["fields"] = map[string]any{"data": data}
	default:
		panic(t)
	}
}

func (g *truth) float() float64 {
	return pick(g.r, []float64{0, 1, -1.5, 1e20, 1e-9, math.Inf(1), math.NaN(), math.MaxFloat32, g.r.NormFloat64()})
}

func (g *truth) elements(v reflect.Value) []any {
	out := []any{}
	for i := range v.Len() {
		out = append(out, g.value(v.Index(i)))
	}
	return out
}

func (g *truth) mapping(v reflect.Value, out map[string]any) {
	t := v.Type()
	v.Set(reflect.MakeMap(t))
	type pair struct {
		key  reflect.Value
		both []any
	}
	var pairs []pair
	for range g.few() {
		key, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		k := g.value(key)
		if v.MapIndex(key).IsValid() {
			continue
		}
		e := g.value(elem)
		v.SetMapIndex(key, elem)
		pairs = append(pairs, pair{key, []any{k, e}})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		switch {
		case a.key.CanInt():
			return compare(a.key.Int(), b.key.Int())
		case a.key.CanUint():
			return compare(a.key.Uint(), b.key.Uint())
		case a.key.Kind() == reflect.Bool:
			return compare(strconv.FormatBool(a.key.Bool()), strconv.FormatBool(b.key.Bool()))
		}
		return compare(a.key.String(), b.key.String())
	})
	entries := []any{}
	for _, p := range pairs {
		entries = append(entries, p.both)
	}
	out["size"], out["entries"] = strconv.Itoa(len(pairs)), entries
}

func compare[T int64 | uint64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (g *truth) channel(v reflect.Value, out map[string]any) {
	t := v.Type()
	n := g.few()
	v.Set(reflect.MakeChan(t, n+g.r.IntN(3)))
	zero := reflect.Zero(t.Elem())
	if v.Cap() > 0 {
		for range g.r.IntN(v.Cap()) { // the ring does not begin at its start
			v.Send(zero)
			v.Recv()
		}
	}
	elements := []any{}
	for range n {
		elem := reflect.New(t.Elem()).Elem()
		elements = append(elements, g.value(elem))
		v.Send(elem)
	}
	out["size"], out["capacity"], out["elements"] = strconv.Itoa(n), strconv.Itoa(v.Cap()), elements
	if g.r.IntN(3) == 0 {
		v.Close()
		out["closed"] = true
	}
}

// withoutAddresses removes what the truth does not know.
func withoutAddresses(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "address")
		for _, part := range v {
			withoutAddresses(part)
		}
	case []any:
		for _, part := range v {
			withoutAddresses(part)
		}
	}
	return v
}

// graphs is how many random values are captured; the environment can ask for
// more.
func graphs(tb testing.TB) int {
	tb.Helper()
	text := os.Getenv("VIGIL_TRUTH_GRAPHS")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	require.NoError(tb, err)
	return n
}

// TestTruth captures random values of random types with the reference
// interpreter: the snapshot is what was made.
func TestTruth(t *testing.T) {
	for seed := range graphs(t) {
		g := &truth{r: rand.New(rand.NewPCG(uint64(seed), 7)), left: 150}
		v := reflect.New(g.typ(1 + g.r.IntN(4)))
		want := g.value(v.Elem())
		l := newLive(t, plan.Limits{Depth: 60, Collection: 1000, Length: 8000, Fields: 100})
		for _, d := range dynamic {
			l.typ(d)
		}
		got := withoutAddresses(parse(t, l.json(t, arg{"v", v.Interface()}))["v"])
		require.Equal(t, any(want), got, "seed %d, %s", seed, v.Type().Elem())
	}
}

// TestTruthWithinLimits is the same with limits that are hit: what is there is
// true, and what is not has a reason on the value it is missing from.
func TestTruthWithinLimits(t *testing.T) {
	reasons := map[any]int{}
	for seed := range graphs(t) {
		g := &truth{r: rand.New(rand.NewPCG(uint64(seed), 8)), left: 250}
		v := reflect.New(g.typ(2 + g.r.IntN(4)))
		want := g.value(v.Elem())
		l := newLive(t, plan.Limits{Depth: 1 + g.r.IntN(3), Collection: 1 + g.r.IntN(3), Length: 1 + g.r.IntN(20), Fields: 1 + g.r.IntN(3)})
		for _, d := range dynamic[:g.r.IntN(len(dynamic))] {
			l.typ(d)
		}
		got := withoutAddresses(parse(t, l.json(t, arg{"v", v.Interface()}))["v"])
		if err := partOf(want, got, reasons); err != nil {
			t.Fatalf("seed %d, %s: %v\nwant %v\ngot %v", seed, v.Type().Elem(), err, want, got)
		}
	}
	t.Log(reasons)
	for _, r := range []string{"depth", "collectionSize", "fieldCount", "missing type information"} {
		require.Positive(t, reasons[r], r)
	}
}

// partOf checks that a captured value is a part of the true one, and that it says
// why when it is not all of it.
func partOf(want, got any, reasons map[any]int) error {
	w, g := want.(map[string]any), got.(map[string]any)
	why := g["notCapturedReason"]
	if why != nil {
		reasons[why]++
	}
	for key, value := range w {
		have, ok := g[key]
		switch {
		case !ok && why != nil:
		case !ok:
			return fmt.Errorf("%v has no %s and no reason", g, key)
		case key == "fields":
			fields, all := have.(map[string]any), value.(map[string]any)
			if len(fields) < len(all) && why == nil {
				return fmt.Errorf("%v lacks fields without a reason", g)
			}
			for name, f := range fields {
				if err := partOf(all[name], f, reasons); err != nil {
					return err
				}
			}
		case key == "elements":
			elements, all := have.([]any), value.([]any)
			if len(elements) < len(all) && why == nil || len(elements) > len(all) {
				return fmt.Errorf("%v has %d elements of %d", g, len(elements), len(all))
			}
			for i, e := range elements {
				if err := partOf(all[i], e, reasons); err != nil {
					return err
				}
			}
		case key == "entries":
			entries, all := have.([]any), value.([]any)
			if len(entries) < len(all) && why == nil || len(entries) > len(all) {
				return fmt.Errorf("%v has %d entries of %d", g, len(entries), len(all))
			}
			for _, e := range entries {
				if !slices.ContainsFunc(all, func(a any) bool {
					return partOf(a.([]any)[0], e.([]any)[0], map[any]int{}) == nil && partOf(a.([]any)[1], e.([]any)[1], map[any]int{}) == nil
				}) {
					return fmt.Errorf("no such entry: %v", e)
				}
			}
		case key == "value" && g["truncated"] == true:
			if text := have.(string); len(text) >= len(value.(string)) || value.(string)[:len(text)] != text {
				return fmt.Errorf("%q is no start of %q", have, value)
			}
		case !reflect.DeepEqual(have, value):
			return fmt.Errorf("%s is %v, want %v", key, have, value)
		}
	}
	return nil
}
