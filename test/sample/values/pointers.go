package main

type node struct {
	Value int
	Next  *node
}

type tree struct {
	Left, Right *tree
	Key         string
}

//go:noinline
func pointerInt(v *int) { use(v) }

//go:noinline
func pointerNil(v *node) { use(v) }

//go:noinline
func pointerString(v *string) { use(v) }

//go:noinline
func pointerStruct(v *pair) { use(v) }

//go:noinline
func pointerEmptyStruct(v *struct{}) { use(v) }

//go:noinline
func pointerSlice(v *[]string) { use(v) }

//go:noinline
func pointerArray(v *[2]string) { use(v) }

//go:noinline
func pointerMap(v *map[string]int) { use(v) }

//go:noinline
func pointerChain(v **int) { use(v) }

// One more than the limit of depth follows.
//
//go:noinline
func pointerLongChain(v *****int) { use(v) }

//go:noinline
func pointerInterface(v *any) { use(v) }

//go:noinline
func pointerLoop(v *node) { use(v) }

// A pointer that is its own pointee.
//
//go:noinline
func pointerSelf(v *self) { use(v) }

type self *self

//go:noinline
func pointerList(v *node) { use(v) }

//go:noinline
func pointerTree(v *tree) { use(v) }

// Two that lead to the same.
//
//go:noinline
func pointerShared(a, b *pair) { use(a); use(b) }

func init() {
	const s = "pointers"
	n, text := 42, "text"
	add(s, "main.pointerInt", func() { pointerInt(&n) })
	add(s, "main.pointerNil", func() { pointerNil(nil) })
	add(s, "main.pointerString", func() { pointerString(&text) })
	add(s, "main.pointerStruct", func() { pointerStruct(&pair{1, 2}) })
	add(s, "main.pointerEmptyStruct", func() { pointerEmptyStruct(&struct{}{}) })
	add(s, "main.pointerSlice", func() { pointerSlice(&[]string{"one", "two"}) })
	add(s, "main.pointerArray", func() { pointerArray(&[2]string{"one", "two"}) })
	add(s, "main.pointerMap", func() { pointerMap(&map[string]int{"one": 1}) })
	p := &n
	add(s, "main.pointerChain", func() { pointerChain(&p) })
	pp := &p
	ppp := &pp
	pppp := &ppp
	add(s, "main.pointerLongChain", func() { pointerLongChain(&pppp) })
	add(s, "main.pointerInterface", func() {
		var v any = pair{1, 2}
		pointerInterface(&v)
	})
	add(s, "main.pointerLoop", func() {
		a, b := &node{Value: 1}, &node{Value: 2}
		a.Next, b.Next = b, a
		pointerLoop(a)
	})
	add(s, "main.pointerSelf", func() {
		var v self
		v = &v
		pointerSelf(&v)
	})
	add(s, "main.pointerList", func() {
		var list *node
		for i := range 6 {
			list = &node{6 - i, list}
		}
		pointerList(list)
	})
	add(s, "main.pointerTree", func() {
		leaf := func(key string) *tree { return &tree{Key: key} }
		pointerTree(&tree{&tree{leaf("a"), leaf("c"), "b"}, &tree{leaf("e"), nil, "f"}, "d"})
	})
	add(s, "main.pointerShared", func() {
		v := &pair{1, 2}
		pointerShared(v, v)
	})
}
