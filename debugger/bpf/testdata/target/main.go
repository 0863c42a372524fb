// Command target is the program the tests put probes on. It reads commands of
// the form "name count" from its standard input, calls the named function that
// many times and prints how long that took in nanoseconds.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Order has a field of every shape the program follows.
type Order struct {
	ID    int64
	Name  string
	Tags  []string
	Next  *Order
	Lines [2]Line
	Score *float64
}

// Line is nested by value.
type Line struct {
	Qty  int32
	Text string
}

// Vec mixes registers of both kinds.
type Vec struct {
	N int64
	X float64
}

// Huge does not fit an item.
type Huge struct {
	Head string
	Body [10000]byte
	Tail string
}

// Node is part of a random graph.
type Node struct {
	ID    int64
	Name  string
	Kids  []*Node
	Pairs [2][]Pair
	Next  *Node
}

// Pair is an element with something to follow.
type Pair struct {
	Key   string
	Value *int64
}

// Page is 4 KiB of plain bytes.
type Page [4096]byte

var sink int64

//go:noinline
func Empty() { sink++ }

//go:noinline
func Ints(a int8, b int16, c int32, d int64, e uint8, f uint16, g uint32, h uint64, i bool) {
	grow()
	sink += int64(a) + int64(b) + int64(c) + d + int64(e) + int64(f) + int64(g) + int64(h)
	if i {
		sink++
	}
}

//go:noinline
func OnStack(a, b, c, d, e, f, g, h, i int64, j int64, k string) {
	grow()
	sink += a + b + c + d + e + f + g + h + i + j + int64(len(k))
}

//go:noinline
func Text(a, b, c string) { grow(); sink += int64(len(a) + len(b) + len(c)) }

//go:noinline
func Pointers(p, null *int64, o *Order, wild *int64) { grow(); sink += *p + o.ID }

//go:noinline
func Slices(a []int32, b []string, c []*Order, d []int32) {
	grow()
	sink += int64(len(a) + len(b) + len(c) + len(d))
}

//go:noinline
func Value(l Line, v Vec) { grow(); sink += int64(l.Qty) + v.N + int64(v.X) }

//go:noinline
func Large(h *Huge, pages []Page) { grow(); sink += int64(len(h.Head)) + int64(len(pages)) }

//go:noinline
func Cold(s string) { grow(); sink += int64(len(s)) }

//go:noinline
func Outer(s string) { Middle(s); sink++ }

//go:noinline
func Middle(s string) { Text(s, s, s); sink++ }

//go:noinline
func Walk(n *Node, all []*Node) { grow(); sink += n.ID + int64(len(all)) }

// graph is alive as long as the process, so that the tests can look at it too.
var graph []*Node

// newGraph makes a graph that depends on the seed only.
func newGraph(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	text := func() string {
		switch r.IntN(20) {
		case 0:
			return long
		case 1:
			return strings.Repeat("x", 9000)
		default:
			return long[:r.IntN(20)]
		}
	}
	graph = make([]*Node, 1+r.IntN(200))
	for i := range graph {
		graph[i] = &Node{ID: int64(i), Name: text()}
	}
	some := func() *Node { return graph[r.IntN(len(graph))] }
	for _, n := range graph {
		for range r.IntN(4) * r.IntN(4) {
			n.Kids = append(n.Kids, some())
		}
		for i := range n.Pairs {
			for range r.IntN(3) * r.IntN(3) {
				n.Pairs[i] = append(n.Pairs[i], Pair{text(), &some().ID})
			}
		}
		if r.IntN(3) > 0 {
			n.Next = some()
		}
	}
	for range r.IntN(300) {
		graph[0].Kids = append(graph[0].Kids, some())
	}
}

//go:noinline
func Results(s string, n int) (string, []string, int, error) {
	grow()
	if n < 0 {
		return "", nil, n, errors.New("negative")
	}
	return s[:n], strings200[:n], n * 2, nil
}

// Held is a call that lasts until the gate is open.
//
//go:noinline
func Held(n int, gate chan struct{}) int {
	<-gate
	return 2*n + 1
}

// hold has n calls of Held in progress at a time, twice.
func hold(n int) {
	var gates [2]chan struct{}
	var held, done sync.WaitGroup
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	held.Add(n)
	for i := range n {
		done.Go(func() {
			held.Done()
			for round, gate := range gates {
				if Held(len(gates)*i+round, gate) != 2*(len(gates)*i+round)+1 {
					panic("wrong result")
				}
			}
		})
	}
	held.Wait()
	for _, gate := range gates {
		// Every other goroutine runs until it waits at the gate.
		for range n {
			runtime.Gosched()
		}
		time.Sleep(100 * time.Millisecond)
		close(gate)
	}
	done.Wait()
}

// Grow recurses far enough to move the stack a few times.
//
//go:noinline
func Grow(n int, s string) int {
	var pad [64]byte
	pad[n%64] = byte(n)
	if n == 0 {
		return len(s)
	}
	return Grow(n-1, s) + int(pad[(n+1)%64])
}

// grow is something a function must save its frame for.
//
//go:noinline
func grow() { runtime.KeepAlive(&sink) }

// blob is in a file-backed page that nothing has touched.
var blob = [8 << 20]byte{4 << 20: 'c', 'o', 'l', 'd'}

var (
	seven      = int64(7)
	score      = 2.5
	leaf       = &Order{ID: 2, Name: "leaf", Tags: []string{"x"}}
	order      = &Order{ID: 1, Name: "första", Tags: []string{"a", "", "ccc"}, Next: leaf, Lines: [2]Line{{3, "three"}, {4, "four"}}, Score: &score}
	loop       = &Order{ID: 9, Name: "loop"}
	long       = strings.Repeat("0123456789", 100)
	many       = make([]int32, 1000)
	huge       = &Huge{Head: "head", Tail: "tail"}
	pages      = make([]Page, 3)
	strings200 = func() (out []string) {
		for i := range 200 {
			out = append(out, fmt.Sprint("string ", i))
		}
		return out
	}()
)

func wild() *int64 { return (*int64)(unsafe.Pointer(uintptr(0x10))) }

func call(name string, n int) {
	switch name {
	case "empty":
		for range n {
			Empty()
		}
	case "ints":
		for range n {
			Ints(-1, -2, -3, -4, 5, 6, 7, 8, true)
		}
	case "onstack":
		for range n {
			OnStack(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "stacked")
		}
	case "text":
		for range n {
			Text("hello", "", long)
		}
	case "pointers":
		for range n {
			Pointers(&seven, nil, order, wild())
		}
	case "loop":
		for range n {
			Pointers(&seven, &seven, loop, &seven)
		}
	case "slices":
		for range n {
			Slices([]int32{1, 2, 3}, strings200, []*Order{leaf, nil, leaf}, many)
		}
	case "value":
		for range n {
			Value(Line{3, "three"}, Vec{4, 0.5})
		}
	case "large":
		for range n {
			Large(huge, pages)
		}
	case "cold":
		for range n {
			Cold(unsafe.String(&blob[4<<20], 4))
		}
	case "outer":
		for range n {
			Outer("deep")
		}
	case "threads":
		var wg, locked sync.WaitGroup
		locked.Add(8)
		for range 8 {
			wg.Go(func() {
				runtime.LockOSThread()
				locked.Done()
				locked.Wait()
				for range n {
					Text("hello", "", long)
				}
			})
		}
		wg.Wait()
	case "hold":
		hold(n)
	case "results":
		for i := range n {
			Results("hello", i-1)
		}
	case "graph":
		newGraph(uint64(n))
		Walk(graph[0], graph)
	case "stress":
		stress(n)
	default:
		fmt.Fprintln(os.Stderr, "unknown command", name)
		os.Exit(2)
	}
}

// stress moves stacks and collects garbage in many goroutines at once.
func stress(rounds int) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	}()
	var wg sync.WaitGroup
	for g := range 20 {
		wg.Go(func() {
			for range rounds {
				// A fresh goroutine has a small stack.
				ok := make(chan int)
				go func() { ok <- Grow(200, fmt.Sprint("goroutine ", g)) }()
				<-ok
			}
		})
	}
	wg.Wait()
	close(done)
}

func main() {
	loop.Next = loop
	// Memory that was never written is not there to be read.
	for i := range many {
		many[i] = int32(i)
	}
	for i := range pages {
		pages[i][1] = byte(i)
	}
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
		call(name, n)
		fmt.Println(time.Since(start).Nanoseconds())
	}
}
