package main

// The functions between the caller and the probed one have no frame of their
// own: its stack shows them all the same.

func inlinedOuter(n int) { inlinedMiddle(n + 1) }

func inlinedMiddle(n int) { inlinedInner(n + 1) }

func inlinedInner(n int) { inlineLeaf(n + 1) }

//go:noinline
func inlineLeaf(n int) { use(n) }

func inlinedSum(values []int) (sum int) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// Its body is that of two calls of inlinedSum.
//
//go:noinline
func inlineCaller(values []int) { use(inlinedSum(values) - inlinedSum(values[1:])) }

// A function literal, called where it stands.
//
//go:noinline
func inlineLiteral(n int) {
	func(m int) { inlineBelowLiteral(m) }(n + 1)
}

//go:noinline
func inlineBelowLiteral(m int) { use(m) }

// Calls itself before the probed function is called.
//
//go:noinline
func inlineRecursive(depth int) {
	if depth > 0 {
		inlineRecursive(depth - 1)
		return
	}
	inlineBelowRecursion("bottom")
}

//go:noinline
func inlineBelowRecursion(v string) { use(v) }

func init() {
	const s = "inlining"
	add(s, "main.inlineLeaf", func() { inlinedOuter(1) })
	add(s, "main.inlineCaller", func() { inlineCaller([]int{1, 2, 3}) })
	add(s, "main.inlinedSum", func() { inlineCaller([]int{1, 2, 3}) })
	add(s, "main.inlineBelowLiteral", func() { inlineLiteral(1) })
	add(s, "main.inlineBelowRecursion", func() { inlineRecursive(5) })
}
