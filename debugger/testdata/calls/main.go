// Command calls is a program whose calls are probed at both ends, at lines and
// where they were inlined. It runs the commands of its standard input, "divide 3",
// and answers each with "done".
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
)

var errDivisor = errors.New("divisor is zero")

// divide has two returns and named results.
//
//go:noinline
func divide(a, b int) (quotient int, err error) {
	if b == 0 {
		return 0, errDivisor
	}
	return a / b, nil
}

// name has one result without a name.
//
//go:noinline
func name(n int) string {
	return fmt.Sprint("number ", n)
}

// nothing returns nothing.
//
//go:noinline
func nothing(n int) {
	sink += n
}

// depth recurses with frames that make the stack grow, and is moved.
//
//go:noinline
func depth(n int) int {
	var pad [512]byte
	pad[n%len(pad)] = byte(n)
	if n == 0 {
		return int(pad[0])
	}
	return depth(n-1) + 1 + int(pad[(n+1)%len(pad)])
}

// rescue recovers the panic of fall.
//
//go:noinline
func rescue(n int) (text string) {
	defer func() { text = fmt.Sprint("recovered ", recover()) }()
	fall(n)
	return "not reached"
}

//go:noinline
func fall(n int) int {
	if n >= 0 {
		panic(n)
	}
	return n
}

// leave ends its goroutine.
//
//go:noinline
func leave(n int) int {
	if n >= 0 {
		runtime.Goexit()
	}
	return n
}

// double is inlined into its callers.
func double(n int) int {
	d := n + n
	sink += d
	return d
}

// twice calls an inlined function, and has a line with locals.
//
//go:noinline
func twice(n int) int {
	square := n * n
	text := name(square) // line probe
	return double(square) + len(text)
}

// once has the other copy.
//
//go:noinline
func once(n int) int { return double(n) - 1 }

// Shape is implemented by more types than a plan begins with.
type Shape interface{ Area() int }

type box[T any] struct {
	Content T
	Side    int
}

func (b box[T]) Area() int { return b.Side * b.Side }

type (
	crate  struct{ Boxes []any }
	weight struct{ Grams int64 }
)

// show takes what the probe does not know.
//
//go:noinline
func show(value any) { sink += len(fmt.Sprintf("%T", value)) }

// Pair is generic.
type Pair[T any] struct{ A, B T }

//go:noinline
func swap[T any](p Pair[T]) Pair[T] { return Pair[T]{p.B, p.A} }

var sink int

func run(command string, n int) {
	switch command {
	case "divide":
		q, err := divide(84, n)
		sink += q
		if err != nil {
			sink++
		}
	case "name":
		sink += len(name(n))
	case "nothing":
		nothing(n)
	case "depth":
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if depth(n) != n {
					panic("wrong depth")
				}
			})
		}
		wg.Wait()
	case "rescue":
		sink += len(rescue(n))
	case "leave":
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			sink += leave(n)
		}()
		wg.Wait()
	case "twice":
		sink += twice(n)
		sink += once(n)
	case "show":
		show(&crate{Boxes: []any{box[weight]{weight{int64(n)}, 2}, &box[string]{"paper", 3}}})
	case "swap":
		sink += swap(Pair[int]{n, 2}).A
		sink += len(swap(Pair[string]{"left", "right"}).A)
	}
}

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var command string
		var n int
		_, _ = fmt.Sscan(in.Text(), &command, &n)
		run(command, n)
		fmt.Println("done")
	}
}
