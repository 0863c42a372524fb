package truth

import (
	"bytes"
	"fmt"
	"go/format"
	"math/rand/v2"
	"strings"
)

// source writes the types and probed functions of a target: n types, drawn with
// a seed.
func source(seed uint64, n int) ([]byte, error) {
	g := &generator{r: rand.New(rand.NewPCG(seed, 0)), n: n}
	var b bytes.Buffer
	fmt.Fprint(&b, "package main\n\nimport (\n\"errors\"\n\"sync/atomic\"\n\"time\"\n)\n\n")
	fmt.Fprint(&b, "var errBase = errors.New(\"no such thing\")\n\n")
	fmt.Fprint(&b, "// pair is generic, and named by what it is made of.\ntype pair[A, B any] struct{ First A; Second B }\n\n")
	fmt.Fprint(&b, "// measurer is what methods make of a type.\ntype measurer interface{ measure() int }\n\n")
	for i := range n {
		fmt.Fprintf(&b, "type T%d %s\n\n", i, g.definition(i))
	}
	fmt.Fprint(&b, "type celsius float64\nfunc (celsius) measure() int { return 1 }\n\n")
	fmt.Fprint(&b, "type sized struct { N int; Name string }\nfunc (*sized) measure() int { return 2 }\n\n")
	fmt.Fprint(&b, "type list []int\nfunc (list) measure() int { return 3 }\n\n")
	fmt.Fprint(&b, "type table map[string]time.Time\nfunc (table) measure() int { return 4 }\n\n")
	fmt.Fprint(&b, "type failure struct { Code int; Cause any }\nfunc (failure) Error() string { return \"\" }\n\n")
	fmt.Fprint(&b, "type refusal string\nfunc (*refusal) Error() string { return \"\" }\n\n")
	fmt.Fprint(&b, "// alone and incomparable are one pointer each.\ntype alone struct { P *int }\ntype incomparable struct { _ [0]func(); P *int }\n\n")
	fmt.Fprint(&b, "// failures is what errors are.\nvar failures = []error{failure{}, &failure{}, new(refusal)}\n\n")
	fmt.Fprint(&b, "// hashable is what keys that are empty interfaces are.\nvar hashable = []any{0, \"\", uint8(0), true, celsius(0), [2]int16{}, struct{ A string; B int32 }{}, pair[string, int8]{}}\n\n")
	fmt.Fprintf(&b, "// held is what empty interfaces hold.\nvar held = []any{%s}\n\n", g.held())
	fmt.Fprint(&b, "// measurers is what the others hold.\nvar measurers = []measurer{celsius(0), (*sized)(nil), list(nil), table(nil),")
	var methods bytes.Buffer
	for i := 0; i < n; i += 7 {
		fmt.Fprintf(&b, "T%d{}, (*T%d)(nil),", i, i)
		fmt.Fprintf(&methods, "func (T%d) measure() int { return %d }\n\n", i, i)
	}
	fmt.Fprintf(&b, "}\n\n%s", methods.Bytes())
	for i := range n {
		fmt.Fprintf(&b, "//go:noinline\nfunc probed%d(seq uint64, v *T%d) { sink = v; _ = seq }\n\n", i, i)
	}
	fmt.Fprint(&b, "var subjects = []subject{\n")
	for i := range n {
		fmt.Fprintf(&b, "{T%d{}, func(seq uint64, v any) { probed%d(seq, v.(*T%d)) }},\n", i, i, i)
	}
	fmt.Fprint(&b, "}\n\nvar _ atomic.Bool\n")
	return format.Source(b.Bytes())
}

// generator draws types.
type generator struct {
	r *rand.Rand
	n int // of named types
}

// definition is what type i is: a struct, so that it can hold anything and have
// no value that is nil itself.
func (g *generator) definition(i int) string {
	var b strings.Builder
	b.WriteString("struct {\n")
	for f := range 1 + g.r.IntN(6) {
		switch {
		case f == 0 && i > 0 && g.r.IntN(4) == 0:
			fmt.Fprintf(&b, "T%d\n", g.r.IntN(i)) // embedded
		case g.r.IntN(12) == 0:
			fmt.Fprintf(&b, "_ %s\n", g.basic())
		default:
			fmt.Fprintf(&b, "%s%d %s\n", [...]string{"F", "f"}[g.r.IntN(2)], f, g.kind(i, 2))
		}
	}
	b.WriteString("}")
	return b.String()
}

func (g *generator) basic() string {
	all := []string{
		"bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
		"float32", "float64", "complex64", "complex128", "string", "string", "celsius",
	}
	return all[g.r.IntN(len(all))]
}

// held are values of the types that empty interfaces hold: predeclared ones, those
// that the target has a name for, and one made of each that is generated.
func (g *generator) held() string {
	var b strings.Builder
	b.WriteString(`0, "", 1.5, uint8(0), true, int64(0), complex64(0), uintptr(0), celsius(0), sized{}, (*sized)(nil), list(nil), table(nil),
		time.Time{}, (*time.Time)(nil), (*string)(nil), (**int)(nil), []any(nil), map[string]any(nil), map[any]error(nil), (*any)(nil), [3]any{},
		pair[any, error]{}, (*pair[celsius, []string])(nil), alone{}, (*alone)(nil), incomparable{}, [1]*int{}, [1]alone{}, [0]int{}, struct{}{},
		struct{ A int8; B any }{}, []byte(nil), [][2]bool(nil), failure{}, (*refusal)(nil),`)
	for i := range g.n {
		fmt.Fprintf(&b, [...]string{"\nT%d{},", "\n(*T%d)(nil),", "\n[]T%d(nil),", "\nmap[string]T%d(nil),", "\npair[int, T%d]{},", "\n[2]T%d{},", "\n(**T%d)(nil),"}[i%7], i)
	}
	return b.String()
}

// key is a type that maps can be keyed by.
func (g *generator) key() string {
	all := []string{"string", "string", "int", "uint8", "bool", "[2]int16", "struct{ A string; B int32 }", "float64", "any"}
	return all[g.r.IntN(len(all))]
}

// kind is any type: values of named types before i, and references to all.
func (g *generator) kind(i, depth int) string {
	if depth == 0 {
		return g.basic()
	}
	depth--
	switch g.r.IntN(16) {
	case 0, 1:
		return "[]" + g.kind(i, depth)
	case 2:
		return fmt.Sprintf("[%d]%s", g.r.IntN(4), g.kind(i, depth))
	case 3, 4:
		return "*" + g.kind(i, depth)
	case 5:
		return fmt.Sprintf("*T%d", g.r.IntN(g.n))
	case 6, 7:
		return "map[" + g.key() + "]" + g.kind(i, depth)
	case 8:
		return "struct{ A " + g.kind(i, depth) + "; B " + g.basic() + " }"
	case 9:
		if i > 0 {
			return fmt.Sprintf("T%d", g.r.IntN(i))
		}
		return g.basic()
	case 10:
		return [...]string{"any", "error", "measurer"}[g.r.IntN(3)]
	case 11:
		return [...]string{"time.Time", "atomic.Int64", "atomic.Bool"}[g.r.IntN(3)]
	case 12:
		return fmt.Sprintf("pair[%s, %s]", g.basic(), g.kind(i, depth))
	case 13:
		return fmt.Sprintf("[]*T%d", g.r.IntN(g.n))
	}
	return g.basic()
}
