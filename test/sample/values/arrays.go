package main

type pair struct {
	Left, Right int
}

//go:noinline
func arrayOne(v [1]int) { use(v) }

//go:noinline
func arrayInts(v [3]int) { use(v) }

//go:noinline
func arrayBools(v [4]bool) { use(v) }

//go:noinline
func arrayStrings(v [2]string) { use(v) }

//go:noinline
func arrayEmpty(v [0]int) { use(v) }

//go:noinline
func arrayNested(v [2][3]int8) { use(v) }

//go:noinline
func arrayOfStructs(v [2]pair) { use(v) }

//go:noinline
func arrayOfEmptyStructs(v [3]struct{}) { use(v) }

//go:noinline
func arrayOfMaps(v [2]map[string]int) { use(v) }

//go:noinline
func arrayOfPointers(v [3]*int) { use(v) }

//go:noinline
func arrayOfInterfaces(v [2]any) { use(v) }

//go:noinline
func arrayLong(v [150]uint8) { use(v) }

// An array of more bytes than one item of an event holds.
//
//go:noinline
func arrayVeryLarge(v *[1 << 16]int64) { use(v) }

// On the stack of its caller.
//
//go:noinline
func arrayVeryLargeOnStack(v [1200]int64) { use(v) }

func init() {
	const s = "arrays"
	add(s, "main.arrayOne", func() { arrayOne([1]int{1}) })
	add(s, "main.arrayInts", func() { arrayInts([3]int{1, -2, 3}) })
	add(s, "main.arrayBools", func() { arrayBools([4]bool{true, false, true, true}) })
	add(s, "main.arrayStrings", func() { arrayStrings([2]string{"one", ""}) })
	add(s, "main.arrayEmpty", func() { arrayEmpty([0]int{}) })
	add(s, "main.arrayNested", func() { arrayNested([2][3]int8{{1, 2, 3}, {4, 5, 6}}) })
	add(s, "main.arrayOfStructs", func() { arrayOfStructs([2]pair{{1, 2}, {3, 4}}) })
	add(s, "main.arrayOfEmptyStructs", func() { arrayOfEmptyStructs([3]struct{}{}) })
	add(s, "main.arrayOfMaps", func() { arrayOfMaps([2]map[string]int{{"one": 1, "two": 2}, nil}) })
	add(s, "main.arrayOfPointers", func() {
		n := 7
		arrayOfPointers([3]*int{&n, nil, &n})
	})
	add(s, "main.arrayOfInterfaces", func() { arrayOfInterfaces([2]any{1, "two"}) })
	add(s, "main.arrayLong", func() { arrayLong([150]uint8{0: 1, 99: 2, 100: 3}) })
	add(s, "main.arrayVeryLarge", func() { arrayVeryLarge(&[1 << 16]int64{1, 2, 3}) })
	add(s, "main.arrayVeryLargeOnStack", func() { arrayVeryLargeOnStack([1200]int64{1, 2, 3}) })
}
