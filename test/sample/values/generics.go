package main

type ordered interface{ ~int | ~string }

type stack[T any] struct {
	Items []T
}

type entry[K comparable, V any] struct {
	Key   K
	Value V
}

//go:noinline
func genericOne[T any](v T) { use(v) }

//go:noinline
func genericMax[T ordered](a, b T) T {
	use(a)
	if a > b {
		return a
	}
	return b
}

//go:noinline
func genericTwo[K comparable, V any](k K, v V, all map[K]V) { use(k); use(v); use(all) }

//go:noinline
func genericPointer[T any](v *T) { use(v) }

//go:noinline
func genericSlice[S ~[]E, E any](v S) { use(v) }

//go:noinline
func (s *stack[T]) Push(v T) { s.Items = append(s.Items, v) }

//go:noinline
func (e entry[K, V]) Show(prefix string) { use(e); use(prefix) }

// Its results have what they lead to.
//
//go:noinline
func genericResults[K comparable, V any](k K, v *V) (*V, []entry[K, V], map[K]V, error) {
	use(k)
	return v, []entry[K, V]{{k, *v}}, map[K]V{k: *v}, nil
}

// genericClosure returns a function literal, which is what the probe is on.
//
//go:noinline
func genericClosure[T any](kept T) func(T) {
	return func(v T) { use(v); use(kept) }
}

// genericTable has closures of two types of one shape, by value and by reference.
//
//go:noinline
func genericTable[K comparable, V any](key K, value V) func(n int) {
	count := 0
	return func(n int) {
		count += n
		use(key)
		use(value)
		use(count)
	}
}

// genericPointers has results that are pointers to what is not known until run
// time.
//
//go:noinline
func genericPointers[T any](v T) (T, []T, map[string]T) {
	use(v)
	return v, []T{v}, map[string]T{"v": v}
}

func init() {
	const s = "generics"
	add(s, "main.genericTable[...].func1", func() { genericTable(name("k"), label("v"))(2) })
	add(s, "main.genericPointers", func() { genericPointers(&pair{1, 2}) })
	add(s, "main.genericOne", func() { genericOne(pair{1, 2}) })
	add(s, "main.genericMax[go.shape.string]", func() { genericMax("a", "b") })
	add(s, "main.genericMax[go.shape.int]", func() { genericMax(weight(3), 2) })
	add(s, "main.genericTwo", func() { genericTwo(name("k"), 1, map[name]int{"k": 1}) })
	add(s, "main.genericResults", func() { _, _, _, _ = genericResults(name("k"), &base{1, "one"}) })
	add(s, "main.genericPointer", func() { genericPointer(&base{1, "one"}) })
	add(s, "main.genericSlice", func() { genericSlice(flags{true, false}) })
	add(s, "main.(*stack[...]).Push", func() { (&stack[port]{[]port{1}}).Push(443) })
	add(s, "main.entry[...].Show", func() { entry[string, []string]{"k", []string{"v"}}.Show("> ") })
	add(s, "main.genericClosure[...].func1", func() { genericClosure(label("kept"))("given") })
}

type (
	weight int
	flags  []bool
	port   uint16
	label  string
)
