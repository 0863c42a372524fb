package probe

import (
	"strconv"
	"strings"
)

// Problem is one thing wrong with a definition, and where.
type Problem struct {
	// Where names the source; Line and Column count from 1, or are 0 when
	// Where already is the exact place.
	Where        string
	Line, Column int
	// Probe is the id of the definition, when it could be read.
	Probe string
	// Key is the dotted path of the offending key: "where.lines"; empty for
	// the definition as a whole.
	Key     string
	Message string
}

// String is "file:line:column: probe "id": key: message".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Where)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column))
	}
	b.WriteString(": ")
	if p.Probe != "" {
		b.WriteString("probe " + strconv.Quote(p.Probe) + ": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Error is everything wrong with one source of definitions, in the order of
// the text; it never is empty.
type Error struct {
	Problems []Problem
}

// Error lists one problem a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
