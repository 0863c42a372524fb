package main

import (
	"iter"
	"maps"
	"slices"
)

// Called for each element.
//
//go:noinline
func rangeElement(i int, v string) { use(i); use(v) }

// The body of a loop over a function is a function literal of its own.
//
//go:noinline
func rangeOverFunc(n int) {
	for v := range counted(n) {
		rangeBody(v)
	}
}

//go:noinline
func rangeBody(v int) { use(v) }

//go:noinline
func rangeSequence(seq iter.Seq[int]) { use(slices.Collect(seq)) }

//go:noinline
func rangePairs(seq iter.Seq2[string, int]) { use(maps.Collect(seq)) }

//go:noinline
func counted(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func init() {
	const s = "ranges"
	add(s, "main.rangeElement", func() {
		for i, v := range []string{"zero"} {
			rangeElement(i, v)
		}
	})
	add(s, "main.rangeOverFunc", func() { rangeOverFunc(1) })
	add(s, "main.rangeBody", func() { rangeOverFunc(1) })
	add(s, "main.rangeSequence", func() { rangeSequence(counted(2)) })
	add(s, "main.rangePairs", func() { rangePairs(maps.All(map[string]int{"one": 1})) })
	add(s, "main.counted", func() { counted(3) })
}
