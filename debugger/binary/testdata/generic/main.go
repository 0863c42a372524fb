// Command generic has generic functions and methods, closures, and functions
// that share a short name.
package main

import (
	"fmt"
	"os"
)

type List[T any] struct{ items []T }

//go:noinline
func (l *List[T]) Push(v T) { l.items = append(l.items, v) }

//go:noinline
func Map[T, U any](list []T, f func(T) U) []U {
	var out []U
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}

//go:noinline
func Once[T any](v T, n int) string {
	return func() string { return fmt.Sprint(v, n) }()
}

type first struct{ n int }

//go:noinline
func (f *first) stepOnce(n int) int { return f.n + n }

type second struct{ n int }

//go:noinline
func (s second) stepOnce(n int) int { return s.n * n }

type runner interface{ stepOnce(int) int }

func inlined(n int) int { return n + len(os.Args) }

func main() {
	var ints List[int]
	var texts List[string]
	ints.Push(1)
	texts.Push("a")
	fmt.Println(ints, texts)
	fmt.Println(Map([]int{1}, func(n int) string { return fmt.Sprint(n) }))
	fmt.Println(Map([]string{"a"}, func(s string) int { return len(s) }))
	fmt.Println(Once(1.5, 2))
	for _, r := range []runner{&first{1}, second{2}, &second{3}} {
		fmt.Println(r.stepOnce(inlined(3)))
	}
	Keep(1, func() int { return 2 })()
	Keep(1, func() string { return "b" })()
}

// Keep has a closure with variables that no parameter is called like.
//
//go:noinline
func Keep[K, V any](key K, other func() V) func() {
	again, value := key, other()
	return func() { fmt.Println(key, again, value) }
}
