// Command values has a function for every kind of value a Go program can hand
// to another, for probes to look at. It reads commands from standard input:
// "list" prints the functions by subject, "call FUNCTION" calls one. The end of
// the input ends it.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// sample is one function and a call of it.
type sample struct {
	subject, function string
	call              func()
}

var samples []sample

// add is called at initialisation, with the qualified name of the function that
// call leads to.
func add(subject, function string, call func()) {
	samples = append(samples, sample{subject, function, call})
}

// use keeps a value alive, and what calls it from being a leaf.
//
//go:noinline
func use[T any](T) {}

func main() {
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for in.Scan() {
		if err := command(in.Text()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func command(line string) error {
	if line == "list" {
		for _, s := range samples {
			fmt.Println(s.subject, s.function)
		}
		fmt.Println("end")
		return nil
	}
	function, ok := strings.CutPrefix(line, "call ")
	if !ok {
		return fmt.Errorf("unknown command %q: use list or call FUNCTION", line)
	}
	for _, s := range samples {
		if s.function == function {
			s.call()
			fmt.Println("called", function)
			return nil
		}
	}
	return fmt.Errorf("no function %q: list prints those there are", function)
}
