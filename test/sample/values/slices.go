package main

//go:noinline
func sliceInts(v []int) { use(v) }

//go:noinline
func sliceBytes(v []byte) { use(v) }

//go:noinline
func sliceNil(v []int) { use(v) }

//go:noinline
func sliceEmpty(v []int) { use(v) }

//go:noinline
func sliceWithRoom(v []int16) { use(v) }

//go:noinline
func sliceOfStrings(v []string) { use(v) }

//go:noinline
func sliceNested(v [][]int) { use(v) }

//go:noinline
func sliceOfStructs(v []pair) { use(v) }

//go:noinline
func sliceOfEmptyStructs(v []struct{}) { use(v) }

//go:noinline
func sliceOfPointers(v []*pair) { use(v) }

//go:noinline
func sliceOfInterfaces(v []any) { use(v) }

//go:noinline
func sliceOfArrays(v [][2]uint8) { use(v) }

//go:noinline
func sliceHuge(v []int32) { use(v) }

// More bytes than one item of an event holds, within the limit of elements.
//
//go:noinline
func sliceOfLarge(v [][512]byte) { use(v) }

//go:noinline
func sliceThree(a, b, c []uint8) { use(a); use(b); use(c) }

func init() {
	const s = "slices"
	add(s, "main.sliceInts", func() { sliceInts([]int{1, 2, 3}) })
	add(s, "main.sliceBytes", func() { sliceBytes([]byte("abc")) })
	add(s, "main.sliceNil", func() { sliceNil(nil) })
	add(s, "main.sliceEmpty", func() { sliceEmpty([]int{}) })
	add(s, "main.sliceWithRoom", func() { sliceWithRoom(append(make([]int16, 0, 10), 1, 2)) })
	add(s, "main.sliceOfStrings", func() { sliceOfStrings([]string{"one", "", "three"}) })
	add(s, "main.sliceNested", func() { sliceNested([][]int{{1}, nil, {}, {2, 3}}) })
	add(s, "main.sliceOfStructs", func() { sliceOfStructs([]pair{{1, 2}, {3, 4}}) })
	add(s, "main.sliceOfEmptyStructs", func() { sliceOfEmptyStructs(make([]struct{}, 3)) })
	add(s, "main.sliceOfPointers", func() { sliceOfPointers([]*pair{{1, 2}, nil}) })
	add(s, "main.sliceOfInterfaces", func() { sliceOfInterfaces([]any{1, "two", nil, pair{3, 4}}) })
	add(s, "main.sliceOfArrays", func() { sliceOfArrays([][2]uint8{{1, 2}, {3, 4}}) })
	add(s, "main.sliceHuge", func() { sliceHuge(make([]int32, 1_000_000)) })
	add(s, "main.sliceOfLarge", func() { sliceOfLarge(make([][512]byte, 40)) })
	add(s, "main.sliceThree", func() { sliceThree([]uint8{1}, nil, []uint8{2, 3}) })
}
