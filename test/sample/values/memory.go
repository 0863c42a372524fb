package main

var global = pair{1, 2}

// A pointer into the stack of the caller.
//
//go:noinline
func memoryStack(v *pair) int { use(v.Left); return v.Right }

//go:noinline
func memoryHeap(v *pair) { use(v) }

//go:noinline
func memoryGlobal(v *pair) { use(v) }

// A string in the read-only part of the binary, which may not be in memory yet.
//
//go:noinline
func memoryReadOnly(v string) { use(v) }

// The argument moves to the heap when the function begins.
//
//go:noinline
func memoryEscapes(v pair) *pair { use(v); return &v }

// Its frame does not fit on the stack there is: it begins twice.
//
//go:noinline
func memoryGrowsStack(v int) int {
	var frame [64 << 10]byte
	frame[v] = byte(v)
	use(v)
	return int(frame[v/2])
}

// A pointer into the middle of another object.
//
//go:noinline
func memoryInterior(v *int) { use(v) }

const (
	rare = "a text that nobody has read before"
)

func init() {
	const s = "memory"
	add(s, "main.memoryStack", func() {
		v := pair{1, 2}
		use(memoryStack(&v))
	})
	add(s, "main.memoryHeap", func() { memoryHeap(&pair{1, 2}) })
	add(s, "main.memoryGlobal", func() { memoryGlobal(&global) })
	add(s, "main.memoryReadOnly", func() { memoryReadOnly(rare) })
	add(s, "main.memoryEscapes", func() { memoryEscapes(pair{1, 2}) })
	add(s, "main.memoryGrowsStack", func() {
		done := make(chan bool)
		go func() {
			use(memoryGrowsStack(10))
			close(done)
		}()
		<-done
	})
	add(s, "main.memoryInterior", func() { memoryInterior(&[]pair{{1, 2}, {3, 4}}[1].Right) })
}
