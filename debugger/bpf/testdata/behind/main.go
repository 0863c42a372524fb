// Command behind is the program whose values the runtime keeps behind words:
// maps, channels, interfaces. It is built by every supported toolchain. It reads
// commands of the form "look n" from its standard input, calls Look with values
// that depend on n only and prints a number.
package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Order is what the values lead to.
type Order struct {
	ID   int64
	Name string
	Next *Order
}

// Shape is implemented by a value and by a pointer.
type Shape interface{ Area() float64 }

// Square is a Shape held behind a pointer.
type Square struct{ Side float64 }

// Area is the side squared.
func (s Square) Area() float64 { return s.Side * s.Side }

// Circle is a Shape whose pointer is held.
type Circle struct {
	R    float64
	Name string
}

// Area takes pi for 3.
func (c *Circle) Area() float64 { return 3 * c.R * c.R }

// Behind is everything the runtime keeps behind a word.
type Behind struct {
	Small  map[string]int
	Nested map[int]map[string]*Order
	Large  map[int]int
	Big    map[[20]int64]Huge200
	Chan   chan string
	Func   func()
	Any    any
	List   []any
	Shapes []Shape
	Err    error
	At     time.Time
	Zoned  time.Time
	Ctx    context.Context
	Mutex  sync.Mutex
	Count  atomic.Int64
	Odd    any
}

// Huge200 is too large for the slot of a map.
type Huge200 struct{ A [25]int64 }

// Odd is a type that no interface with methods leads to.
type Odd struct{ N int }

var (
	sink  int64
	leaf  = &Order{ID: 2, Name: "leaf"}
	order = &Order{ID: 1, Name: "order", Next: leaf}
)

//go:noinline
func Look(b *Behind, m map[string]int, c chan string, a any, s Shape, f func(), at time.Time) {
	sink += int64(len(b.Small) + len(m) + len(c))
}

// behind and the boxes are alive as long as the process.
var (
	behind   *Behind
	boxAny   any
	boxShape Shape = Square{2}
)

// newBehind makes values that depend on n only.
func newBehind(n int) {
	r := rand.New(rand.NewSource(int64(n)))
	b := &Behind{
		Small: map[string]int{}, Nested: map[int]map[string]*Order{}, Large: map[int]int{}, Big: map[[20]int64]Huge200{},
		Chan: make(chan string, 1+r.Intn(8)), Func: func() { sink += int64(n) }, Any: n, Err: fmt.Errorf("wrapped: %w", os.ErrNotExist),
		At: time.Unix(int64(n), 5).UTC(), Zoned: time.Unix(int64(n), 5).In(time.FixedZone("here", 3600)),
		Ctx: context.WithValue(context.Background(), Odd{}, n), Odd: Odd{n},
	}
	for i := range r.Intn(9) {
		b.Small[fmt.Sprint("key ", i)] = i
	}
	for i := range r.Intn(40) {
		b.Nested[i] = map[string]*Order{"order": order, "leaf": leaf, "nil": nil}
	}
	for i := range r.Intn(3000) {
		b.Large[i] = i * i
		if r.Intn(3) == 0 {
			delete(b.Large, r.Intn(i+1))
		}
	}
	for i := range r.Intn(20) {
		b.Big[[20]int64{int64(i)}] = Huge200{[25]int64{1: int64(i)}}
	}
	for i := range r.Intn(30) {
		if len(b.Chan) == cap(b.Chan) {
			<-b.Chan
		}
		b.Chan <- fmt.Sprint("item ", i)
	}
	for i := range r.Intn(20) {
		b.List = append(b.List, []any{i, "text", 2.5, nil, order, &Circle{R: 2, Name: "c"}, Square{3}, []int32{1, 2}, b.Small, any(int8(3)), []any{i}}[r.Intn(11)])
		b.Shapes = append(b.Shapes, []Shape{Square{float64(i)}, &Circle{R: float64(i)}, nil}[r.Intn(3)])
	}
	b.Mutex.Lock()
	b.Count.Store(int64(n))
	behind = b
}

// Golden has one of each, and nothing that is random.
//
//go:noinline
func Golden(m map[string]int, grown map[int]*Order, large map[int][200]byte, c chan string, closed chan int, f func(), list []any, s Shape, err error, at time.Time, ctx context.Context, b *Behind, self any) {
	sink += int64(len(m) + len(c))
}

func golden() {
	grown := map[int]*Order{}
	for i := range 2000 {
		grown[i] = order
	}
	for i := range 1997 {
		delete(grown, i)
	}
	c := make(chan string, 3)
	for i := range 5 {
		if len(c) == cap(c) {
			<-c
		}
		c <- fmt.Sprint("item ", i)
	}
	closed := make(chan int)
	close(closed)
	newBehind(7)
	list := []any{1, "text", 2.5, nil, order, Square{3}, &Circle{4, "round"}, Odd{5}, []int32{6}, map[string]int{"seven": 7}}
	self := map[string]any{}
	self["self"] = self
	keep = append(keep, grown, c, closed, list, self)
	Golden(map[string]int{"b": 2, "a": 1}, grown, map[int][200]byte{1: {2: 3}}, c, closed, golden, list, &Circle{1, "one"}, os.ErrNotExist,
		time.Unix(1e9, 5).In(time.FixedZone("", 5400)), context.Background(), &Behind{Ctx: context.TODO(), At: time.Unix(0, 1).UTC()}, self)
}

// Celsius has the shape of other numbers.
type Celsius float32

// Pair is generic.
type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

// Swap is a method of a generic type.
//
//go:noinline
func (p *Pair[K, V]) Swap(v V) V { sink++; return v }

// Generic is a generic function.
//
//go:noinline
func Generic[T any, M map[string]T](list []T, one *T, m M) T { sink++; return *one }

// Later returns a function literal that needs the types of the generic function.
//
//go:noinline
func Later[T any](v T) func() T {
	return func() T {
		boxAny = any(v)
		return v
	}
}

func generic() {
	c, text := []Celsius{20, 21}, []Odd{{1}}
	keep = append(keep, c, text)
	Generic(c, &c[1], map[string]Celsius{"c": 1})
	Generic(text, &text[0], nil)
	p := &Pair[Celsius, *Order]{30, order}
	keep = append(keep, p)
	p.Swap(leaf)
	Later(leaf)()
}

// keep holds what must not be on a stack.
var keep []any

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var name string
		var n int
		if _, err := fmt.Sscan(in.Text(), &name, &n); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		start := time.Now()
		switch name {
		case "golden":
			golden()
		case "generic":
			generic()
		default:
			newBehind(n)
			boxAny = behind.List
			Look(behind, behind.Small, behind.Chan, boxAny, boxShape, behind.Func, behind.Zoned)
		}
		fmt.Println(time.Since(start).Nanoseconds())
	}
}
