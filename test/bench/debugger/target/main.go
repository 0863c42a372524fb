// Command target has functions for bench debugger to probe. It reads lines of
// the form "FUNCTION COUNT" and prints how many nanoseconds the calls took.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Order leads to some 1 KiB of other values.
type Order struct {
	ID    int64
	Name  string
	Tags  []string
	Lines []Line
	Next  *Order
}

// Line is nested by value.
type Line struct {
	Quantity int32
	Price    float64
	Item     string
}

var calls int

//go:noinline
func keep() { runtime.KeepAlive(&calls) }

// Text has a frame, so that its first instructions are those of the check for
// stack space.
//
//go:noinline
func Text(s string) int {
	keep()
	return len(s)
}

// Graph is Text with more to follow.
//
//go:noinline
func Graph(o *Order) int {
	keep()
	return len(o.Tags)
}

func order() *Order {
	o := &Order{ID: 42, Name: strings.Repeat("n", 64), Tags: []string{"green", "organic", "fragile"}}
	for i := range 6 {
		o.Lines = append(o.Lines, Line{int32(i), 1.5, strings.Repeat("i", 48)})
	}
	o.Next = &Order{ID: 43, Name: strings.Repeat("m", 200)}
	return o
}

func main() {
	text, graph := strings.Repeat("0123456789abcdef", 64), order()
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var function string
		var n int
		if _, err := fmt.Sscan(in.Text(), &function, &n); err != nil {
			fmt.Fprintln(os.Stderr, "target:", err)
			os.Exit(1)
		}
		begin := time.Now()
		for range n {
			if function == "Text" {
				Text(text)
			} else {
				Graph(graph)
			}
		}
		fmt.Println(time.Since(begin).Nanoseconds())
	}
}
