package simulate

import (
	"fmt"
	"strings"
)

// Problem is one mistake in a scenario.
type Problem struct {
	File string
	At   Position
	Text string // what is wrong and what to write instead
}

func (p Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.At.Line, p.At.Column, p.Text)
}

// Problems are all mistakes of a scenario, in the order of the file.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}
