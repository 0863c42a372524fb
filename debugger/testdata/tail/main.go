// Command tail is a program with functions that are left by a jump to another
// function. It runs the commands of its standard input, "hop 3", and answers each
// with "done".
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
)

// hop jumps to land, which returns in its place.
func hop(n int) int

// leap jumps to land through a register.
func leap(n int) int

// land is reached by jumps only.
//
//go:noinline
func land(n int) int {
	var pad [512]byte // makes the stack grow
	pad[n%len(pad)] = byte(n)
	return hop(n-1) + 1 + int(pad[(n+1)%len(pad)])
}

// Adder is implemented by a wrapper that ends by a jump.
type Adder interface {
	add(n int) (sum int, err error)
}

type inner struct{ base int }

//go:noinline
func (i *inner) add(n int) (sum int, err error) { return i.base + n, nil }

// outer has the method of what it embeds.
type outer struct{ inner }

//go:noinline
func adderOf(base int) Adder { return &outer{inner{base}} }

func run(command string, n int) {
	switch command {
	case "hop":
		var wg sync.WaitGroup
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if hop(n) != n {
					panic("wrong hops")
				}
			}()
		}
		wg.Wait()
	case "leap":
		if leap(n) != n {
			panic("wrong leap")
		}
	case "add":
		if sum, _ := adderOf(n).add(1); sum != n+1 {
			panic("wrong sum")
		}
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
