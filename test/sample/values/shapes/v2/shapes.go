// Package shapes is the second version of a library; a program may use both.
package shapes

// Shape is a type that both versions have.
type Shape struct {
	Sides []float64
	Name  string
}

// Describe is a function that both versions have.
//
//go:noinline
func Describe(s Shape) int { return len(s.Sides) }
