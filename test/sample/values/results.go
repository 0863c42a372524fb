package main

import (
	"errors"
	"fmt"
)

//go:noinline
func resultOne(n int) int { use(n); return n + 1 }

//go:noinline
func resultNamed(n int) (double, half int) { use(n); return 2 * n, n / 2 }

//go:noinline
func resultUnnamed(n int) (int, string, bool) { use(n); return n, "two", true }

//go:noinline
func resultError(fail bool) (v *pair, err error) {
	use(fail)
	if fail {
		return nil, errors.New("failed")
	}
	return &pair{1, 2}, nil
}

//go:noinline
func resultArray(n int) [3]int { use(n); return [3]int{n, n, n} }

//go:noinline
func resultArrayOfOne(n int) [1]string { use(n); return [1]string{"one"} }

//go:noinline
func resultStruct(n int) base { use(n); return base{n, "made"} }

//go:noinline
func resultMany(n int) (a, b, c, d, e, f, g, h, i, j, k, l int) {
	use(n)
	return n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, n + 10, n + 11
}

//go:noinline
func resultFloat(n int) float64 { use(n); return float64(n) / 2 }

// A deferred call changes the result.
//
//go:noinline
func resultDeferred(n int) (v int) {
	defer func() { v *= 10 }()
	use(n)
	return n
}

// It returns by way of a recovered panic.
//
//go:noinline
func resultRecovered(n int) (err error) {
	defer func() { err = fmt.Errorf("recovered: %v", recover()) }()
	use(n)
	panic("out of range")
}

//go:noinline
func resultNone(n int) { use(n) }

func init() {
	const s = "results"
	add(s, "main.resultOne", func() { resultOne(1) })
	add(s, "main.resultNamed", func() { resultNamed(4) })
	add(s, "main.resultUnnamed", func() { resultUnnamed(1) })
	add(s, "main.resultError", func() { _, _ = resultError(true) })
	add(s, "main.resultArray", func() { resultArray(1) })
	add(s, "main.resultArrayOfOne", func() { resultArrayOfOne(1) })
	add(s, "main.resultStruct", func() { resultStruct(1) })
	add(s, "main.resultMany", func() { resultMany(1) })
	add(s, "main.resultFloat", func() { resultFloat(3) })
	add(s, "main.resultDeferred", func() { resultDeferred(1) })
	add(s, "main.resultRecovered", func() { _ = resultRecovered(1) })
	add(s, "main.resultNone", func() { resultNone(1) })
}
