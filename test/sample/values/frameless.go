package main

// Leaves without a frame: there is no PUSH RBP, and the return address is on top
// of the stack.

//go:noinline
func framelessNothing() {}

//go:noinline
func framelessAdd(a, b int) int { return a + b }

//go:noinline
func framelessLength(v string) int { return len(v) }

//go:noinline
func framelessField(v *pair) int { return v.Right }

//go:noinline
func framelessLoop(values []int) (sum int) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func init() {
	const s = "frameless"
	add(s, "main.framelessNothing", func() { framelessNothing() })
	add(s, "main.framelessAdd", func() { use(framelessAdd(1, 2)) })
	add(s, "main.framelessLength", func() { use(framelessLength("four")) })
	add(s, "main.framelessField", func() { use(framelessField(&pair{1, 2})) })
	add(s, "main.framelessLoop", func() { use(framelessLoop([]int{1, 2, 3})) })
}
