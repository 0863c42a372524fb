// Command params has a function for each kind of parameter.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"
)

type (
	Color  uint8
	Point  struct{ X, Y int32 }
	Empty  struct{}
	Padded struct {
		Flag bool
		N    int64
		Tail uint16
	}
	Node struct {
		Value int
		Next  *Node
	}
	Base  struct{ ID string }
	Order struct {
		Base
		Lines []Line
		Total float64
		Notes map[string]int
	}
	Line struct {
		SKU   string
		Count int
	}
	Server struct {
		Name string
		Hits int
	}
	Shape interface{ Area() float64 }
)

func (p Point) Area() float64 { return float64(p.X) * float64(p.Y) }

//go:noinline
func ints(a int, b int8, c int16, d int32, e int64) int { return a + int(b) + int(c) + int(d) + int(e) }

//go:noinline
func uints(a uint, b uint8, c uint16, d uint32, e uint64, f uintptr) uint64 {
	return uint64(a) + uint64(b) + uint64(c) + uint64(d) + e + uint64(f)
}

//go:noinline
func floats(a float32, b float64, c complex64, d complex128) float64 {
	return float64(a) + b + float64(real(c)) + imag(d)
}

//go:noinline
func texts(ok bool, s string, b []byte, r rune) int {
	if ok {
		return len(s) + len(b) + int(r)
	}
	return 0
}

//go:noinline
func pointers(p *int, n *Node, u unsafe.Pointer, pp **string) bool {
	return p != nil && n != nil && u != nil && pp != nil
}

//go:noinline
func structs(p Point, q Padded, e Empty, c Color) int64 {
	return int64(p.X) + int64(p.Y) + q.N + int64(q.Tail) + int64(c)
}

//go:noinline
func arrays(one [1]int, none [0]int, three [3]int, after string) int {
	return one[0] + three[2] + len(after)
}

//go:noinline
func spilled(a, b, c, d, e, f, g, h, i, j, k int, s string) int {
	return a + b + c + d + e + f + g + h + i + j + k + len(s)
}

//go:noinline
func refs(m map[string]int, c chan int, f func(int) error, any interface{}, err error, s Shape) int {
	if err != nil || s == nil || any == nil || f == nil {
		return 0
	}
	return len(m) + cap(c)
}

//go:noinline
func (s *Server) Handle(o *Order, d time.Duration) (int, error) {
	if o == nil {
		return 0, errors.New("no order")
	}
	s.Hits++
	return len(o.Lines) + int(d), nil
}

//go:noinline
func (p Padded) Sum(n int64) int64 { return p.N + n }

//go:noinline
func named(n int) (sum int, text string, err error) {
	defer func() { sum++ }()
	if n < 0 {
		return 0, "", errors.New("negative")
	}
	return n, fmt.Sprint(n), nil
}

//go:noinline
func unnamed(n int) (int, [2]int, Point) { return n, [2]int{n, n}, Point{int32(n), 0} }

//go:noinline
func unused(_ int, _ string, n int) int { return n + 1 }

//go:noinline
func leaf(a, b int) int {
	if a == 0 {
		return b
	}
	return a * b
}

//go:noinline
func nothing() {}

//go:noinline
func big(n int) (sum int) {
	var space [100000]byte
	for i := range space {
		space[i] = byte(n + i)
	}
	for _, b := range space {
		sum += int(b)
	}
	return sum
}

//go:noinline
func forever(n int) {
	for {
		if n++; n < 0 {
			os.Exit(1)
		}
	}
}

func tiny(n int) int { return n * 3 }

func main() {
	n := len(os.Args)
	x := "x"
	px := &x
	fmt.Println(ints(n, 2, 3, 4, 5), uints(1, 2, 3, 4, 5, 6), floats(1, 2, 3, 4), texts(true, "a", []byte("b"), 'c'))
	fmt.Println(pointers(&n, &Node{}, unsafe.Pointer(&n), &px), structs(Point{1, 2}, Padded{true, 2, 3}, Empty{}, 7))
	fmt.Println(arrays([1]int{n}, [0]int{}, [3]int{1, 2, 3}, "s"), spilled(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "s"))
	fmt.Println(refs(map[string]int{}, make(chan int), func(int) error { return nil }, n, nil, Point{1, 2}))
	fmt.Println((&Server{}).Handle(&Order{}, time.Second))
	fmt.Println(Padded{N: 1}.Sum(2), unused(n, "", 2), leaf(n, 2), big(n))
	fmt.Println(named(n))
	fmt.Println(unnamed(n))
	nothing()
	fmt.Println(tiny(n))
	if n > 5 {
		forever(n)
	}
}
