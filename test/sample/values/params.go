package main

// More than the nine integer registers hold.
//
//go:noinline
func paramsMany(a int8, b int16, c int32, d int64, e uint8, f uint16, g uint32, h uint64, i bool, j, k int) {
	use(a)
	use(b)
	use(c)
	use(d)
	use(e)
	use(f)
	use(g)
	use(h)
	use(i)
	use(j)
	use(k)
}

//go:noinline
func paramsMixed(a string, b []int, c map[string]bool, d any, e *pair) {
	use(a)
	use(b)
	use(c)
	use(d)
	use(e)
}

// The strings after the fourth have no registers left.
//
//go:noinline
func paramsStrings(a, b, c, d, e, f string) {
	use(a)
	use(b)
	use(c)
	use(d)
	use(e)
	use(f)
}

//go:noinline
func paramsFloatsBetween(a int, b float64, c string, d float32) { use(a); use(b); use(c); use(d) }

//go:noinline
func paramsVariadic(format string, args ...any) { use(format); use(args) }

//go:noinline
func paramsBlank(_ int, a string, _ bool) { use(a) }

//go:noinline
func paramsNone() { use(0) }

//go:noinline
func paramsUnused(a int, b string, c *pair) {}

//go:noinline
func paramsLargeStruct(a int, v big, b int) { use(a); use(v); use(b) }

func init() {
	const s = "parameters"
	add(s, "main.paramsMany", func() { paramsMany(1, 2, 3, 4, 5, 6, 7, 8, true, 10, 11) })
	add(s, "main.paramsMixed", func() { paramsMixed("a", []int{1}, map[string]bool{"c": true}, 4, &pair{5, 6}) })
	add(s, "main.paramsStrings", func() { paramsStrings("a", "b", "c", "d", "e", "f") })
	add(s, "main.paramsFloatsBetween", func() { paramsFloatsBetween(1, 2.5, "three", 4.5) })
	add(s, "main.paramsVariadic", func() { paramsVariadic("%d %s", 1, "two") })
	add(s, "main.paramsBlank", func() { paramsBlank(1, "a", true) })
	add(s, "main.paramsNone", paramsNone)
	add(s, "main.paramsUnused", func() { paramsUnused(1, "two", &pair{3, 4}) })
	add(s, "main.paramsLargeStruct", func() { paramsLargeStruct(1, big{F01: 2, F24: 3}, 4) })
}
