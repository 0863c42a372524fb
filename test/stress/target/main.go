// Command target does what is hard on probes, and checks its own results: a
// thousand goroutines whose stacks grow, are collected and preempted, functions
// with many returns, panics. It prints "done N" on each line of standard input,
// the work done so far, and "call NANOSECONDS" on a line "measure": what a call
// of one of the functions takes. A wrong result ends it with status 3.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// goroutines is how many work at the same time.
const goroutines = 1000

var done atomic.Uint64

func main() {
	debug.SetGCPercent(20)
	for i := range goroutines {
		go work(i)
	}
	go func() { // collects, and moves stacks when it shrinks them
		for range time.Tick(20 * time.Millisecond) {
			runtime.GC()
		}
	}()
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if in.Text() == "measure" {
			fmt.Println("call", measure().Nanoseconds())
			continue
		}
		fmt.Println("done", done.Load())
	}
}

// measure is the least time per call of a few rounds.
func measure() time.Duration {
	const rounds, calls = 5, 100
	least := time.Hour
	for range rounds {
		begin := time.Now()
		for i := range calls {
			_, _ = classify(i)
		}
		least = min(least, time.Since(begin)/calls)
	}
	return least
}

// work does one job after the other, each in a goroutine with a new stack now
// and then.
func work(i int) {
	for n := i; ; n++ {
		if n%8 == 0 {
			finished := make(chan struct{})
			go func() {
				defer close(finished)
				job(n)
			}()
			<-finished
		} else {
			job(n)
		}
		done.Add(1)
		// Not all at once: the machine has few processors.
		time.Sleep(time.Duration(n%7) * time.Millisecond)
	}
}

func job(n int) {
	switch n % 8 {
	case 0:
		depth := 100 + n%1500
		check("grow", grow(depth, "text"), depth+len("text"))
	case 1:
		want := []int{-1, 0, 10, 2, 3}[n%5]
		got, err := classify(n % 5)
		check("classify", got, want)
		check("its error", err != nil, n%5 == 0)
	case 2:
		levels := n % 8
		check("sum", sum(build(levels)), 1<<(levels+1)-1)
	case 3:
		check("spin", spin(200_000), 200_000*199_999/2)
	case 4:
		err := mayPanic(n)
		check("mayPanic", err != nil, n%3 == 0)
	case 5:
		check("yield", yield(20), 20)
	case 6:
		m := fill(n % 100)
		check("fill", len(m), n%100)
		for k, v := range m {
			check("element", v, fmt.Sprint(k))
		}
	case 7:
		check("timers", timers(3), 3)
	}
}

func check[T comparable](what string, got, want T) {
	if got != want {
		fmt.Fprintf(os.Stderr, "%s: got %v, want %v\n", what, got, want)
		os.Exit(3)
	}
}

// grow needs more stack with each call.
//
//go:noinline
func grow(n int, text string) int {
	var frame [96]byte
	frame[n%96] = 1
	if n == 0 {
		return len(text)
	}
	return grow(n-1, text) + int(frame[n%96])
}

var errFirst = errors.New("the first")

// classify has many returns.
//
//go:noinline
func classify(n int) (int, error) {
	switch n {
	case 0:
		return -1, errFirst
	case 1:
		return 0, nil
	case 2:
		return 10, nil
	}
	return n - 1 + touch(), nil
}

//go:noinline
func touch() int { return 0 }

type node struct {
	left, right *node
	value       int
}

// build allocates.
//
//go:noinline
func build(levels int) *node {
	if levels == 0 {
		return &node{value: 1}
	}
	return &node{build(levels - 1), build(levels - 1), 1}
}

//go:noinline
func sum(n *node) int {
	if n == nil {
		return 0
	}
	return n.value + sum(n.left) + sum(n.right)
}

// spin has no call, so that it is preempted by a signal anywhere.
//
//go:noinline
func spin(n int) (total int) {
	for i := range n {
		total += i
	}
	return total
}

// mayPanic returns by way of its deferred function.
//
//go:noinline
func mayPanic(n int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("recovered: %v", v)
		}
	}()
	explode(n)
	return nil
}

//go:noinline
func explode(n int) {
	if n%3 == 0 {
		panic(n)
	}
	touch()
}

// yield lets others run in the middle of it.
//
//go:noinline
func yield(n int) (total int) {
	for range n {
		runtime.Gosched()
		total++
	}
	return total
}

//go:noinline
func fill(n int) map[int]string {
	m := map[int]string{}
	for i := range n {
		m[i] = fmt.Sprint(i)
	}
	return m
}

// timers waits for function calls of the timers' own goroutines.
//
//go:noinline
func timers(n int) int {
	fired := make(chan int, n)
	for range n {
		time.AfterFunc(time.Millisecond, func() { fire(fired) })
	}
	total := 0
	for range n {
		total += <-fired
	}
	return total
}

//go:noinline
func fire(fired chan<- int) { fired <- 1 }
