// Command scope has lines that name the variables in scope after two slashes and
// a colon.
package main

import (
	"fmt"
	"os"
)

type point struct{ x, y int }

//go:noinline
func use(args ...any) { fmt.Fprintln(os.Stderr, args...) }

//go:noinline
func blocks(n int, text string) (total int) {
	before := n * 2 //: n text total
	for i := range n {
		square := i * i //: n text total before i
		total += square //: n text total before i square
	}
	if total > before {
		n := "inner" //: n text total before
		use(n, text) //: n text total before
	}
	use(total, before, text) //: n text total before
	return total
}

//go:noinline
func closures(base int) func(int) int {
	count := 0
	step := base + len(os.Args)
	return func(n int) int {
		count += n       //: n count step
		use(count, step) //: n count step
		return count     //: n count step
	}
}

//go:noinline
func escapes(n int) *point {
	p := point{n, n} //: n
	use(&p)          //: n p
	return &p
}

func (p point) area(scale int) int {
	side := p.x * scale //: p scale
	return side * p.y   //: p scale side
}

func inner(a int) int {
	doubled := a * 2              //: a
	return doubled + len(os.Args) //: a doubled
}

func outer(b int) int {
	sum := inner(b) + inner(b+1) //: b
	return sum
}

//go:noinline
func Generic[T any](list []T, pick func(T) bool) (out []T) {
	for _, v := range list {
		if pick(v) { //: list pick out v
			out = append(out, v) //: list pick out v
		}
	}
	return out
}

func main() {
	use(blocks(len(os.Args), "text"))
	use(closures(3)(4))
	use(escapes(len(os.Args)))
	use(point{len(os.Args), 2}.area(3))
	use(outer(len(os.Args)))
	method := point{1, len(os.Args)}.area
	use(method(len(os.Args)))
	use(Generic([]int{1, 2}, func(n int) bool { return n > 1 }))
	use(Generic([]string{"a"}, func(s string) bool { return s != "" }))
	use(bounded(len(os.Args), 9))
}

//go:noinline
func bounded(n, most int) int {
	if n += 3; n > most { //: n most
		return most
	}
	return n
}
