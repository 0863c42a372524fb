// Package shapes is the first version of a library.
package shapes

// Shape is a type that both versions have.
type Shape struct{ Sides int }

// Describe is a function that both versions have.
//
//go:noinline
func Describe(s Shape) int { return s.Sides }
